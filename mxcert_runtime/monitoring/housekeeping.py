"""What the dates of the identities give cause to say, in a program that runs on.

Nothing runs in the background, which would outlive forks and count as a thread in programs that
have none. Whoever does something slow anyway, such as a handshake, asks whether a look is due.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from ..base import ForkSafeLock
from ..identity import DateProblem, Identity, Validity, examine_dates, stage_of, until_next_stage
from .log_guard import is_in_log_handler

#: Seconds between two looks at most, and after which what is wrong is told again.
LOOK_INTERVAL = 24 * 3600.0
#: Seconds after a moment at which there is something to say, so that it has gone by for sure.
_MARGIN = 1.0


def watch(
    identities: Iterable[Identity],
    elapsed: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] | None = None,
) -> None:
    """Look at these identities from now on, in place of others.

    What there is to say now is said by whoever puts them in force. ``elapsed`` tells seconds that
    only grow: when to look must not depend on a wall clock that somebody sets right.
    """
    global _due, _watched, _told
    moment = now() if now else datetime.now(timezone.utc)
    with _lock:
        _watched = tuple(identities)
        told = _told
        _told = {each.digest: told.get(each.digest, stage_of(each, moment)) for each in _watched}
        _due = elapsed() + _seconds_to_next(_watched, moment) if _watched else math.inf


def look_if_due(
    elapsed: Callable[[], float] = time.monotonic, now: Callable[[], datetime] | None = None
) -> None:
    """Log what the dates of the watched identities give cause to say, if it is time.

    An identity is warned of 30, 7 and 1 days before its expiry, and is an error each day outside
    its validity. Costs one comparison of the clock where it is not time. In each process one caller
    logs; a forked process goes on with the day that its parent has begun. ``now`` tells the wall
    clock's time, which decides about expiry.
    """
    # Within a log handler nothing is logged, and what is due stays due.
    if elapsed() < _due or is_in_log_handler():
        return
    moment = now() if now else datetime.now(timezone.utc)
    for problem in _take_turn(elapsed(), moment):
        problem.log()


def _take_turn(moment: float, now: datetime) -> list[DateProblem]:
    """What is to be said, for the first caller whose turn it is; nothing for all others."""
    global _due
    with _lock:
        if moment < _due:
            return []
        _due = moment + _seconds_to_next(_watched, now)
        found = [_look_at(each, now) for each in _watched]
    return [each for each in found if each is not None]


def _look_at(identity: Identity, now: datetime) -> DateProblem | None:
    problem, stage = examine_dates(identity, now), stage_of(identity, now)
    if problem is None:
        return None
    is_new = stage > _told.get(identity.digest, 0)
    _told[identity.digest] = stage
    return problem if is_new or problem.validity is not Validity.VALID else None


def _seconds_to_next(identities: Iterable[Identity], now: datetime) -> float:
    moments = [until_next_stage(each, now) for each in identities]
    seconds = [each.total_seconds() + _MARGIN for each in moments if each is not None]
    return min([LOOK_INTERVAL, *seconds])


_lock = ForkSafeLock()
_watched: tuple[Identity, ...] = ()
#: by digest, how much of it has been said
_told: dict[str, int] = {}
_due = math.inf
