"""What the dates of the identities give cause to say: at activation, and then once a day.

Nothing runs in the background, which would outlive forks and count as a thread in programs that
have none. Whoever does something slow anyway, such as a handshake, asks whether a look is due.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from ..base.locks import ForkSafeLock
from ..identity.identity import Identity
from ..identity.validity import examine_dates
from .log_guard import is_in_log_handler

_logger = logging.getLogger("mxcert_runtime")

#: Seconds between two looks.
LOOK_INTERVAL = 24 * 3600.0


def watch(identities: Iterable[Identity], elapsed: Callable[[], float] = time.monotonic) -> None:
    """Look at these identities from now on, in place of others; the first look is in a day.

    ``elapsed`` tells seconds that only grow: when to look must not depend on a wall clock that
    somebody sets right.
    """
    global _due, _watched
    with _lock:
        _watched = tuple(identities)
        _due = elapsed() + LOOK_INTERVAL if _watched else math.inf


def look_if_due(
    elapsed: Callable[[], float] = time.monotonic, now: Callable[[], datetime] | None = None
) -> None:
    """Log what the dates of the watched identities give cause to say, if a day has gone by.

    Costs one comparison of the clock where it has not. In each process one caller logs; a forked
    process goes on with the day that its parent has begun. ``now`` tells the wall clock's time,
    which decides about expiry.
    """
    # Within a log handler nothing is logged, and what is due stays due.
    if elapsed() < _due or is_in_log_handler():
        return
    for identity in _take_turn(elapsed()):
        problem = examine_dates(identity, now() if now else datetime.now(timezone.utc))
        if problem is not None:
            problem.log()


def _take_turn(moment: float) -> tuple[Identity, ...]:
    """What to look at, for the first caller whose turn it is; nothing for all others."""
    global _due
    with _lock:
        if moment < _due:
            return ()
        _due = moment + LOOK_INTERVAL
        return _watched


_lock = ForkSafeLock()
_watched: tuple[Identity, ...] = ()
_due = math.inf
