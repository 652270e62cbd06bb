"""Whether the dates of an identity give cause to say something, and in which words."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import Fault
from .identity import Identity, Validity

_logger = logging.getLogger("mxcert_runtime")


#: How long before its expiry an identity is warned of.
EXPIRY_WARNING = timedelta(days=30)


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
