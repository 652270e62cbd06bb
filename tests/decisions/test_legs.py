"""What the running code says of its next connection reaches it, and nobody else."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mxcert_runtime.decisions.current_service import current_service, enter_service, leave_service
from mxcert_runtime.decisions.legs import dialling, dialling_proxy, peek_leg, take_leg


def test_nothing_is_said_at_first() -> None:
    """There is neither a service nor a leg until somebody names one."""
    assert (None, None) == (current_service.get(), peek_leg())


def test_the_leg_holds_inside() -> None:
    """The leg is stated inside the block and gone behind it."""
    with dialling("a.example", 443):
        assert ("a.example", 443) == peek_leg()
    assert peek_leg() is None


def test_legs_nest() -> None:
    """The connection to a proxy is inside the connection through it; the outer leg comes back."""
    with dialling("a.example", 443):
        with dialling("proxy.example", 3128):
            assert ("proxy.example", 3128) == peek_leg()
        assert ("a.example", 443) == peek_leg()


def test_the_leg_goes_with_an_error() -> None:
    """An error inside ends the leg as well, and comes through."""
    with pytest.raises(KeyError), dialling("a.example", 443):
        raise KeyError
    assert peek_leg() is None


def test_threads_do_not_see_it() -> None:
    """Another thread has a leg of its own."""
    seen: list[object] = []
    with dialling("a.example", 443):
        thread = threading.Thread(target=lambda: seen.append(peek_leg()))
        thread.start()
        thread.join()
    assert [None] == seen


def test_a_copied_context_sees_it() -> None:
    """Who carries the context into a worker, as ``asyncio.to_thread`` does, carries the leg."""
    with dialling("a.example", 443):
        context = contextvars.copy_context()
        assert ("a.example", 443) == context.run(peek_leg)


async def _dial(host: str, arrived: list[str], both: asyncio.Event) -> tuple[str, int] | None:
    with dialling(host, 443):
        arrived.append(host)
        if len(arrived) == 2:
            both.set()
        await both.wait()
        return peek_leg()


async def _dial_two() -> list[tuple[str, int] | None]:
    arrived: list[str] = []
    both = asyncio.Event()
    hosts = ("a.example", "b.example")
    legs = await asyncio.gather(*(_dial(host, arrived, both) for host in hosts))
    return [*legs, peek_leg()]


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
    assert ("a.example", 443) == peek_leg()
    generator.close()
    assert peek_leg() is None


def test_services_nest() -> None:
    """The inner service holds until it is left, then the outer one, then none."""
    outer, inner = enter_service("Outer"), enter_service("Inner")
    assert "Inner" == current_service.get()
    leave_service(inner)
    assert "Outer" == current_service.get()
    leave_service(outer)
    assert current_service.get() is None


def test_a_service_is_left_in_its_own_context() -> None:
    """What a copied context enters and leaves does not touch the one it was copied from."""
    outer = enter_service("Outer")
    context = contextvars.copy_context()
    inner = context.run(enter_service, "Inner")
    assert ("Outer", "Inner") == (current_service.get(), context.run(current_service.get))
    leave_service(outer)
    context.run(leave_service, inner)
    assert (None, "Outer") == (current_service.get(), context.run(current_service.get))


def test_a_leg_is_for_one_connection() -> None:
    """Once taken it is spent, also for who looks at it in the same block."""
    with dialling("a.example", 443):
        assert ("a.example", 443) == take_leg()
        assert (None, None) == (take_leg(), peek_leg())


def test_a_copied_context_outlives_no_leg() -> None:
    """A callback that keeps the context of the block does not go by its leg afterwards."""
    with dialling("a.example", 443):
        kept = contextvars.copy_context()
    assert kept.run(peek_leg) is None


@pytest.mark.parametrize("state", [dialling, dialling_proxy])
def test_a_coroutine_is_closed_in_another_context(state: Any) -> None:
    """A leg that is stated in one context ends in any, and nothing is raised."""

    async def dial() -> None:
        with state("a.example", 443):
            await asyncio.Future(loop=loop)

    loop, coroutine, context = asyncio.new_event_loop(), dial(), contextvars.copy_context()
    context.run(coroutine.send, None)
    assert ("a.example", 443) == context.run(peek_leg)
    coroutine.close()
    assert (None, None) == (peek_leg(), context.run(peek_leg))
    loop.close()


def test_a_proxy_knows_no_service() -> None:
    """On the leg to a proxy the service is hidden, and it is back behind it."""
    entry = enter_service("A.B")
    with dialling_proxy("proxy.example", 3128):
        assert (None, ("proxy.example", 3128)) == (current_service.get(), peek_leg())
    assert "A.B" == current_service.get()
    leave_service(entry)


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("a.example", "a.example"),
        ("A.Example", "a.example"),
        ("a.example.", "a.example"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("[::1]", "0:0:0:0:0:0:0:1"),
        ("a.example", None),
        (b"a.example", "a.example"),
        (None, "a.example"),
    ],
)
def test_the_leg_is_for_its_own_name(stated: Any, name: str | None) -> None:
    """A connection takes the leg of the name that it verifies, in whatever spelling."""
    with dialling(stated, 443):
        assert ((stated, 443), (stated, 443)) == (peek_leg(name), take_leg(name))


def test_the_leg_is_not_for_another_name() -> None:
    """A connection that verifies another name leaves the leg to the one that it is for."""
    with dialling("a.example", 443):
        assert (None, None) == (peek_leg("b.example"), take_leg("b.example"))
        assert ("a.example", 443) == take_leg("a.example")


def test_a_leg_of_several_attempts() -> None:
    """A library that tries again by itself takes the leg as often, and not once more."""
    with dialling("a.example", 443, attempts=2):
        kept = contextvars.copy_context()
        taken = [take_leg("a.example") for _ in range(3)]
    assert [("a.example", 443), ("a.example", 443), None] == taken
    with dialling("a.example", 443, attempts=2):
        assert kept.run(peek_leg) is None
