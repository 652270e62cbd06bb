"""What the dates of a certificate come to at a moment: all is well, a warning, an error."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..base import dataclass, logger as _logger
from ..errors import Fault
from .identity import Identity, Validity

#: How long before its expiry an identity is warned of.
EXPIRY_WARNING = timedelta(days=30)
#: One that lives no longer is renewed by a machine, at about half of its life, and is warned of
#: only where that has not come: in the last third.
SHORT_LIFE = timedelta(days=7)
#: How long before it a program that runs on is warned, each time once.
_STAGES = (EXPIRY_WARNING, timedelta(days=7), timedelta(days=1))
DATES_REMEDY = "Replace the file by one with a valid certificate"


@dataclass(frozen=True)
class DateProblem:
    """What is wrong with the dates of an identity; where it is valid still, only a warning."""

    validity: Validity
    fault: Fault

    def log(self) -> None:
        """Say it: a warning before the expiry, an error outside the validity."""
        is_valid = self.validity is Validity.VALID
        log = _logger.warning if is_valid else _logger.error
        log("%s", self.fault)


def examine_dates(identity: Identity, now: datetime) -> DateProblem | None:
    """The problem of an identity at an aware moment; ``None`` where all is well for a time."""
    period = identity.not_before, identity.not_after
    window = warning_window(*period)
    found = describe_dates(f"the identity {identity.name!r}", period, now, window)
    if found is None:
        return None
    validity, problem = found
    return DateProblem(validity, Fault(str(identity.origin), problem, DATES_REMEDY))


def warning_window(begin: datetime, end: datetime, window: timedelta = EXPIRY_WARNING) -> timedelta:
    """How long before its expiry a certificate is warned of; ``window`` is for those that last."""
    life = end - begin
    return window if life > SHORT_LIFE else min(window, life / 3)


def stage_of(identity: Identity, now: datetime) -> int:
    """How many moments have gone by at which its expiry is warned of; it grows until then."""
    left = identity.not_after - now
    return sum(left < each for each in _stages(identity))


def until_next_stage(identity: Identity, now: datetime) -> timedelta | None:
    """When there is something else to say of its dates; ``None``: no more but that it is over."""
    moments = [identity.not_before, identity.not_after]
    moments += [identity.not_after - each for each in _stages(identity)]
    return min((each - now for each in moments if each > now), default=None)


def _stages(identity: Identity) -> tuple[timedelta, ...]:
    window = warning_window(identity.not_before, identity.not_after)
    return _STAGES if window == EXPIRY_WARNING else (window,)


def describe_dates(
    name: str, period: tuple[datetime, datetime], now: datetime, window: timedelta
) -> tuple[Validity, str] | None:
    """How ``name`` stands to an aware moment; ``None``: it is valid for all of ``window``."""
    begin, end = period
    if now < begin:
        return Validity.NOT_YET_VALID, f"{name} is not valid before {_shown(begin)}"
    if now > end:
        return Validity.EXPIRED, f"{name} expired on {_shown(end)}"
    left = end - now
    if left < window:
        return Validity.VALID, f"{name} expires in {_in_words(left)}, on {_shown(end)}"
    return None


def _in_words(left: timedelta) -> str:
    if left >= timedelta(days=1):
        return f"{left.days} days"
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    return f"{hours} h {minutes} min"


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
