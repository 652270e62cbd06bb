"""A decorated generator is in the scope while it runs itself; its consumer never is."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest

from mxcert_runtime import service
from mxcert_runtime.decisions.current_service import current_service

Talk = Generator[Any, Any, str]


class Refused(Exception):
    """Thrown in by consumers."""


@service("A.B")
def talk(seen: list[Any]) -> Talk:
    """Yields what it was sent, after it has noted the service of each step."""
    item: Any = "first"
    try:
        while item != "end":
            seen.append(current_service.get())
            try:
                item = yield item
            except Refused as error:
                seen.append((current_service.get(), str(error)))
                item = "went on"
        return "returned"
    finally:
        seen.append(("closed", current_service.get()))


class TestGenerator:
    def test_kind(self) -> None:
        """It still is a generator function."""
        assert inspect.isgeneratorfunction(talk)

    def test_nothing_before_the_first_step(self) -> None:
        """A call alone runs nothing, and enters nothing."""
        seen: list[Any] = []
        talk(seen)
        assert [] == seen
        assert current_service.get() is None

    def test_consumer_is_outside(self) -> None:
        """Between two yields the consumer's code has its own service, or none."""
        seen: list[Any] = []
        outside: list[Any] = []
        for number, _ in enumerate(talk(seen)):
            outside.append(current_service.get())
            if number == 2:
                break
        assert [None] * 3 == outside
        assert ["A.B"] * 3 == seen[:3]

    def test_consumer_keeps_its_own(self) -> None:
        """A consumer in another scope stays there, and the generator in its own."""
        seen: list[Any] = []
        with service("Consumer"):
            generator = talk(seen)
            next(generator)
            assert "Consumer" == current_service.get()
            generator.close()
            assert "Consumer" == current_service.get()
        assert ["A.B", ("closed", "A.B")] == seen

    def test_two_at_once(self) -> None:
        """Two generators taken in turns each stay in their own scope."""
        ask = service("Other")(inspect.unwrap(talk))
        mine: list[Any] = []
        other: list[Any] = []
        one, two = talk(mine), ask(other)
        for generator in (one, two, two, one):
            next(generator)
        assert (["A.B"] * 2, ["Other"] * 2) == (mine, other)
        one.close()
        two.close()
        assert current_service.get() is None

    def test_send(self) -> None:
        """What the consumer sends arrives."""
        generator = talk([])
        assert ["first", 1, None, 2] == [next(generator), *map(generator.send, [1, None, 2])]
        generator.close()

    def test_return_value(self) -> None:
        """What the generator returns is the value of ``yield from``."""

        def outer(seen: list[Any]) -> Generator[Any, Any, str]:
            result = yield from talk(seen)
            seen.append(current_service.get())
            return result.upper()

        seen: list[Any] = []
        generator = outer(seen)
        next(generator)
        with pytest.raises(StopIteration) as end:
            generator.send("end")
        assert "RETURNED" == end.value.value
        assert ["A.B", ("closed", "A.B"), None] == seen

    def test_throw_caught(self) -> None:
        """An error thrown in is raised at the yield, and the generator may go on."""
        seen: list[Any] = []
        generator = talk(seen)
        next(generator)
        assert "went on" == generator.throw(Refused("why"))
        assert ["A.B", ("A.B", "why"), "A.B"] == seen
        generator.close()

    @pytest.mark.parametrize("error", [KeyError("x"), KeyboardInterrupt()])
    def test_throw_not_caught(self, error: BaseException) -> None:
        """An error that the generator does not catch comes back, the very same."""
        seen: list[Any] = []
        generator = talk(seen)
        next(generator)
        with pytest.raises(type(error)) as caught:
            generator.throw(error)
        assert error is caught.value
        assert ("closed", "A.B") == seen[-1]
        assert [] == list(generator)
        assert current_service.get() is None

    def test_throw_stop_iteration(self) -> None:
        """A StopIteration thrown in becomes a RuntimeError, as in every generator (PEP 479)."""
        generator = talk([])
        next(generator)
        with pytest.raises(RuntimeError, match="raised StopIteration"):
            generator.throw(StopIteration("value"))

    def test_throw_at_the_start(self) -> None:
        """An error thrown in before the first step comes back, and ends the generator."""
        seen: list[Any] = []
        generator = talk(seen)
        with pytest.raises(Refused):
            generator.throw(Refused())
        assert ([], []) == (seen, list(generator))

    def test_close(self) -> None:
        """Closing runs the generator's ``finally`` in the scope."""
        seen: list[Any] = []
        generator = talk(seen)
        next(generator)
        generator.close()
        assert ["A.B", ("closed", "A.B")] == seen
        assert current_service.get() is None

    def test_close_ignored(self) -> None:
        """A generator that yields when it is closed is a RuntimeError, as always."""

        @service("A.B")
        def stubborn() -> Iterator[int]:
            with contextlib.suppress(GeneratorExit):
                yield 1
            yield 2

        generator: Any = stubborn()
        next(generator)
        with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
            generator.close()

    def test_abandoned(self) -> None:
        """A generator that nobody holds is closed in the scope."""
        seen: list[Any] = []
        generator = talk(seen)
        next(generator)
        del generator
        gc.collect()
        assert ["A.B", ("closed", "A.B")] == seen
        assert current_service.get() is None

    def test_own_error(self) -> None:
        """The generator's own error comes through."""

        @service("A.B")
        def failing() -> Iterator[int]:
            yield 1
            raise KeyError("mine")

        generator = failing()
        assert 1 == next(generator)
        with pytest.raises(KeyError, match="mine"):
            next(generator)
        assert current_service.get() is None

    def test_as_context_manager(self) -> None:
        """``contextlib.contextmanager`` on top works, and its block is outside of the scope."""

        @contextlib.contextmanager
        @service("A.B")
        def opened(seen: list[Any]) -> Iterator[str]:
            seen.append(current_service.get())
            try:
                yield "value"
            finally:
                seen.append(current_service.get())

        seen: list[Any] = []
        with contextlib.suppress(Refused), opened(seen) as value:
            seen.append((value, current_service.get()))
            raise Refused
        assert ["A.B", ("value", None), "A.B"] == seen


@service("A.B")
async def stream(seen: list[Any]) -> Any:
    """As ``talk``, with an await in each step."""
    item: Any = "first"
    try:
        while item != "end":
            await asyncio.sleep(0)
            seen.append(current_service.get())
            try:
                item = yield item
            except Refused as error:
                seen.append((current_service.get(), str(error)))
                item = "went on"
    finally:
        await asyncio.sleep(0)
        seen.append(("closed", current_service.get()))


class TestAsyncGenerator:
    def test_kind(self) -> None:
        """It still is an async generator function."""
        assert inspect.isasyncgenfunction(stream)

    def test_consumer_is_outside(self) -> None:
        """Between two yields the consumer's code has its own service, or none."""
        seen: list[Any] = []

        async def consume() -> list[Any]:
            outside: list[Any] = []
            generator = stream(seen)
            async for _ in generator:
                outside.append(current_service.get())
                if len(outside) == 3:
                    break
            await generator.aclose()
            return [*outside, current_service.get()]

        assert [None] * 4 == asyncio.run(consume())
        assert ["A.B", "A.B", "A.B", ("closed", "A.B")] == seen

    def test_send(self) -> None:
        """What the consumer sends arrives, and the end is the end."""

        async def consume() -> list[Any]:
            generator = stream([])
            items = [await generator.__anext__(), await generator.asend(1)]
            with pytest.raises(StopAsyncIteration):
                await generator.asend("end")
            return items

        assert ["first", 1] == asyncio.run(consume())

    def test_throw(self) -> None:
        """An error thrown in is raised at the yield; one that is not caught comes back."""
        seen: list[Any] = []

        async def consume() -> None:
            generator = stream(seen)
            await generator.__anext__()
            assert "went on" == await generator.athrow(Refused("why"))
            with pytest.raises(KeyError, match="other"):
                await generator.athrow(KeyError("other"))
            assert current_service.get() is None

        asyncio.run(consume())
        assert ["A.B", ("A.B", "why"), "A.B", ("closed", "A.B")] == seen

    def test_cancelled_in_a_step(self) -> None:
        """A task that is cancelled while the generator waits leaves the scope."""
        seen: list[Any] = []

        @service("A.B")
        async def wait_for_ever(started: asyncio.Event) -> AsyncIterator[int]:
            started.set()
            try:
                await asyncio.Event().wait()
                yield 1
            finally:
                seen.append(current_service.get())

        async def consume(started: asyncio.Event) -> None:
            try:
                async for _ in wait_for_ever(started):
                    pass
            finally:
                seen.append(current_service.get())

        async def run() -> None:
            started = asyncio.Event()
            task = asyncio.create_task(consume(started))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(run())
        assert ["A.B", None] == seen

    def test_abandoned(self) -> None:
        """A generator that is left halfway is closed by the loop, in the scope."""
        seen: list[Any] = []

        async def consume() -> None:
            async for _ in stream(seen):
                break
            gc.collect()
            for _ in range(20):  # the loop needs some turns to close it
                await asyncio.sleep(0)

        asyncio.run(consume())
        assert ["A.B", ("closed", "A.B")] == seen

    def test_as_context_manager(self) -> None:
        """``contextlib.asynccontextmanager`` on top works, its block outside of the scope."""
        seen: list[Any] = []

        @contextlib.asynccontextmanager
        @service("A.B")
        async def opened() -> AsyncIterator[str]:
            seen.append(current_service.get())
            yield "value"
            seen.append(current_service.get())

        async def run() -> None:
            async with opened() as value:
                seen.append((value, current_service.get()))

        asyncio.run(run())
        assert ["A.B", ("value", None), "A.B"] == seen
