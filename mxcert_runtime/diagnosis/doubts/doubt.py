"""A doubt: what it is about by a stable code, where it stands, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...errors import Fault


class DoubtCode(Enum):
    """What a doubt is about. The values are stable: monitoring goes by them."""

    DISABLED = "disabled"
    NO_SETTINGS = "no-settings"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRES_SOON = "expires-soon"
    SETTINGS_NOTICE = "settings-notice"
    UNUSED_IDENTITY = "unused-identity"
    SHADOWED_IDENTITY = "shadowed-identity"
    HIDDEN_RULE = "hidden-rule"
    SERVICE_NOT_MAPPED = "service-not-mapped"
    UNUSED_SERVICE_PREFIX = "unused-service-prefix"
    INCOMPLETE_CHAIN = "incomplete-chain"
    WEAK_KEY = "weak-key"
    WEAK_SIGNATURE = "weak-signature"
    UNUSUAL_CERTIFICATE = "unusual-certificate"
    NO_CLIENT_AUTHENTICATION = "no-client-authentication"
    NO_DIGITAL_SIGNATURE = "no-digital-signature"
    READABLE_BY_OTHERS = "readable-by-others"


#: What breaks connections now or soon; all else may be meant as it is.
_PROBLEMS = frozenset(
    {
        DoubtCode.DISABLED,
        DoubtCode.NO_SETTINGS,
        DoubtCode.EXPIRED,
        DoubtCode.NOT_YET_VALID,
        DoubtCode.EXPIRES_SOON,
    }
)


@dataclass(frozen=True)
class Doubt:
    """One thing that gives cause for doubt; ``identity`` is the name of the one concerned."""

    code: DoubtCode
    origin: str
    problem: str
    remedy: str
    identity: str | None = None

    @property
    def is_problem(self) -> bool:
        """Whether connections fail by it, now or soon, whatever was meant."""
        return self.code in _PROBLEMS

    def __str__(self) -> str:
        return str(Fault(self.origin, self.problem, self.remedy))

    def as_data(self) -> dict[str, str | None]:
        """As plain data, for JSON."""
        return {
            "code": self.code.value,
            "grade": "problem" if self.is_problem else "doubt",
            "identity": self.identity,
            "origin": self.origin,
            "problem": self.problem,
            "remedy": self.remedy,
        }
