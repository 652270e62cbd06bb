"""How things are measured: two sides alternately, in one process, again in several processes.

A question is a module of this package with this contract, and its name in `questions.py`::

    NAME = "lookup"                      # the module's own name, as in `--only lookup`
    WORKERS = 1                          # optional: at most so many fresh processes (one where
                                         # the question starts its own)

    def measure(effort: Effort) -> list[Figure]:
        ours = Side("select", statement("select(host, None, None)", select=..., host=...))
        theirs = Side("dict.get", statement("look_up(host)", look_up=..., host=...))
        return [alternate("exact host, 1 rule", ours, theirs, effort)]

    if __name__ == "__main__":
        by_hand(NAME)                    # from .workers

``measure`` runs in a fresh process, several times over in as many processes (each with its own
hash seed), and figures of the same name are joined. It need not clean up what ends with the
process. Names of figures are plain words, the same for every effort: budgets find them by name.

- ``Side(label, timed, prepare)``: ``timed(loops)`` does the operation so many times and returns
  the seconds that took; ``prepare()`` comes before each chunk, outside the timed region
  (activation, warming up). ``statement(...)`` makes a ``timed`` from source text, ``calls(f)``
  from a function without arguments.
- ``alternate(name, ours, theirs, effort)`` gives a ratio. ``loops=1`` where one call is long
  enough by itself (a request); otherwise loops are calibrated to chunks of ``effort.chunk``.
- ``alternate_difference(...)`` gives a difference in seconds, ours minus theirs.
- ``Amount(name, "byte", (value,))`` for what stands beside nothing.
- ``effort.sized(10_000)``: the size of a list or a batch, smaller in the smoke run.
"""

from __future__ import annotations

import gc
import itertools
import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass

from pyperf import perf_counter  # type: ignore[import-untyped]

from .figures import Amount as Amount, Difference, Figure as Figure, Pair, Ratio

#: Does an operation so many times; the result is the seconds that it took.
Timed = Callable[[int], float]

#: For operations that never wait: the time that this thread has the processor. What others run on
#: the machine meanwhile takes time of the clock, but none of this.
processor_clock = time.thread_time

#: How often a statement stands in the body of its loop, so that the loop itself weighs little.
_UNROLLED = 10


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    #: neighbouring pairs for each figure in each process
    pairs: int
    #: fresh processes for each question
    workers: int
    #: seconds that one side of a pair takes, where loops are calibrated
    chunk: float
    #: no list and no batch is longer
    largest: int = 1_000_000

    def sized(self, size: int) -> int:
        """``size``, or what this effort allows."""
        return min(size, self.largest)


FULL = Effort(pairs=15, workers=6, chunk=0.02)
BUDGETS = Effort(pairs=11, workers=4, chunk=0.02)
#: Proves that everything still runs; its figures mean nothing.
SMOKE = Effort(pairs=2, workers=1, chunk=0.0005, largest=20)


def _nothing() -> None:
    """Nothing to prepare."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison."""

    label: str
    timed: Timed
    prepare: Callable[[], object] = _nothing


def statement(code: str, **names: object) -> Timed:
    """Repeats one line of source text that never waits; ``names`` are its global names."""
    timer = timeit.Timer("\n".join([code] * _UNROLLED), timer=processor_clock, globals=dict(names))

    def timed(loops: int) -> float:
        rounds = max(1, loops // _UNROLLED)
        return timer.timeit(rounds) * loops / (rounds * _UNROLLED)

    return timed


def calls(function: Callable[[], object]) -> Timed:
    """Repeats the call of a function, for operations beside which a call weighs nothing."""

    def timed(loops: int) -> float:
        repetitions = itertools.repeat(None, loops)
        start = perf_counter()
        for _ in repetitions:
            function()
        elapsed: float = perf_counter() - start
        return elapsed

    return timed


def alternate(
    name: str, ours: Side, theirs: Side, effort: Effort, *, loops: int | None = None
) -> Ratio:
    """Time for one operation of ours divided by that of theirs, as the median of pairs.

    ``loops`` is how often a chunk does the operation; without it that is calibrated.
    """
    return Ratio(name, ours.label, theirs.label, take_pairs(ours, theirs, effort, loops))


def alternate_difference(
    name: str, ours: Side, theirs: Side, effort: Effort, *, loops: int | None = None
) -> Difference:
    """Time for one operation of ours minus that of theirs, as the median of pairs."""
    return Difference(name, ours.label, theirs.label, take_pairs(ours, theirs, effort, loops))


def take_pairs(ours: Side, theirs: Side, effort: Effort, loops: int | None) -> tuple[Pair, ...]:
    """Values by turns: A B, B A, A B, and so on, so that a drift favours neither."""
    sides = [(side, loops or _calibrate(side, effort.chunk)) for side in (ours, theirs)]
    for side, count in sides:
        _time(side, count)
    gc.collect()
    # What stands already is not gone through at each collection.
    gc.freeze()
    try:
        return tuple(_take_pair(sides, is_swapped=bool(turn % 2)) for turn in range(effort.pairs))
    finally:
        gc.unfreeze()


def _take_pair(sides: list[tuple[Side, int]], *, is_swapped: bool) -> Pair:
    order = (1, 0) if is_swapped else (0, 1)
    values = {each: _time(*sides[each]) for each in order}
    return Pair(values[0], values[1])


def _time(side: Side, loops: int) -> float:
    """Seconds for one operation. The garbage of a chunk is collected before the next one.

    A collection in the middle would fall to whichever side happens to reach the threshold.
    """
    side.prepare()
    gc.collect()
    gc.disable()
    try:
        return side.timed(loops) / loops
    finally:
        gc.enable()


def _calibrate(side: Side, chunk: float) -> int:
    """How often the operation is done within a chunk."""
    side.prepare()
    loops = 1
    while True:
        elapsed = side.timed(loops)
        if elapsed >= chunk / 4:
            return max(1, round(loops * chunk / elapsed))
        loops *= 4
