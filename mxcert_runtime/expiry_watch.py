"""What the dates of the identities give cause to say: at activation, and then once a day.

Nothing runs in the background, which would outlive forks and count as a thread in programs that
have none. Whoever does something slow anyway, such as a handshake, asks whether a look is due.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .errors import Fault
from .fork_safe_lock import ForkSafeLock
from .identity import Identity, Validity
from .log_guard import is_in_log_handler

_logger = logging.getLogger("mxcert_runtime")

#: How long before its expiry an identity is warned of.
EXPIRY_WARNING = timedelta(days=30)
#: Seconds between two looks.
LOOK_INTERVAL = 24 * 3600.0


@dataclass(frozen=True)
class DateFinding:
    """What is the matter with the dates of an identity; where it serves still, only a warning."""

    validity: Validity
    fault: Fault

    def log(self) -> None:
        """Say it: a warning before the expiry, an error outside the validity."""
        is_valid = self.validity is Validity.VALID
        _logger.log(logging.WARNING if is_valid else logging.ERROR, "%s", self.fault)


def examine_dates(identity: Identity, now: datetime) -> DateFinding | None:
    """The finding for an identity at an aware moment; ``None`` where all is well for 30 days."""
    problem = _describe(identity, now)
    if problem is None:
        return None
    remedy = "Replace the file by one with a valid certificate"
    return DateFinding(identity.validity_at(now), Fault(str(identity.origin), problem, remedy))


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
        finding = examine_dates(identity, now() if now else datetime.now(timezone.utc))
        if finding is not None:
            finding.log()


def _take_turn(moment: float) -> tuple[Identity, ...]:
    """What to look at, for the first caller whose turn it is; nothing for all others."""
    global _due
    with _lock:
        if moment < _due:
            return ()
        _due = moment + LOOK_INTERVAL
        return _watched


def _describe(identity: Identity, now: datetime) -> str | None:
    validity = identity.validity_at(now)
    if validity is Validity.EXPIRED:
        return f"the identity {identity.name!r} expired on {identity.not_after:%Y-%m-%d %H:%M} UTC"
    if validity is Validity.NOT_YET_VALID:
        begin = f"{identity.not_before:%Y-%m-%d %H:%M}"
        return f"the identity {identity.name!r} is not valid before {begin} UTC"
    left = identity.not_after - now
    if left < EXPIRY_WARNING:
        return (
            f"the identity {identity.name!r} expires in {left.days} days, "
            f"on {identity.not_after:%Y-%m-%d %H:%M} UTC"
        )
    return None


_lock = ForkSafeLock()
_watched: tuple[Identity, ...] = ()
_due = math.inf
