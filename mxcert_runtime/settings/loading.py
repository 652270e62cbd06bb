"""Reading all settings: arguments, or the environment and one file, into one :class:`Reading`.

The environment wins over the file setting by setting, but identities and rules belong together:
where the environment gives any of them, those of the file are left aside as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

from ..base.environ import process_environ
from ..base.faults import Origin
from . import names
from .conflicts import distinct_identities, distinct_rules
from .documents import read_record
from .draft import Draft, Given
from .environment import environment_draft, variable
from .inline import add_kubernetes
from .log import log_settings_of
from .model import ExpiredIdentities, Reading, Settings, UnlistedHosts, UnnamedHosts
from .native import KEYS, add_native, folder_of
from .presence import is_disabled
from .selfhosted import add_selfhosted
from .values import NotReadableError, Record, sealed

T = TypeVar("T")

_KUBERNETES_MARKS = ("runtime", "spec", "apiVersion")


def read_process_settings() -> Reading:
    """The settings of this process: its environment and the file that this names."""
    return read_settings(process_environ())


def read_settings(environ: Mapping[str, str], *, default_file: str = names.DEFAULT_FILE) -> Reading:
    """The settings that an environment gives, with the file that ``MXCERT_CONFIG`` names.

    ``default_file`` is read where nothing is named and it exists. Bad input does not raise: it
    becomes faults, and what could be read comes along, so that the caller can add faults of its
    own. With faults, rules may name identities that are not there.
    """
    if is_disabled(environ):
        return Reading()
    draft = environment_draft(environ)
    file = _file_to_read(environ, default_file)
    if file is not None:
        draft = _merged(draft, _file_draft(file, environ), file.value)
    return _reading(draft, environ)


def settings_from(
    source: Mapping[str, object], *, environ: Mapping[str, str] | None = None
) -> Reading:
    """The settings in a mapping of the native file's structure; no other settings are read.

    Relative paths are relative to the working directory. ``pkcs12`` may be the bytes of the file
    themselves, and ``password`` a :class:`~.base.secret.Secret`. ``password_env`` names
    a variable in ``environ``, by default of this process, from which ``MXCERT_LOG`` comes too.
    Bad input does not raise, as in :func:`read_settings`.
    """
    draft = Draft()
    variables = process_environ() if environ is None else environ
    origin = Origin("settings argument")
    try:
        content = sealed(source)
    except NotReadableError:
        problem = "has too many values or too great a depth, or holds itself"
        draft.findings.fault(origin, problem, "Pass a mapping in the structure of the file")
        return _reading(draft, variables)
    if isinstance(content, Record):
        add_native(content, origin, "", variables, draft)
    else:
        draft.findings.fault(origin, "is not a mapping", "Pass a mapping")
    return _reading(draft, variables)


def _file_to_read(environ: Mapping[str, str], default_file: str) -> Given[str] | None:
    named = environ.get(names.CONFIG, "")
    if named:
        return Given(named, variable(names.CONFIG))
    return Given(default_file, Origin("default file")) if os.path.lexists(default_file) else None


def _file_draft(file: Given[str], environ: Mapping[str, str]) -> Draft:
    draft = Draft()
    path, folder = file.value, folder_of(file.value)
    content = read_record(path, file.origin, draft.findings)
    if content is None:
        return draft
    if "mxruntime" in content:
        add_selfhosted(content, path, folder, draft)
    elif any(mark in content for mark in _KUBERNETES_MARKS):
        add_kubernetes(content, path, draft)
    else:
        add_native(content, Origin(path), folder, environ, draft)
        return draft
    _refuse_mixture(content, path, draft)
    return draft


def _refuse_mixture(content: Record, path: str, draft: Draft) -> None:
    # The foreign formats do not use these names, so somebody expects them to count.
    for key in set(KEYS) & set(content) - {"ca", "services"}:
        problem = f"has the key `{key}` in a file of another format, where it does not count"
        draft.identity_findings.fault(Origin(path), problem, "Write it in a file of its own")
    for key in content.repeated:
        draft.findings.fault(Origin(path), f"has the key `{key}` twice", "Keep one of the two")


def _merged(environment: Draft, file: Draft, path: str) -> Draft:
    merged = Draft(
        environment.identities,
        environment.rules,
        environment.authorities or file.authorities,
        _first(environment.unlisted_hosts, file.unlisted_hosts),
        _first(environment.unnamed_hosts, file.unnamed_hosts),
        _first(environment.expired_identities, file.expired_identities),
        _first(environment.services, file.services),
        _first(environment.service_prefixes, file.service_prefixes),
        _first(environment.trust_cache, file.trust_cache),
        {**file.origins, **environment.origins},
        environment.findings,
        environment.identity_findings,
    )
    merged.findings.add(file.findings)
    if not environment.gives_identities:
        merged.identities, merged.rules = file.identities, file.rules
        merged.identity_findings.add(file.identity_findings)
    elif file.gives_identities:
        problem = "has identities and rules that are left aside, since the environment gives some"
        merged.findings.warning(Origin(path), problem, "Keep them in one of the two places")
    return merged


def _first(value: T | None, other: T | None) -> T | None:
    return other if value is None else value


def _reading(draft: Draft, environ: Mapping[str, str]) -> Reading:
    findings = draft.findings
    findings.add(draft.identity_findings)
    settings = Settings(
        distinct_identities(draft.identities, findings),
        distinct_rules(draft.rules, findings),
        tuple(dict.fromkeys(draft.authorities)),
        draft.unlisted_hosts or UnlistedHosts.OFFER,
        draft.unnamed_hosts or UnnamedHosts.NONE,
        draft.expired_identities or ExpiredIdentities.WARN,
        draft.services or (),
        draft.service_prefixes or (),
        draft.trust_cache is not False,
        log_settings_of(environ, findings),
    )
    return Reading(
        settings,
        tuple(findings.faults),
        tuple(findings.warnings),
        tuple(draft.origins.items()),
        tuple(findings.files),
    )
