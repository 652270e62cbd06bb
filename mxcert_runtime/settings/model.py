"""What settings are once they are read: frozen values, each with the place that it came from.

Nothing here reads or checks anything; formats make these values and :mod:`.decisions` uses them.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from ..base import Origin, dataclass
from ..errors import Fault
from ..identity import Authority, IdentitySettings


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


class Watch(Enum):
    """Whether what settings were read from is looked at while they are in force."""

    AUTO = "auto"
    OFF = "off"


class VerifiedServer(Enum):
    """Which identities go to no server that the client does not verify."""

    #: those of rules that pin CAs
    PINNED = "pinned"
    ALL = "all"
    OFF = "off"


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
    require_verified_server: VerifiedServer = VerifiedServer.PINNED
    expired_identities: ExpiredIdentities = ExpiredIdentities.WARN
    #: which hosts a service is: ``(service, hosts)``
    services: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: modules in front of the service names of WSDLs, in the order in which they are tried
    service_prefixes: tuple[str, ...] = ()
    #: whether a bundle that this process has loaded before, unchanged, need not be loaded again
    trust_cache: bool = True
    #: whether, or after how many seconds each, somebody looks for changes of what was read
    watch: Watch | float = Watch.AUTO
    #: whether SIGHUP has the next connection look, where the program has no handler of its own
    sighup: bool = False
    #: whether child Pythons start with the plugin; ``None``: where the environment says so already
    inherit: bool | None = None
    #: the PKCS#11 module by which keys in tokens are reached; ``None`` leaves it to p11-kit
    pkcs11_module: str | None = None
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
    #: what stops nothing, such as ``https://`` in front of a host name
    warnings: tuple[Fault, ...] = ()
    #: where each setting stands that is one value, by its name in the native file
    origins: tuple[tuple[str, Origin], ...] = field(default=(), compare=False)
    #: every settings file, and every file with the value of one setting
    files: tuple[SettingsFile, ...] = field(default=(), compare=False)
