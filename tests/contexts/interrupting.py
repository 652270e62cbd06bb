"""Does something at each single line of the package that an operation runs, one line after another.

This is what a signal handler may do, and what it or a lack of memory may raise, made to happen at a
known place. Left out is the moment at which a ``with`` statement is left: CPython runs no handler
between the end of the block and the release of a lock that is written in C.
"""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import mxcert_runtime
from tests.support.listener import TIMEOUT

Result = TypeVar("Result")

_PACKAGE = str(Path(mxcert_runtime.__file__).parent)


def in_a_thread(work: Callable[[], Result]) -> Result:
    """What it gives or raises; one that waits for a lock for ever fails the test, and no more."""
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result(TIMEOUT)


class Interruption:
    """Acts when the line with this number is about to run, and only then."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self.has_acted = False
        self._left = number
        self._act = act
        #: the lines of the ``with`` statements that a frame is in; a generator is entered again
        self._inside: dict[FrameType, set[int]] = {}

    def during(self, operation: Callable[[], object]) -> BaseException | None:
        """Run the operation; what it raised, where that is what was done to it.

        In a thread of its own: one that is interrupted on its way out of an ``except`` block takes
        that block's exception for the one at hand as long as it lives (CPython 3.11).
        """
        return in_a_thread(lambda: self._run(operation))

    def _run(self, operation: Callable[[], object]) -> BaseException | None:
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            operation()
        except BaseException as error:
            if not self.has_acted:
                raise
            return error
        finally:
            sys.settrace(before)
        return None

    def _enter(self, frame: FrameType, event: str, argument: object) -> Any:
        if self.has_acted or not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        inside = self._inside.setdefault(frame, set())

        def count(frame: FrameType, event: str, argument: object) -> Any:
            if event != "line" or self.has_acted or _leaves(frame, inside):
                return count
            self._left -= 1
            if not self._left:
                self.has_acted = True
                sys.settrace(None)
                self._act()
            return count

        return count


def _leaves(frame: FrameType, inside: set[int]) -> bool:
    """Whether a ``with`` statement of this frame is left; ``inside``: those that it is in."""
    line = frame.f_lineno
    if not linecache.getline(frame.f_code.co_filename, line).lstrip().startswith("with "):
        return False
    inside ^= {line}
    return line not in inside


def each_line(
    operation: Callable[[], Callable[[], object]], act: Callable[[], None]
) -> list[BaseException | None]:
    """Interrupt fresh runs of what ``operation`` prepares, each one line later than the last.

    What the caller wants to look at after each run belongs into the next preparation, or after
    the operation itself. Gives what each run raised.
    """
    outcomes: list[BaseException | None] = []
    while True:
        interruption = Interruption(len(outcomes) + 1, act)
        outcomes.append(interruption.during(operation()))
        if not interruption.has_acted:
            return outcomes[:-1]
