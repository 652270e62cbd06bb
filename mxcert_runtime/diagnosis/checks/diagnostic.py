"""A diagnostic: what it is about by a stable code, where it stands, and what to do about it."""

from __future__ import annotations

from enum import Enum

from ...base import dataclass
from ...errors import Fault
from ...identity import Identity


class DiagnosticCode(Enum):
    """What a diagnostic is about. The values are stable: monitoring goes by them."""

    INVALID_SETTINGS = "invalid-settings"
    DISABLED = "disabled"
    NO_SETTINGS = "no-settings"
    UNSUPPORTED_PYTHON = "unsupported-python"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRES_SOON = "expires-soon"
    SETTINGS_WARNING = "settings-warning"
    OFFERED_TO_EVERYONE = "offered-to-everyone"
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
    TOKEN_DOES_NOT_SIGN = "token-does-not-sign"
    CLIENT_NOT_REACHED = "client-not-reached"
    UNKNOWN_VERSION = "unknown-version"
    NOT_INHERITED = "not-inherited"


#: What stops a program or its connections, now or soon; all else may be meant as it is.
_ERRORS = frozenset(
    {
        DiagnosticCode.INVALID_SETTINGS,
        DiagnosticCode.DISABLED,
        DiagnosticCode.NO_SETTINGS,
        DiagnosticCode.UNSUPPORTED_PYTHON,
        DiagnosticCode.EXPIRED,
        DiagnosticCode.NOT_YET_VALID,
        DiagnosticCode.EXPIRES_SOON,
        DiagnosticCode.TOKEN_DOES_NOT_SIGN,
    }
)


@dataclass(frozen=True)
class Diagnostic:
    """One error or warning; ``identity`` is the name of the one concerned."""

    code: DiagnosticCode
    origin: str
    problem: str
    remedy: str
    identity: str | None = None

    @classmethod
    def of_fault(cls, fault: Fault) -> Diagnostic:
        """The error of settings that cannot be used."""
        return cls._of(DiagnosticCode.INVALID_SETTINGS, fault)

    @classmethod
    def of_warning(cls, warning: Fault) -> Diagnostic:
        """The warning that was found while the settings were read."""
        return cls._of(DiagnosticCode.SETTINGS_WARNING, warning)

    @classmethod
    def of_identity(
        cls, identity: Identity, code: DiagnosticCode, problem: str, remedy: str
    ) -> Diagnostic:
        """What is wrong with an identity, where it comes from."""
        return cls(
            code=code,
            origin=str(identity.origin),
            problem=problem,
            remedy=remedy,
            identity=identity.name,
        )

    @classmethod
    def _of(cls, code: DiagnosticCode, told: Fault) -> Diagnostic:
        return cls(code=code, origin=told.origin, problem=told.problem, remedy=told.remedy)

    @property
    def is_error(self) -> bool:
        """Whether a program or its connections fail by it, now or soon, whatever was meant."""
        return self.code in _ERRORS

    def __str__(self) -> str:
        return str(Fault(self.origin, self.problem, self.remedy))

    def as_data(self) -> dict[str, str | None]:
        """As plain data, for JSON."""
        return {
            "code": self.code.value,
            "identity": self.identity,
            "origin": self.origin,
            "problem": self.problem,
            "remedy": self.remedy,
        }
