"""What the running code says of its next connection reaches it, and nobody else."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest

from mxcert_runtime.scope import (
    current_leg,
    current_service,
    dialling,
    enter_service,
    leave_service,
)


def test_nothing_is_said_at_first() -> None:
    """There is neither a service nor a leg until somebody names one."""
    assert (None, None) == (current_service.get(), current_leg.get())


def test_the_leg_holds_inside() -> None:
    """The leg is stated inside the block and gone behind it."""
    with dialling("a.example", 443):
        assert ("a.example", 443) == current_leg.get()
    assert current_leg.get() is None


def test_legs_nest() -> None:
    """The connection to a proxy is inside the connection through it; the outer leg comes back."""
    with dialling("a.example", 443):
        with dialling("proxy.example", 3128):
            assert ("proxy.example", 3128) == current_leg.get()
        assert ("a.example", 443) == current_leg.get()


def test_the_leg_goes_with_an_error() -> None:
    """An error inside ends the leg as well, and comes through."""
    with pytest.raises(KeyError), dialling("a.example", 443):
        raise KeyError
    assert current_leg.get() is None


def test_threads_do_not_see_it() -> None:
    """Another thread has a leg of its own."""
    seen: list[object] = []
    with dialling("a.example", 443):
        thread = threading.Thread(target=lambda: seen.append(current_leg.get()))
        thread.start()
        thread.join()
    assert [None] == seen


def test_a_copied_context_sees_it() -> None:
    """Who carries the context into a worker, as ``asyncio.to_thread`` does, carries the leg."""
    with dialling("a.example", 443):
        context = contextvars.copy_context()
    assert ("a.example", 443) == context.run(current_leg.get)


async def _dial(host: str, arrived: list[str], both: asyncio.Event) -> tuple[str, int] | None:
    with dialling(host, 443):
        arrived.append(host)
        if len(arrived) == 2:
            both.set()
        await both.wait()
        return current_leg.get()


async def _dial_two() -> list[tuple[str, int] | None]:
    arrived: list[str] = []
    both = asyncio.Event()
    hosts = ("a.example", "b.example")
    legs = await asyncio.gather(*(_dial(host, arrived, both) for host in hosts))
    return [*legs, current_leg.get()]


def test_tasks_do_not_see_each_other() -> None:
    """Two tasks that dial at the same time have each its own leg."""
    assert [("a.example", 443), ("b.example", 443), None] == asyncio.run(_dial_two())


def test_generators_do_not_leave_it_behind() -> None:
    """A generator that is closed inside the block ends the leg."""

    def generate() -> Iterator[int]:
        with dialling("a.example", 443):
            yield 1

    generator = generate()
    next(generator)
    assert ("a.example", 443) == current_leg.get()
    generator.close()
    assert current_leg.get() is None


def test_services_nest() -> None:
    """The inner service holds until it is left, then the outer one, then none."""
    enter_service("Outer")
    enter_service("Inner")
    assert "Inner" == current_service.get()
    leave_service()
    assert "Outer" == current_service.get()
    leave_service()
    assert current_service.get() is None


def test_a_service_is_left_in_its_own_context() -> None:
    """What a copied context enters and leaves does not touch the one it was copied from."""
    enter_service("Outer")
    context = contextvars.copy_context()
    context.run(enter_service, "Inner")
    assert ("Outer", "Inner") == (current_service.get(), context.run(current_service.get))
    leave_service()
    context.run(leave_service)
    assert (None, "Outer") == (current_service.get(), context.run(current_service.get))
