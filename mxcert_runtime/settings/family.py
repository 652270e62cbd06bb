"""The ClientCertificates family: five settings that belong together, wherever they stand.

The environment and the self-hosted YAML give candidates for each setting; here they are parsed,
compared with one another, and made identities and rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Optional, TypeVar

from ..base.faults import Origin
from ..base.path_text import looks_like_path
from ..base.secret import Secret
from ..identity.sources import AuthorityFile, IdentitySettings, Pkcs12File
from . import names
from .draft import Draft, Findings, Given
from .files import is_path, resolved, shown_path
from .identifiers import rules_of, shown
from .model import RuleKind
from .presence import meant_in_record
from .values import Record, SecretText, json_of, kind_of, secrets_of, texts_of

T = TypeVar("T")
#: a value as it stands in a source; ``None`` where it is named but could not be read
Candidate = Given[Optional[object]]
#: gives the candidates for a setting, by the name that the reference platform has for it
Candidates = Callable[[str, Findings], Sequence[Candidate]]
Usages = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Family:
    """The parsed settings; ``None`` is not given, a given ``None`` is given but unusable."""

    certificates: Given[tuple[str, ...] | None] | None
    passwords: Given[tuple[SecretText, ...] | None] | None
    usages: Given[Usages | None] | None
    exempt: Given[tuple[str, ...] | None] | None
    authorities: Given[tuple[str, ...] | None] | None


def add_family(candidates: Candidates, folder: str, draft: Draft) -> None:
    """Add what the family gives; paths in it are relative to ``folder``."""
    found = draft.identity_findings
    family = Family(
        _agreed(candidates(names.CERTIFICATES, found), _paths, found),
        _agreed(candidates(names.PASSWORDS, found), secrets_of, found),
        _agreed(candidates(names.USAGES, found), _usages, found),
        _agreed(candidates(names.EXEMPT, found), texts_of, found),
        _agreed(candidates(names.AUTHORITIES, draft.findings), _paths, draft.findings),
    )
    _add_identities(family, folder, draft)
    _add_usages(family, folder, draft)
    if family.exempt and family.exempt.value:
        never = family.exempt
        kind = RuleKind.HOST_OR_SERVICE
        draft.rules += rules_of(never.value or (), kind, None, never.origin, found)
    if family.authorities and family.authorities.value:
        for number, path in enumerate(family.authorities.value, 1):
            origin = family.authorities.origin.at(f"entry {number}")
            draft.authorities.append(AuthorityFile(resolved(folder, path), origin))


def warn_of_near_misses(record: Record, origin: Origin, findings: Findings) -> None:
    """A warning for each key that stands among the platform's settings and was meant for ours."""
    for key in record:
        meant = meant_in_record(key)
        if meant is not None and record[key] is not None:
            problem = f"has the key `{shown(key)}`, which is no setting and changes nothing"
            findings.warning(origin, problem, f"Write `{meant}`, if that is meant")


def _agreed(
    candidates: Sequence[Candidate],
    parse: Callable[[object, Origin, Findings], T | None],
    findings: Findings,
) -> Given[T | None] | None:
    given = [
        Given(None if one.value is None else parse(one.value, one.origin, findings), one.origin)
        for one in candidates
    ]
    usable = [one for one in given if one.value is not None]
    for other in usable[1:]:
        if other.value != usable[0].value:
            problem = f"differs from {usable[0].origin}, which is the same setting"
            findings.fault(other.origin, problem, "Keep one of the two, or make them the same")
    return usable[0] if usable else given[0] if given else None


def _paths(value: object, origin: Origin, findings: Findings) -> tuple[str, ...] | None:
    paths = texts_of(value, origin, findings)
    # Every path is looked at, so that every fault is told.
    looks = [is_path(path, origin, findings) for path in paths or ()]
    return paths if all(looks) else None


def _usages(value: object, origin: Origin, findings: Findings) -> Usages | None:
    record = _usage_record(value, origin, findings)
    if record is None:
        return None
    for name in record.repeated:
        remedy = "Keep one path for each identifier"
        findings.fault(origin, f"names the identifier `{shown(name)}` twice", remedy)
    pairs = [
        (name, path)
        for name, item in record.items()
        if (path := _usage_path(name, item, origin, findings)) is not None
    ]
    return tuple(sorted(pairs))


def _usage_record(value: object, origin: Origin, findings: Findings) -> Record | None:
    text = Secret(value) if isinstance(value, str) else value
    if not isinstance(text, Secret):
        if isinstance(value, Record):
            return value
        findings.fault(
            origin, f"is {kind_of(value)}, not a table", "Give a path for each identifier"
        )
        return None
    return json_of(Record, text, origin, findings) if text.reveal().strip() else Record()


def _usage_path(name: str, item: object, origin: Origin, findings: Findings) -> str | None:
    # An identifier can have the name of a secret field.
    path = item.reveal() if isinstance(item, Secret) else item
    if isinstance(path, str):
        return path if is_path(path, origin, findings) else None
    problem = f"gives `{shown(name)}` {kind_of(item)} as its path"
    findings.fault(origin, problem, 'Write the path in quotes, or `""` for no certificate')
    return None


def _add_identities(family: Family, folder: str, draft: Draft) -> None:
    certificates = family.certificates
    if certificates is None or certificates.value == ():
        _refuse_lone_passwords(family, draft.identity_findings)
        return
    if certificates.value is None or not _counts_agree(family, draft.identity_findings):
        return
    made: dict[str, IdentitySettings] = {}
    for number, path in enumerate(certificates.value, 1):
        identity = _identity(number, resolved(folder, path), certificates, family.passwords)
        if identity.name in made:
            _judge_repetition(made[identity.name], identity, draft.identity_findings)
        else:
            made[identity.name] = identity
    draft.identities += made.values()


def _identity(
    number: int,
    path: str,
    certificates: Given[tuple[str, ...] | None],
    passwords: Given[tuple[SecretText, ...] | None] | None,
) -> IdentitySettings:
    entry = f"entry {number}"
    origin = certificates.origin.at(entry)
    if passwords is None or passwords.value is None:
        return IdentitySettings(path, Pkcs12File(path), None, origin)
    password = passwords.value[number - 1]
    return IdentitySettings(path, Pkcs12File(path), password, origin, passwords.origin.at(entry))


def _judge_repetition(
    first: IdentitySettings, second: IdentitySettings, findings: Findings
) -> None:
    path = f"`{second.name}`" if looks_like_path(second.name) else "the same path"
    problem = f"lists {path} again, which {first.origin} lists"
    if first.password == second.password:
        findings.warning(second.origin, problem, "List each path once")
    else:
        findings.fault(second.origin, f"{problem} with another password", "List each path once")


def _refuse_lone_passwords(family: Family, findings: Findings) -> None:
    passwords = family.passwords
    if passwords and passwords.value and any(passwords.value):
        problem = f"holds {_counted(len(passwords.value), 'password')}, but no path is listed"
        remedy = f"List the path of each certificate in {names.CERTIFICATES}, or drop this"
        findings.fault(passwords.origin, problem, remedy)


def _counts_agree(family: Family, findings: Findings) -> bool:
    certificates, passwords = family.certificates, family.passwords
    if certificates is None or certificates.value is None or passwords is None:
        return True
    if passwords.value is None:
        return False
    if len(certificates.value) == len(passwords.value):
        return True
    findings.fault(
        passwords.origin,
        f"holds {_counted(len(passwords.value), 'password')}, but {certificates.origin} holds"
        f" {_counted(len(certificates.value), 'path')}",
        "Give one password for each path, in the same order; a comma inside a password shifts the"
        ' list, write the passwords as a JSON list then, `["one", "two"]`',
    )
    return False


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _add_usages(family: Family, folder: str, draft: Draft) -> None:
    if family.usages is None:
        return
    usages, findings = family.usages, draft.identity_findings
    listed = _Listed.of(family.certificates)
    for name, path in usages.value or ():
        origin = usages.origin.at(f"identifier {shown(name)}") if name.strip() else usages.origin
        listed.refuse_other(path, origin, findings)
        identity = resolved(folder, path) if path else None
        kind = RuleKind.HOST_OR_SERVICE
        draft.rules += rules_of([name], kind, identity, usages.origin, findings)


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
        where = str(certificates.origin) if certificates else names.CERTIFICATES
        halved = frozenset(one.replace("\\\\", "\\") for one in paths or ())
        return cls(None if paths is None else dict.fromkeys(paths), where, halved)

    def refuse_other(self, path: str, origin: Origin, findings: Findings) -> None:
        """A fault for a path that is not among them; an empty one is no path."""
        if not path or self.paths is None or path in self.paths:
            return
        problem = f"gives the path {shown_path(path)}, which {self.where} does not list"
        findings.fault(origin, problem, self._remedy(path, self.paths, findings))

    def _remedy(self, path: str, paths: Iterable[str], findings: Findings) -> str:
        if path in self.halved:
            return f"Write single backslashes in {names.CERTIFICATES}; only JSON has them doubled"
        close = findings.nearest(path, paths)
        if close and looks_like_path(close):
            return f"Write `{close}`, if that is meant: paths are compared exactly, case included"
        return f"List the path in {names.CERTIFICATES} too"
