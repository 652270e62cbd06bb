"""What was read, as the native file: identities by their files, hosts and services told apart.

The platform has one namespace for hosts and services. What can only be one of the two is written as
that; what can be both is written as both, which is what it means there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...base import Secret, parse_pattern
from ...errors import HostNameError
from ...identity import Authority, AuthorityFile, IdentitySettings, Pkcs12File, Pkcs12Inline
from ...settings import SCALARS, Reading, RuleKind, RuleSettings, Settings, reader_of
from ..writing.files import NewFile, file_of_password
from ..writing.native import NativeFile, NativeIdentity, Scalar
from .paths import FolderMap, base_name, is_foreign, is_windows, mapped, suggestion

_MODULE_AND_SERVICE = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*", re.ASCII)
_NO_FILE_NAME = re.compile(r"[^\w.-]+", re.ASCII)
_PLACEHOLDER = "/run/secrets"


class NotCarriedError(Exception):
    """Settings that the native file cannot say; the message says why, and what to do."""


@dataclass
class Carried:
    """What is to be written, and what the user is told of it."""

    file: NativeFile
    #: the old name of each identity, and the new one
    names: dict[str, str]
    files: list[NewFile] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)
    to_fill_in: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Way:
    """How paths are mapped, and where secrets go; without a folder they are left to the user."""

    maps: tuple[FolderMap, ...] = ()
    secrets: str | None = None

    def path(self, old: str) -> str:
        """The path here."""
        return mapped(old, self.maps)


def carry(settings: Settings, way: Way) -> Carried:
    """Carry settings over. Raises :class:`NotCarriedError`."""
    return _Carrying(settings, way).carried()


def shown_origin(origin: object) -> str:
    """A place in what was read, without the words for a running program's settings."""
    return str(origin).removeprefix("environment variable ").removeprefix("the text, ")


def kinds_of(identifier: str) -> tuple[RuleKind, ...]:
    """What an identifier of the shared namespace is in the native file."""
    if not _may_be_host(identifier):
        return (RuleKind.SERVICE,)
    if not _MODULE_AND_SERVICE.fullmatch(identifier):
        return (RuleKind.HOST,)
    # Modules begin with a capital letter, and so do services; hosts are hardly written so.
    is_service = "_" in identifier or any(part[0].isupper() for part in identifier.split("."))
    return (RuleKind.SERVICE,) if is_service else (RuleKind.HOST, RuleKind.SERVICE)


def _may_be_host(identifier: str) -> bool:
    try:
        parse_pattern(identifier)
    except HostNameError:
        return False
    return True


def rules_carried(settings: Settings) -> Iterator[tuple[str, RuleKind, str | None]]:
    """Each rule as the native file has it, with the old name of its identity."""
    for rule in settings.rules:
        is_shared = rule.kind is RuleKind.HOST_OR_SERVICE
        kinds = kinds_of(rule.identifier) if is_shared else (rule.kind,)
        # What looks like a service may be a host all the same, which is to have none either.
        if is_shared and rule.identity is None and _may_be_host(rule.identifier):
            kinds = (RuleKind.HOST, *(each for each in kinds if each is not RuleKind.HOST))
        for kind in kinds:
            yield rule.identifier, kind, rule.identity


class _Carrying:
    def __init__(self, settings: Settings, way: Way) -> None:
        self._settings = settings
        self._way = way
        self._names = dict(_new_names(settings))
        self._rules = list(rules_carried(settings))
        self._files: list[NewFile] = []
        self._taken: list[tuple[str, str]] = []
        self._to_fill_in: list[str] = []

    def carried(self) -> Carried:
        identities = tuple(map(self._identity, self._settings.identities))
        self._refuse_collisions(identities)
        authorities = tuple(
            self._authority(number, each) for number, each in enumerate(self._settings.authorities)
        )
        file = NativeFile(
            identities=identities,
            scalars=tuple(_scalars(self._settings)),
            authorities=authorities,
            never_hosts=self._identifiers(None, RuleKind.HOST),
            never_services=self._identifiers(None, RuleKind.SERVICE),
            services=self._settings.services,
            services_to_fill_in=tuple(self._services_without_hosts()),
        )
        self._tell_rules(file)
        return Carried(file, self._names, self._files, self._taken, self._to_fill_in)

    def _identity(self, old: IdentitySettings) -> NativeIdentity:
        name = self._names[old.name]
        path, comments = self._material(name, old)
        password, password_file = self._password(name, old)
        if password_file is not None and self._way.secrets is None:
            comments.append(f"To fill in: the password into {password_file}, mode 0600")
        self._taken.append((str(old.origin), f"identity `{name}`, {path}"))
        return NativeIdentity(
            name=name,
            material=(("pkcs12", path),),
            password=password,
            password_file=password_file,
            hosts=self._identifiers(old.name, RuleKind.HOST),
            services=self._identifiers(old.name, RuleKind.SERVICE),
            comments=tuple(comments),
        )

    def _material(self, name: str, old: IdentitySettings) -> tuple[str, list[str]]:
        material = old.material
        if isinstance(material, Pkcs12File):
            return self._path(material.path)
        if not isinstance(material, Pkcs12Inline):
            raise NotCarriedError(
                f"{old.origin} names a key in a token, which is written by hand: `key` and"
                " `pin_file` of an [[identity]]. docs/hardware-keys.md has an example."
            )
        path = self._place(f"{name}.p12")
        if self._way.secrets is not None:
            self._files.append(NewFile(path, material.content, is_secret=True))
            return path, []
        return path, [
            self._fill_in(
                f"the PKCS12 of {shown_origin(old.origin)} into {path}, or say --secrets DIR"
            )
        ]

    def _path(self, old: str) -> tuple[str, list[str]]:
        path = self._way.path(old)
        if is_foreign(path):
            return path, [self._fill_in(f"where {path} is on this system: {suggestion(path)}")]
        if not path.startswith("/") and not is_windows(path):
            return path, [self._fill_in(f"the whole path of {path}: it is relative to this file")]
        return path, []

    def _password(self, name: str, old: IdentitySettings) -> tuple[Secret[str] | None, str | None]:
        if not old.password:
            return old.password, None
        path = self._place(f"{name}.pw")
        if self._way.secrets is None:
            at = shown_origin(old.password_origin or old.origin)
            self._fill_in(f"the password of `{name}` ({at}) into {path}, or say --secrets DIR")
        else:
            self._files.append(file_of_password(path, old.password))
        return old.password, path

    def _authority(self, number: int, old: Authority) -> str:
        if isinstance(old, AuthorityFile):
            path, _ = self._path(old.path)
        else:
            path = self._place(f"ca-{number + 1}.pem")
            if self._way.secrets is None:
                at = shown_origin(old.origin)
                self._fill_in(f"the certificates of {at} into {path}, or say --secrets DIR")
            else:
                self._files.append(NewFile.of_text(path, Secret(old.pem)))
        self._taken.append((str(old.origin), f"`ca`, {path}"))
        return path

    def _place(self, name: str) -> str:
        folder = self._way.secrets or _PLACEHOLDER
        return f"{folder.rstrip('/')}/{_NO_FILE_NAME.sub('_', name)}"

    def _fill_in(self, what: str) -> str:
        self._to_fill_in.append(what)
        return f"To fill in: {what}"

    def _identifiers(self, identity: str | None, kind: RuleKind) -> tuple[str, ...]:
        return tuple(name for name, each, owner in self._rules if (each, owner) == (kind, identity))

    def _services_without_hosts(self) -> Iterator[str]:
        known = {name for name, _ in self._settings.services}
        hosts = {name for name, kind, _ in self._rules if kind is RuleKind.HOST}
        for name, kind, identity in self._rules:
            if kind is not RuleKind.SERVICE or name in known or name in hosts or identity is None:
                continue
            self._fill_in(f"the hosts of the service `{name}`, unless the code names the service")
            yield name

    def _tell_rules(self, file: NativeFile) -> None:
        both = {name for name, kind, _ in self._rules if kind is RuleKind.HOST}
        both &= {name for name, kind, _ in self._rules if kind is RuleKind.SERVICE}
        for name, kind, identity in self._rules:
            what = "no certificate" if identity is None else f"identity `{self._names[identity]}`"
            as_both = ", as a host and as a service, since it can be either" if name in both else ""
            if name not in both or kind is RuleKind.HOST:
                self._taken.append((f"{kind.value} {name}", f"{what}{as_both}"))
        self._taken += [(key, str(value)) for key, value in file.scalars]

    def _refuse_collisions(self, identities: Sequence[NativeIdentity]) -> None:
        seen: dict[str, str] = {}
        for each in identities:
            path = dict(each.material)["pkcs12"]
            if path in seen:
                problem = f"`{seen[path]}` and `{each.name}` would both be {path}"
                raise NotCarriedError(f"{problem}. Map their folders to two.")
            seen[path] = each.name


def _new_names(settings: Settings) -> Iterator[tuple[str, str]]:
    """Old and new name of each identity; new ones are those of the files, each once."""
    taken: set[str] = set()
    for number, each in enumerate(settings.identities, 1):
        pins = [rule.identifier for rule in settings.rules if rule.identity == each.name]
        is_file = isinstance(each.material, Pkcs12File)
        name = base_name(each.name) if is_file else (pins or [f"client-{number}"])[0]
        new = _unused(name, taken)
        taken.add(_NO_FILE_NAME.sub("_", new).lower())
        yield each.name, new


def _unused(name: str, taken: set[str]) -> str:
    number, new = 1, name
    # By the names that their files have, also on a disk that takes upper case for lower.
    while _NO_FILE_NAME.sub("_", new).lower() in taken:
        number += 1
        new = f"{name}-{number}"
    return new


def _scalars(settings: Settings) -> Iterator[tuple[str, Scalar | tuple[str, ...]]]:
    """The settings of one value that are not as they are by default."""
    standard = Settings()
    for scalar in SCALARS:
        value = getattr(settings, scalar.key)
        if scalar.key == "services" or value == getattr(standard, scalar.key):
            continue
        yield (
            scalar.key,
            value if isinstance(value, (tuple, float, bool)) else reader_of(scalar).shown(value),
        )


def differences(old: Reading, new: Reading, carried: Carried, way: Way) -> list[str]:
    """In what two readings mean something else, where they should mean the same."""
    found = []
    pairs = zip(old.settings.identities, new.settings.identities)
    if len(old.settings.identities) != len(new.settings.identities):
        found.append("the number of identities")
    for one, other in pairs:
        if one.password != other.password or carried.names[one.name] != other.name:
            found.append(f"the identity `{other.name}`")
        if isinstance(one.material, Pkcs12File) and (
            other.material != Pkcs12File(way.path(one.material.path))
        ):
            found.append(f"the file of `{other.name}`")
    meant = {
        (name, kind, identity and carried.names[identity])
        for name, kind, identity in rules_carried(old.settings)
    }
    if meant != set(map(_meaning, new.settings.rules)):
        found.append("the rules")
    for scalar in SCALARS:
        if getattr(old.settings, scalar.key) != getattr(new.settings, scalar.key):
            found.append(f"`{scalar.key}`")
    return found


def _meaning(rule: RuleSettings) -> tuple[str, RuleKind, str | None]:
    return rule.identifier, rule.kind, rule.identity
