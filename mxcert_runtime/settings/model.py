"""What settings are once they are read: frozen values, each with the place that it came from.

Nothing here reads or checks anything; formats make these values and :mod:`..runtime` uses them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from ..errors import Fault
from ..secret import Secret


@dataclass(frozen=True)
class Origin:
    """Where a value stands: a variable or a file, and the line or entry in it."""

    source: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.source}, {self.place}" if self.place else self.source

    def at(self, place: str) -> Origin:
        """The origin of a part of this value."""
        return Origin(self.source, f"{self.place}, {place}" if self.place else place)


class UnlistedHosts(Enum):
    """What a host without a rule gets."""

    OFFER = "offer"
    NONE = "none"


class UnnamedHosts(Enum):
    """What a connection gets whose client names no host, where a rule by name may be meant."""

    NONE = "none"
    OFFER = "offer"


class ExpiredIdentities(Enum):
    """What an identity outside its validity means at activation."""

    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Pkcs12File:
    """A PKCS12 file by its path."""

    path: str


@dataclass(frozen=True)
class Pkcs12Inline:
    """The bytes of a PKCS12 file, given in the settings themselves."""

    content: Secret[bytes]


@dataclass(frozen=True)
class PemFiles:
    """A PEM certificate file (leaf and chain) and its key file, which may be the same file."""

    certificate_path: str
    key_path: str


Material = Union[Pkcs12File, Pkcs12Inline, PemFiles]


@dataclass(frozen=True)
class AuthorityFile:
    """A file of one or more PEM certificates of authorities."""

    path: str
    origin: Origin


@dataclass(frozen=True)
class AuthorityText:
    """PEM text of one or more certificates of authorities, given in the settings themselves."""

    pem: str
    origin: Origin


Authority = Union[AuthorityFile, AuthorityText]


@dataclass(frozen=True)
class IdentitySettings:
    """One identity as the settings describe it; ``name`` is unique among them."""

    name: str
    material: Material
    password: Secret[str] | None
    origin: Origin
    password_origin: Origin | None = None
    #: when not empty, these authorities alone count for the hosts of this identity's rules
    authorities: tuple[Authority, ...] = ()


class RuleKind(Enum):
    """What the identifier of a rule can name."""

    HOST = "host"
    SERVICE = "service"
    #: the ClientCertificates family has one namespace for both
    HOST_OR_SERVICE = "host or service"


@dataclass(frozen=True)
class RuleSettings:
    """An identifier and the name of its identity; ``None`` is: never a client certificate."""

    identifier: str
    kind: RuleKind
    identity: str | None
    origin: Origin


class LogLevel(Enum):
    """What is logged: this and all that weighs more. The names are those of ``logging``."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class LogSettings:
    """Where a program that configures no logging has its log; no ``path`` is standard error."""

    level: LogLevel
    path: str | None = None


@dataclass(frozen=True)
class Settings:
    """All settings of one generation. The order of ``identities`` is the order of preference."""

    identities: tuple[IdentitySettings, ...] = ()
    rules: tuple[RuleSettings, ...] = ()
    #: extra authorities, added to default trust
    authorities: tuple[Authority, ...] = ()
    unlisted_hosts: UnlistedHosts = UnlistedHosts.OFFER
    unnamed_hosts: UnnamedHosts = UnnamedHosts.NONE
    expired_identities: ExpiredIdentities = ExpiredIdentities.WARN
    #: which hosts a service is: ``(service, hosts)``
    services: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: modules in front of the service names of WSDLs, in the order in which they are tried
    service_prefixes: tuple[str, ...] = ()
    #: whether a bundle that this process has loaded before, unchanged, need not be loaded again
    trust_cache: bool = True
    #: where the log goes; ``None`` leaves it to the program
    log: LogSettings | None = None

    def __bool__(self) -> bool:
        return bool(self.identities or self.rules or self.authorities)


@dataclass(frozen=True)
class SettingsFile:
    """A file that was read for what it says; ``origin`` is the setting that names it."""

    path: str
    origin: Origin


@dataclass(frozen=True)
class Reading:
    """What reading gave: the settings as far as they could be read, and what is wrong with them."""

    settings: Settings = field(default_factory=Settings)
    faults: tuple[Fault, ...] = ()
    #: doubts that stop nothing, such as ``https://`` in front of a host name
    notices: tuple[Fault, ...] = ()
    #: where each setting stands that is one value, by its name in the native file
    origins: tuple[tuple[str, Origin], ...] = field(default=(), compare=False)
    #: every settings file, and every file with the value of one setting
    files: tuple[SettingsFile, ...] = field(default=(), compare=False)
