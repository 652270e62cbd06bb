"""Tasks inherit the scope and do not leak it; threads start without it."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mxcert_runtime import service
from mxcert_runtime.decisions.current_service import current_service

WAIT = 60


@service("A.B")
async def ask() -> str | None:
    """The service after a wait."""
    await asyncio.sleep(0)
    return current_service.get()


class TestCoroutine:
    def test_kind(self) -> None:
        """It still is a coroutine function."""
        assert inspect.iscoroutinefunction(ask)

    def test_holds_during_the_call(self) -> None:
        """The service is the current one while the coroutine runs, over its waits too."""

        async def run() -> list[str | None]:
            waiting = ask()
            return [current_service.get(), await waiting, current_service.get()]

        assert [None, "A.B", None] == asyncio.run(run())

    def test_error(self) -> None:
        """The coroutine's error comes through, and ends the scope."""

        @service("A.B")
        async def fail() -> None:
            await asyncio.sleep(0)
            raise KeyError("mine")

        async def run() -> str | None:
            with pytest.raises(KeyError, match="mine"):
                await fail()
            return current_service.get()

        assert asyncio.run(run()) is None

    def test_cancelled(self) -> None:
        """A cancelled call ends the scope."""
        seen = []

        @service("A.B")
        async def wait_for_ever() -> None:
            await asyncio.Event().wait()

        async def run() -> None:
            try:
                await asyncio.wait_for(wait_for_ever(), 0.01)
            except asyncio.TimeoutError:
                seen.append(current_service.get())

        asyncio.run(run())
        assert [None] == seen


class TestTasks:
    def test_inherit(self) -> None:
        """A task has the service of where it is created, though it runs after the scope's end."""

        async def tell() -> str | None:
            await asyncio.sleep(0)
            return current_service.get()

        async def run() -> list[str | None]:
            with service("A.B"):
                inside = asyncio.create_task(tell())
            outside = asyncio.create_task(tell())
            return await asyncio.gather(inside, outside)

        assert ["A.B", None] == asyncio.run(run())

    def test_do_not_leak_back(self) -> None:
        """What a task enters is not seen where it was created, nor by its neighbours."""

        async def enter(name: str, entered: asyncio.Event, leave: asyncio.Event) -> str | None:
            with service(name):
                entered.set()
                await leave.wait()
                return current_service.get()

        async def run() -> list[str | None]:
            one, two, leave = asyncio.Event(), asyncio.Event(), asyncio.Event()
            tasks = [asyncio.create_task(enter("One", one, leave))]
            await one.wait()
            seen = [current_service.get()]
            tasks.append(asyncio.create_task(enter("Two", two, leave)))
            await two.wait()
            leave.set()
            return [*seen, *await asyncio.gather(*tasks), current_service.get()]

        assert [None, "One", "Two", None] == asyncio.run(run())

    def test_task_leaves_more_than_it_entered_nowhere(self) -> None:
        """The end of the creator's scope does not end the task's."""

        async def enter(go_on: asyncio.Event) -> list[str | None]:
            with service("Inner"):
                await go_on.wait()
            return [current_service.get()]

        async def run() -> list[str | None]:
            go_on = asyncio.Event()
            with service("Outer"):
                task = asyncio.create_task(enter(go_on))
                await asyncio.sleep(0)
            go_on.set()
            return await task

        assert ["Outer"] == asyncio.run(run())

    def test_one_object_in_many_tasks(self) -> None:
        """One object and one decorated function serve a hundred tasks that interleave."""
        shared = service("Shared")

        async def mixed(number: int) -> list[str | None]:
            seen = []
            with service(f"Own{number}"):
                for _ in range(number % 3 + 1):
                    with shared:
                        await asyncio.sleep(0)
                        seen.append(current_service.get())
                    await asyncio.sleep(0)
                    seen.extend([await ask(), current_service.get()])
            return [*seen, current_service.get()]

        async def run() -> list[list[str | None]]:
            return await asyncio.gather(*(mixed(number) for number in range(100)))

        expected = [
            [*["Shared", "A.B", f"Own{number}"] * (number % 3 + 1), None] for number in range(100)
        ]
        assert expected == asyncio.run(run())

    def test_callbacks_inherit(self) -> None:
        """``call_soon`` carries the scope of where it is called."""

        async def run() -> str | None:
            told: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
            with service("A.B"):
                loop = asyncio.get_running_loop()
                loop.call_soon(lambda: told.set_result(current_service.get()))
            return await told

        assert "A.B" == asyncio.run(run())


class TestThreads:
    def test_pool_starts_without(self) -> None:
        """The threads of a pool are in no scope, whoever submits the work."""
        with ThreadPoolExecutor(1) as pool, service("A.B"):
            assert pool.submit(current_service.get).result(WAIT) is None
            assert [None] == list(pool.map(lambda _: current_service.get(), [1]))

    def test_copied_context_carries_it(self) -> None:
        """``contextvars.copy_context().run`` carries it over, for this one call."""
        with ThreadPoolExecutor(1) as pool:
            with service("A.B"):
                context = contextvars.copy_context()
            assert "A.B" == pool.submit(context.run, current_service.get).result(WAIT)
            assert pool.submit(current_service.get).result(WAIT) is None

    def test_to_thread_carries_it(self) -> None:
        """``asyncio.to_thread`` carries it over, ``run_in_executor`` does not."""

        async def run() -> list[str | None]:
            loop = asyncio.get_running_loop()
            with service("A.B"):
                return [
                    await asyncio.to_thread(current_service.get),
                    await loop.run_in_executor(None, current_service.get),
                ]

        assert ["A.B", None] == asyncio.run(run())

    def test_thread_starts_without(self) -> None:
        """A plain thread is in no scope, unless the interpreter makes threads inherit (3.14)."""
        if getattr(sys.flags, "thread_inherit_context", False):
            pytest.skip("threads inherit the context in this interpreter")
        seen: list[str | None] = []
        with service("A.B"):
            thread = threading.Thread(target=lambda: seen.append(current_service.get()))
            thread.start()
            thread.join(WAIT)
        assert [None] == seen

    def test_one_object_in_many_threads(self) -> None:
        """One object and one decorated function serve many threads at the same time."""
        shared, barrier = service("Shared"), threading.Barrier(4)

        @service("Function")
        def call() -> str | None:
            barrier.wait(WAIT)
            return current_service.get()

        def run(number: int) -> list[str | None]:
            seen = []
            with service(f"Own{number}"):
                for _ in range(20):
                    with shared:
                        barrier.wait(WAIT)
                        seen.append(current_service.get())
                    seen.extend([call(), current_service.get()])
            return [*seen, current_service.get()]

        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(run, number) for number in range(4)]
            results = [future.result(WAIT) for future in futures]
        expected = [[*["Shared", "Function", f"Own{number}"] * 20, None] for number in range(4)]
        assert expected == results
