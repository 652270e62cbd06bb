"""The environment's settings: which variables hold a setting, and that their values agree.

One setting can stand under several names. ``MXRUNTIME_`` wins over CUSTOM_RUNTIME_SETTINGS, as on
the reference platform; any other two names must say the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..base.faults import Origin
from ..base.secret import Secret
from . import names
from .draft import Draft, Findings, Given
from .family import Candidate, add_family, warn_of_near_misses
from .files import read_value
from .identifiers import prefixes_of, services_of
from .inline import add_inline
from .model import ExpiredIdentities, UnlistedHosts, UnnamedHosts
from .native import SINGLE_KEYS
from .presence import near_misses
from .values import Record, SecretText, choice_of, json_of, switch_of, texts_of

#: an empty variable is not set, but the password of a single certificate can be empty
_MAY_BE_EMPTY = frozenset(
    {names.PASSWORDS, names.RUNTIME_PREFIX + names.PASSWORDS, names.FAMILY[names.PASSWORDS]}
)


def environment_draft(environ: Mapping[str, str]) -> Draft:
    """All that the environment itself gives; the file that it names is not read here."""
    draft = Draft()
    custom = _custom_settings(environ, draft.identity_findings)

    def candidates(name: str, findings: Findings) -> list[Candidate]:
        return _family_candidates(name, environ, custom, findings)

    add_family(candidates, "", draft)
    add_inline(environ, draft)
    _add_single_values(environ, draft)
    _note_origins(environ, draft)
    _warn_of_unknown_names(environ, draft.findings)
    return draft


def variable(name: str) -> Origin:
    """The origin of what stands in an environment variable."""
    return Origin(f"environment variable {name}")


def _custom_settings(environ: Mapping[str, str], findings: Findings) -> Record:
    origin, text = variable(names.CUSTOM), environ.get(names.CUSTOM, "")
    # Other things live in that variable too; what does not mention us is not ours to judge.
    if not any(name in text for name in names.FAMILY):
        record = json_of(Record, Secret(text), origin, Findings()) or Record()
        warn_of_near_misses(record, origin, findings)
        return Record()
    record = json_of(Record, Secret(environ[names.CUSTOM]), origin, findings) or Record()
    for name in set(record.repeated) & set(names.FAMILY):
        findings.fault(origin, f"holds `{name}` twice", "Keep one of the two")
    warn_of_near_misses(record, origin, findings)
    return record


def _family_candidates(
    name: str, environ: Mapping[str, str], custom: Record, findings: Findings
) -> list[Candidate]:
    found = _in_variables([names.RUNTIME_PREFIX + name], environ)
    if not found and custom.get(name) is not None:
        found = [Given(custom[name], variable(names.CUSTOM).at(name))]
    found += _in_variables([name, names.FAMILY[name]], environ)
    return found + _in_named_file(names.FAMILY[name], environ, findings)


def _in_variables(among: list[str], environ: Mapping[str, str]) -> list[Candidate]:
    return [
        Given(Secret(environ[name]), variable(name)) for name in among if _is_set(name, environ)
    ]


def _is_set(name: str, environ: Mapping[str, str]) -> bool:
    return bool(environ.get(name, "").strip()) or (name in environ and name in _MAY_BE_EMPTY)


def _in_named_file(name: str, environ: Mapping[str, str], findings: Findings) -> list[Candidate]:
    path = environ.get(name + names.FILE_SUFFIX, "")
    if not path:
        return []
    origin = variable(name + names.FILE_SUFFIX)
    return [Given(read_value(path, origin, findings), origin)]


def _single_value(
    name: str, environ: Mapping[str, str], findings: Findings
) -> Given[SecretText] | None:
    found = _in_variables([name], environ) + _in_named_file(name, environ, findings)
    given = [Given(one.value, one.origin) for one in found if isinstance(one.value, Secret)]
    if len(given) > 1 and given[0].value != given[1].value:
        problem = f"differs from {given[0].origin}, which is the same setting"
        findings.fault(given[1].origin, problem, "Keep one of the two, or make them the same")
    return given[0] if given else None


def _add_single_values(environ: Mapping[str, str], draft: Draft) -> None:
    findings = draft.findings
    unlisted = _single_value(names.UNLISTED_HOSTS, environ, findings)
    if unlisted:
        text = unlisted.value.reveal()
        draft.unlisted_hosts = choice_of(UnlistedHosts, text, unlisted.origin, findings)
    unnamed = _single_value(names.UNNAMED_HOSTS, environ, findings)
    if unnamed:
        text = unnamed.value.reveal()
        draft.unnamed_hosts = choice_of(UnnamedHosts, text, unnamed.origin, findings)
    expired = _single_value(names.EXPIRED_IDENTITIES, environ, findings)
    if expired:
        text = expired.value.reveal()
        draft.expired_identities = choice_of(ExpiredIdentities, text, expired.origin, findings)
    services = _single_value(names.SERVICES, environ, findings)
    if services:
        record = json_of(Record, services.value, services.origin, findings)
        draft.services = services_of(record or Record(), services.origin, findings)
    prefixes = _single_value(names.SERVICE_PREFIXES, environ, findings)
    if prefixes:
        texts = texts_of(prefixes.value, prefixes.origin, findings)
        draft.service_prefixes = texts and prefixes_of(texts, prefixes.origin, findings)
    trust_cache = _single_value(names.TRUST_CACHE, environ, findings)
    if trust_cache:
        text = trust_cache.value.reveal()
        draft.trust_cache = switch_of(text, trust_cache.origin, findings)


def _note_origins(environ: Mapping[str, str], draft: Draft) -> None:
    for key in SINGLE_KEYS:
        name = names.PREFIX + key.upper()
        set_names = [one for one in (name, name + names.FILE_SUFFIX) if environ.get(one, "")]
        if set_names:
            draft.origins[key] = variable(set_names[0])


_KNOWN = (*names.WITH_FILE, *(name + names.FILE_SUFFIX for name in names.WITH_FILE), names.CONFIG)


_NO_SETTING = "is no setting and changes nothing"


def _warn_of_unknown_names(environ: Mapping[str, str], findings: Findings) -> None:
    ours = [name for name in environ if name.startswith(names.PREFIX)]
    for name in sorted(ours):
        if name in _KNOWN or names.is_ours_elsewhere(name):
            continue
        close = findings.nearest(name, (*_KNOWN, *names.OTHER_USES), names.PREFIX)
        remedy = f"Write {close}, if that is meant" if close else "Drop it"
        findings.warning(variable(name), _NO_SETTING, remedy)
    for name, meant in near_misses(environ):
        findings.warning(variable(name), _NO_SETTING, f"Write {meant}, if that is meant")
    if environ.get(names.DISABLE, "") not in ("", "0", "1"):
        problem = "is neither 1 nor 0 and changes nothing"
        findings.warning(variable(names.DISABLE), problem, "Write 1 to disable everything")
