"""Connection objects made on several threads at once, hooked beside not hooked."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

from pyperf import perf_counter  # type: ignore[import-untyped]

from .creation import sides_of, wrapping_bio
from .figures import Ratio
from .hooked_contexts import ContextKind, ContextSwitch, Host
from .measure import Amount, Effort, Figure, Timed, alternate
from .workers import by_hand

NAME = "threads"

_THREADS = (1, 2, 8)
#: Several times the interval in which CPython passes its lock on (5 ms), for each thread.
_CHUNKS = 4


def on_threads(timed: Timed, count: int) -> Timed:
    """Spreads the loops over threads that start together; the time is until the last has ended."""

    def spread(loops: int) -> float:
        share = max(1, loops // count)
        barrier = threading.Barrier(count + 1)
        threads = [threading.Thread(target=_after(barrier, timed), args=[share])
                   for _ in range(count)]  # fmt: skip
        for each in threads:
            each.start()
        barrier.wait()
        start = perf_counter()
        for each in threads:
            each.join()
        elapsed: float = perf_counter() - start
        return elapsed * loops / (share * count)

    return spread


def _after(barrier: threading.Barrier, timed: Timed) -> Callable[[int], None]:
    def run(loops: int) -> None:
        barrier.wait()
        timed(loops)

    return run


def _rate(name: str, ratio: Ratio) -> Amount:
    return Amount(name, "per second", tuple(1 / pair.ours for pair in ratio.pairs))


def measure(effort: Effort) -> list[Figure]:
    """A pinned identity on 1, 2 and 8 threads."""
    switch, host = ContextSwitch(), Host.PINNED
    longer = dataclasses.replace(effort, chunk=effort.chunk * _CHUNKS)
    figures: list[Figure] = []
    for count in _THREADS:
        timed = on_threads(wrapping_bio(switch, host), count)
        name = "1 thread" if count == 1 else f"{count} threads"
        sides = sides_of(switch, timed, ContextKind.BUNDLE)
        ratio = alternate(name, *sides, longer)
        figures += [ratio, _rate(f"{name}, hooked connections", ratio)]
    return figures


if __name__ == "__main__":
    by_hand(NAME)
