"""The environment's settings: which variables hold a setting, and that their values agree.

One setting can stand under several names. ``MXRUNTIME_`` wins over CUSTOM_RUNTIME_SETTINGS, as on
the reference platform; any other two names must say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base import Origin, OriginKind, Secret
from . import names
from .draft import Draft, Findings, Given, Place
from .files import is_path, read_value, resolved
from .presence import near_misses
from .scalars import SCALARS, WITH_FILE, Scalar
from .values import Record, SecretText, json_of

if TYPE_CHECKING:
    from .family import Candidate

#: an empty variable is not set, but the password of a single certificate can be empty
_MAY_BE_EMPTY = frozenset(
    {names.PASSWORDS, names.RUNTIME_PREFIX + names.PASSWORDS, names.FAMILY[names.PASSWORDS]}
)
#: every variable in which the family, or a part of it, can stand
_OF_FAMILY = (
    names.CUSTOM,
    *(names.RUNTIME_PREFIX + name for name in names.FAMILY),
    *names.FAMILY,
    *names.FAMILY.values(),
    *(name + names.FILE_SUFFIX for name in names.FAMILY.values()),
)
#: what is read, and so is no mistake
_KNOWN = (*WITH_FILE, *(name + names.FILE_SUFFIX for name in WITH_FILE), names.CONFIG)
_NO_SETTING = "is no setting and changes nothing"


def read(document: Mapping[str, str], place: Place) -> Draft:
    """All that the environment itself gives; the file that it names is not read here."""
    draft = Draft()
    # What reads these is loaded where they are used.
    if any(name in document for name in _OF_FAMILY):
        draft.add(_family_draft(document, place))
    if any(name in document for name in names.INLINE):
        from . import inline

        draft.add(inline.read(document, place))
    here = place.telling(draft.findings)
    _add_scalars(document, here, draft)
    _warn_of_unknown_names(document, here)
    return draft


def _family_draft(document: Mapping[str, str], place: Place) -> Draft:
    from .family import family_draft, warn_of_near_misses

    draft = Draft()
    family = place.elsewhere(place.origin.of_kind(OriginKind.FAMILY))
    at = _variable(names.CUSTOM, family.telling(draft.identity_findings))
    text = document.get(names.CUSTOM, "")
    record = _custom_settings(text, at)
    warn_of_near_misses(record, at)
    custom = record if _mentions_family(text) else Record()

    def candidates(name: str, told: Place) -> list[Candidate]:
        return _family_candidates(name, document, custom, told)

    draft.add(family_draft(candidates, family))
    return draft


def _custom_settings(text: str, place: Place) -> Record:
    # Other things live in that variable too; what does not mention us is not ours to judge.
    if not _mentions_family(text):
        return json_of(Record, Secret(text), place.telling(Findings())) or Record()
    record = json_of(Record, Secret(text), place) or Record()
    for name in filter(names.FAMILY.__contains__, record.repeated):
        place.fault(f"holds `{name}` twice", "Keep one of the two")
    return record


def _mentions_family(text: str) -> bool:
    return any(name in text for name in names.FAMILY)


def _variable(name: str, place: Place) -> Place:
    return place.elsewhere(Origin.variable(name, place.origin.kind))


def _family_candidates(
    name: str, environ: Mapping[str, str], custom: Record, place: Place
) -> list[Candidate]:
    found = _in_variables([names.RUNTIME_PREFIX + name], environ, place)
    if not found and custom.get(name) is not None:
        at = _variable(names.CUSTOM, place).at(name)
        found = [Given(custom[name], at)]
    found += _in_variables([name, names.FAMILY[name]], environ, place)
    return found + _in_named_file(names.FAMILY[name], environ, place)


def _in_variables(among: list[str], environ: Mapping[str, str], place: Place) -> list[Candidate]:
    return [
        Given(Secret(environ[name]), _variable(name, place))
        for name in among
        if _is_set(name, environ)
    ]


def _is_set(name: str, environ: Mapping[str, str]) -> bool:
    return bool(environ.get(name, "").strip()) or (name in environ and name in _MAY_BE_EMPTY)


def _in_named_file(name: str, environ: Mapping[str, str], place: Place) -> list[Candidate]:
    path = environ.get(name + names.FILE_SUFFIX, "")
    if not path:
        return []
    at = _variable(name + names.FILE_SUFFIX, place)
    return [Given(read_value(resolved(path, at), at) if is_path(path, at) else None, at)]


def _add_scalars(environ: Mapping[str, str], place: Place, draft: Draft) -> None:
    for scalar in SCALARS:
        found = _in_variables([scalar.variable], environ, place)
        found += _in_named_file(scalar.variable, environ, place)
        if found:
            draft.scalars[scalar.key] = Given(_value(scalar, found), found[0].place)


def _value(scalar: Scalar, found: list[Candidate]) -> object:
    from .readers import reader_of  # late: many have identities and rules alone

    given = _agreed(found)
    return given and reader_of(scalar).of_text(given.value, given.place)


def _agreed(found: list[Candidate]) -> Given[SecretText] | None:
    given = [Given(one.value, one.place) for one in found if isinstance(one.value, Secret)]
    if len(given) > 1 and given[0].value != given[1].value:
        problem = f"differs from {given[0].place}, which is the same setting"
        given[1].place.fault(problem, "Keep one of the two, or make them the same")
    return given[0] if given else None


def _warn_of_unknown_names(environ: Mapping[str, str], place: Place) -> None:
    ours = [name for name in environ if name.startswith(names.PREFIX)]
    for name in sorted(ours):
        if name in _KNOWN or names.is_ours_elsewhere(name):
            continue
        close = place.nearest(name, (*_KNOWN, *names.OTHER_USES), names.PREFIX)
        remedy = f"Write {close}, if that is meant" if close else "Drop it"
        place.elsewhere(Origin.variable(name)).warn(_NO_SETTING, remedy)
    for name, meant in near_misses(environ):
        at = place.elsewhere(Origin.variable(name))
        at.warn(_NO_SETTING, f"Write {meant}, if that is meant")
    if environ.get(names.DISABLE, "") not in ("", "0", "1"):
        problem = "is neither 1 nor 0 and changes nothing"
        at = place.elsewhere(Origin.variable(names.DISABLE))
        at.warn(problem, "Write 1 to disable everything")
