"""Reading all settings: arguments, or the environment and one file, into one :class:`Reading`.

The environment wins over the file setting by setting, but identities and rules belong together:
where the environment gives any of them, those of the file are left aside as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..base import Origin, OriginKind, Secret, process_environ
from ..identity import IdentitySettings
from . import environment, names, native
from .conflicts import distinct_identities, distinct_rules
from .documents import read_record, record_of
from .draft import Draft, Given, Place
from .files import folder_of, is_path, resolved
from .log import log_settings_of
from .model import Reading, Settings
from .presence import is_disabled
from .values import NotReadableError, Record, sealed


def read_process_settings() -> Reading:
    """The settings of this process: its environment and the file that this names."""
    return read_settings(process_environ())


def read_settings(
    environ: Mapping[str, str], *, default_file: str = names.DEFAULT_FILE, folder: str = ""
) -> Reading:
    """The settings that an environment gives, with the file that ``MXCERT_CONFIG`` names.

    Relative paths are relative to ``folder``, or else to the working directory.

    ``default_file`` is read where nothing is named and it exists. Bad input does not raise: it
    becomes faults, and what could be read comes along, so that the caller can add faults of its
    own. With faults, rules may name identities that are not there.
    """
    if is_disabled(environ):
        return Reading()
    place = Place(Origin("environment"), folder, environ)
    draft = environment.read(environ, place)
    file = _file_to_read(place.telling(draft.findings), default_file)
    if file is not None:
        draft = _merged(draft, _file_draft(file), file.value)
    return _reading(draft, place)


def settings_from(
    source: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    folder: str = "",
    name: str = "settings argument",
) -> Reading:
    """The settings in a mapping of the native file's structure; no other settings are read.

    Whoever reads what is wrong with the mapping knows it by its ``name``. Relative paths are
    relative to ``folder``, or else to the working directory. ``pkcs12`` may be the bytes of the
    file themselves, and ``password`` a :class:`~.base.secret.Secret`. ``password_env`` names a
    variable in ``environ``, by default of this process, from which ``MXCERT_LOG`` comes too. Bad
    input does not raise, as in :func:`read_settings`.
    """
    draft = Draft()
    variables = process_environ() if environ is None else environ
    origin = Origin(name, kind=OriginKind.NATIVE)
    place = Place(origin, folder, variables, draft.findings)
    try:
        content = sealed(source)
    except NotReadableError:
        problem = "has too many values or too great a depth, or holds itself"
        place.fault(problem, "Pass a mapping in the structure of the file")
        return _reading(draft, place)
    if isinstance(content, Record):
        draft = native.read(content, place)
    else:
        place.fault("is not a mapping", "Pass a mapping")
    return _reading(draft, place)


def settings_of_text(
    text: Secret[str], extension: str, *, environ: Mapping[str, str] | None = None
) -> Reading:
    """The settings in the text of a file whose name would end in ``extension``.

    No other settings are read, and relative paths stay as they are. Bad input does not raise, as in
    :func:`read_settings`.
    """
    draft = Draft()
    origin = Origin("the text", kind=OriginKind.NATIVE)
    place = Place(origin, environ={} if environ is None else environ, findings=draft.findings)
    document = record_of(text, extension, place)
    if document is not None:
        draft.add(_document_draft(document, place))
    return _reading(draft, place)


def _file_to_read(place: Place, default_file: str) -> Given[str] | None:
    """The path of the settings file, and the place that names it."""
    named = place.environ.get(names.CONFIG, "")
    if named:
        at = place.elsewhere(Origin.variable(names.CONFIG))
        return Given(resolved(named, at), at) if is_path(named, at) else None
    if os.path.lexists(default_file):
        return Given(default_file, place.elsewhere(Origin("default file")))
    return None


def _file_draft(file: Given[str]) -> Draft:
    path, draft = file.value, Draft()
    setting = file.place.telling(draft.findings)
    origin = Origin(path, kind=OriginKind.NATIVE)
    place = replace(setting.elsewhere(origin), folder=folder_of(path))
    document = read_record(path, place, setting)
    if document is not None:
        draft.add(_document_draft(document, place))
    return draft


def _document_draft(document: Record, place: Place) -> Draft:
    read = _foreign_reader(document)
    if read is None:
        return native.read(document, place)
    draft = read(document, place)
    _refuse_mixture(document, place, draft)
    return draft


def _foreign_reader(document: Record) -> Callable[[Record, Place], Draft] | None:
    """What reads the format of others that a document is in; it is loaded then."""
    if names.SELF_HOSTED in document:
        from . import selfhosted

        return selfhosted.read
    if any(mark in document for mark in names.KUBERNETES):
        from . import kubernetes

        return kubernetes.read
    return None


def _refuse_mixture(document: Record, place: Place, draft: Draft) -> None:
    # The foreign formats do not use these names, so somebody expects them to count.
    for key in document:
        if key not in native.KEYS or key in ("ca", "services"):
            continue
        problem = f"has the key `{key}` in a file of another format, where it does not count"
        place.telling(draft.identity_findings).fault(problem, "Write it in a file of its own")
    for key in document.repeated:
        place.telling(draft.findings).fault(f"has the key `{key}` twice", "Keep one of the two")


def _merged(variables: Draft, file: Draft, path: str) -> Draft:
    merged = Draft()
    merged.add(variables)
    merged.authorities = variables.authorities or file.authorities
    merged.scalars = {**file.scalars, **variables.scalars}
    merged.findings.add(file.findings)
    if not variables.gives_identities:
        merged.identities, merged.rules = file.identities, file.rules
        merged.identity_findings.add(file.identity_findings)
    elif file.gives_identities:
        problem = "has identities and rules that are left aside, since the environment gives some"
        place = Place(Origin(path), findings=merged.findings)
        place.warn(problem, "Keep them in one of the two places")
    return merged


def _reading(draft: Draft, place: Place) -> Reading:
    findings = draft.findings
    findings.add(draft.identity_findings)
    identities, name_faults = distinct_identities(draft.identities)
    rules, rule_faults = distinct_rules(draft.rules)
    findings.faults += (*name_faults, *rule_faults)
    given: dict[str, Any] = {
        key: each.value for key, each in draft.scalars.items() if each.value is not None
    }
    settings = Settings(
        _with_module(identities, given.get("pkcs11_module")),
        rules,
        tuple(dict.fromkeys(draft.authorities)),
        log=log_settings_of(place.telling(findings)),
        **given,
    )
    return Reading(
        settings=settings,
        faults=tuple(findings.faults),
        warnings=tuple(findings.warnings),
        origins=tuple((key, each.place.origin) for key, each in draft.scalars.items()),
        files=tuple(findings.files),
    )


def _with_module(
    identities: tuple[IdentitySettings, ...], module: str | None
) -> tuple[IdentitySettings, ...]:
    if module is None:
        return identities
    from .tokens import with_module  # late: few have keys in tokens

    return with_module(identities, module)
