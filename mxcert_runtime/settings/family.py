"""The ClientCertificates family: five settings that belong together, wherever they stand.

The environment and the self-hosted YAML give candidates for each setting; here they are parsed,
compared with one another, and made identities and rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Optional, TypeVar

from ..base import Secret, dataclass, looks_like_path
from ..identity import AuthorityFile, IdentitySettings, Material, Pkcs12File, is_token_uri
from . import names
from .draft import Draft, Given, Place
from .files import is_path, resolved, shown_path
from .identifiers import rules_of, shown
from .model import RuleKind
from .presence import meant_in_record
from .tokens import name_of, token_entry
from .values import Record, SecretText, json_of, kind_of, secrets_of, texts_of

T = TypeVar("T")
#: a value as it stands in a source; ``None`` where it is named but could not be read
Candidate = Given[Optional[object]]
#: gives the candidates for a setting, by the name that the reference platform has for it; faults
#: of theirs are told by the place
Candidates = Callable[[str, Place], Sequence[Candidate]]
Usages = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Family:
    """The parsed settings; ``None`` is not given, a given ``None`` is given but unusable."""

    certificates: Given[tuple[str, ...] | None] | None
    passwords: Given[tuple[SecretText, ...] | None] | None
    usages: Given[Usages | None] | None
    exempt: Given[tuple[str, ...] | None] | None
    authorities: Given[tuple[str, ...] | None] | None


def family_draft(candidates: Candidates, place: Place) -> Draft:
    """What the family gives; paths in it are relative to the folder of the place."""
    draft = Draft()
    here = place.telling(draft.identity_findings)
    family = Family(
        certificates=_agreed(candidates(names.CERTIFICATES, here), _paths),
        passwords=_agreed(candidates(names.PASSWORDS, here), secrets_of),
        usages=_agreed(candidates(names.USAGES, here), _usages),
        exempt=_agreed(candidates(names.EXEMPT, here), texts_of),
        authorities=_agreed(candidates(names.AUTHORITIES, place.telling(draft.findings)), _paths),
    )
    _add_identities(family, draft)
    _add_usages(family, draft)
    if family.exempt and family.exempt.value:
        never = family.exempt
        draft.rules += rules_of(never.value or (), RuleKind.HOST_OR_SERVICE, None, never.place)
    if family.authorities and family.authorities.value:
        for number, path in enumerate(family.authorities.value, 1):
            at = family.authorities.place.at(f"entry {number}")
            if is_path(path, at):
                draft.authorities.append(AuthorityFile(resolved(path, at), at.origin))
    return draft


def warn_of_near_misses(record: Record, place: Place) -> None:
    """A warning for each key that stands among the platform's settings and was meant for ours."""
    for key in record:
        meant = meant_in_record(key)
        if meant is not None and record[key] is not None:
            problem = f"has the key `{shown(key)}`, which is no setting and changes nothing"
            place.warn(problem, f"Write `{meant}`, if that is meant")


def _agreed(
    candidates: Sequence[Candidate], parse: Callable[[object, Place], T | None]
) -> Given[T | None] | None:
    given = [
        Given(None if one.value is None else parse(one.value, one.place), one.place)
        for one in candidates
    ]
    usable = [one for one in given if one.value is not None]
    for other in usable[1:]:
        if other.value != usable[0].value:
            problem = f"differs from {usable[0].place}, which is the same setting"
            other.place.fault(problem, "Keep one of the two, or make them the same")
    return usable[0] if usable else given[0] if given else None


def _paths(value: object, place: Place) -> tuple[str, ...] | None:
    paths = texts_of(value, place)
    # Every path is looked at, so that every fault is told.
    looks = [is_token_uri(path) or is_path(path, place) for path in paths or ()]
    return paths if all(looks) else None


def _usages(value: object, place: Place) -> Usages | None:
    record = _usage_record(value, place)
    if record is None:
        return None
    for name in record.repeated:
        remedy = "Keep one path for each identifier"
        place.fault(f"names the identifier `{shown(name)}` twice", remedy)
    pairs = [
        (name, path)
        for name, item in record.items()
        if (path := _usage_path(name, item, place)) is not None
    ]
    return tuple(sorted(pairs))


def _usage_record(value: object, place: Place) -> Record | None:
    text = Secret(value) if isinstance(value, str) else value
    if not isinstance(text, Secret):
        if isinstance(value, Record):
            return value
        place.fault(f"is {kind_of(value)}, not a table", "Give a path for each identifier")
        return None
    return json_of(Record, text, place) if text.reveal().strip() else Record()


def _usage_path(name: str, item: object, place: Place) -> str | None:
    # An identifier can have the name of a secret field.
    path = item.reveal() if isinstance(item, Secret) else item
    if isinstance(path, str):
        return path if is_token_uri(path) or is_path(path, place) else None
    problem = f"gives `{shown(name)}` {kind_of(item)} as its path"
    place.fault(problem, 'Write the path in quotes, or `""` for no certificate')
    return None


def _add_identities(family: Family, draft: Draft) -> None:
    certificates = family.certificates
    if certificates is None or certificates.value == ():
        _refuse_lone_passwords(family)
        return
    if certificates.value is None or not _counts_agree(family):
        return
    made: dict[str, IdentitySettings] = {}
    for number, path in enumerate(certificates.value, 1):
        at = certificates.place.at(f"entry {number}")
        identity = _identity(number, path, at, family.passwords)
        if identity is None:
            continue
        if identity.name in made:
            _judge_repetition(made[identity.name], identity, at)
        else:
            made[identity.name] = identity
    draft.identities += made.values()


def _identity(
    number: int, path: str, place: Place, passwords: Given[tuple[SecretText, ...] | None] | None
) -> IdentitySettings | None:
    name, password, at = name_of(path, place), None, None
    material: Material = Pkcs12File(name)
    if passwords is not None and passwords.value is not None:
        password = passwords.value[number - 1]
        at = passwords.place.at(f"entry {number}").origin
    if is_token_uri(path):
        entry = token_entry(path, place)
        if entry is None:
            return None
        material = entry.material
        if not password:
            password, at = entry.pin, entry.pin_origin
    return IdentitySettings(
        name=name, material=material, password=password, origin=place.origin, password_origin=at
    )


def _judge_repetition(first: IdentitySettings, second: IdentitySettings, place: Place) -> None:
    path = f"`{second.name}`" if looks_like_path(second.name) else "the same path"
    problem = f"lists {path} again, which {first.origin} lists"
    if first.password == second.password:
        place.warn(problem, "List each path once")
    else:
        place.fault(f"{problem} with another password", "List each path once")


def _refuse_lone_passwords(family: Family) -> None:
    passwords = family.passwords
    if passwords and passwords.value and any(passwords.value):
        problem = f"holds {_counted(len(passwords.value), 'password')}, but no path is listed"
        remedy = f"List the path of each certificate in {names.CERTIFICATES}, or drop this"
        passwords.place.fault(problem, remedy)


def _counts_agree(family: Family) -> bool:
    certificates, passwords = family.certificates, family.passwords
    if certificates is None or certificates.value is None or passwords is None:
        return True
    if passwords.value is None:
        return False
    if len(certificates.value) == len(passwords.value):
        return True
    passwords.place.fault(
        f"holds {_counted(len(passwords.value), 'password')}, but {certificates.place} holds"
        f" {_counted(len(certificates.value), 'path')}",
        "Give one password for each path, in the same order; a comma inside a password shifts the"
        ' list, write the passwords as a JSON list then, `["one", "two"]`',
    )
    return False


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _add_usages(family: Family, draft: Draft) -> None:
    if family.usages is None:
        return
    place = family.usages.place
    listed = _Listed.of(family.certificates)
    for name, path in family.usages.value or ():
        listed.refuse_other(path, place.at(f"identifier {shown(name)}") if name.strip() else place)
        identity = name_of(path, place) if path else None
        draft.rules += rules_of([name], RuleKind.HOST_OR_SERVICE, identity, place)


@dataclass(frozen=True)
class _Listed:
    """The paths that are listed, and where; ``None`` where they could not be read."""

    paths: dict[str, None] | None
    where: str
    #: those with single backslashes in the place of doubled ones
    halved: frozenset[str]

    @classmethod
    def of(cls, certificates: Given[tuple[str, ...] | None] | None) -> _Listed:
        paths = () if certificates is None else certificates.value
        where = str(certificates.place) if certificates else names.CERTIFICATES
        halved = frozenset(one.replace("\\\\", "\\") for one in paths or ())
        return cls(None if paths is None else dict.fromkeys(paths), where, halved)

    def refuse_other(self, path: str, place: Place) -> None:
        """A fault for a path that is not among them; an empty one is no path."""
        if not path or self.paths is None or path in self.paths:
            return
        problem = f"gives the path {shown_path(path)}, which {self.where} does not list"
        place.fault(problem, self._remedy(path, self.paths, place))

    def _remedy(self, path: str, paths: Iterable[str], place: Place) -> str:
        if path in self.halved:
            return f"Write single backslashes in {names.CERTIFICATES}; only JSON has them doubled"
        close = place.nearest(path, paths)
        if close and looks_like_path(close):
            return f"Write `{close}`, if that is meant: paths are compared exactly, case included"
        return f"List the path in {names.CERTIFICATES} too"
