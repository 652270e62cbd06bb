"""The native structure, the same in TOML, JSON, YAML and in a mapping that code passes.

``unlisted_hosts``, ``unnamed_hosts``, ``expired_identities``, ``trust_cache``, ``ca``,
``[[identity]]``, ``[no_certificate]``, ``[services]`` and ``service_prefixes``; whatever else
stands there is a fault: a key that nobody reads protects nobody.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ..base.faults import Origin
from ..base.path_text import hidden_text
from ..base.secret import Secret
from ..identity.sources import (
    Authority,
    AuthorityFile,
    IdentitySettings,
    Material,
    PemFiles,
    Pkcs12File,
    Pkcs12Inline,
)
from .draft import Draft
from .files import is_path, read_value, resolved
from .identifiers import prefixes_of, rules_of, services_of
from .model import ExpiredIdentities, RuleKind, UnlistedHosts, UnnamedHosts
from .table import Table
from .values import Record, choice_of

KEYS = (
    "unlisted_hosts",
    "unnamed_hosts",
    "expired_identities",
    "ca",
    "identity",
    "no_certificate",
    "services",
    "service_prefixes",
    "trust_cache",
)
#: the keys of one value each
SINGLE_KEYS = tuple(key for key in KEYS if key not in ("ca", "identity", "no_certificate"))
#: what people call environment variables, and hardly a password
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*|[a-z]+(_[a-z0-9]+)+")
_PASSWORD_KEYS = ("password", "password_file", "password_env")


def add_native(
    content: Record, origin: Origin, folder: str, environ: Mapping[str, str], draft: Draft
) -> None:
    """Add what a native structure gives; ``environ`` is for ``password_env``."""
    table = Table(content, origin, draft.findings)
    _add_choices(table, draft)
    draft.authorities += _authorities(table, folder)
    draft.origins.update({key: origin.at(key) for key in SINGLE_KEYS if table.has(key)})
    services = table.table("services")
    if services:
        draft.services = services_of(services.record, services.origin, draft.findings)
    if table.has("service_prefixes"):
        draft.service_prefixes = prefixes_of(
            table.texts("service_prefixes"), origin.at("service_prefixes"), draft.findings
        )
    rules_table = table.telling(draft.identity_findings)
    for entry in rules_table.tables("identity"):
        _add_identity(entry, folder, environ, draft)
    never = rules_table.table("no_certificate")
    if never:
        _add_rules(never, None, draft)
        never.refuse_unread()
    table.refuse_unread()


def _add_choices(table: Table, draft: Draft) -> None:
    unlisted = table.text("unlisted_hosts")
    if unlisted:
        at = table.origin.at("unlisted_hosts")
        draft.unlisted_hosts = choice_of(UnlistedHosts, unlisted, at, table.findings)
    unnamed = table.text("unnamed_hosts")
    if unnamed:
        at = table.origin.at("unnamed_hosts")
        draft.unnamed_hosts = choice_of(UnnamedHosts, unnamed, at, table.findings)
    expired = table.text("expired_identities")
    if expired:
        at = table.origin.at("expired_identities")
        draft.expired_identities = choice_of(ExpiredIdentities, expired, at, table.findings)
    draft.trust_cache = table.boolean("trust_cache")


def _authorities(table: Table, folder: str) -> tuple[Authority, ...]:
    at = table.origin.at("ca")
    return tuple(
        AuthorityFile(resolved(folder, path), at)
        for path in table.texts("ca")
        if is_path(path, at, table.findings)
    )


def _add_rules(table: Table, identity: str | None, draft: Draft) -> None:
    for key, kind in (("hosts", RuleKind.HOST), ("services", RuleKind.SERVICE)):
        at = table.origin.at(key)
        draft.rules += rules_of(table.texts(key), kind, identity, at, table.findings)


def _add_identity(entry: Table, folder: str, environ: Mapping[str, str], draft: Draft) -> None:
    # An identity with a fault is left out: it would only lead to further faults.
    faults_before = len(entry.findings.faults)
    given_name = entry.text("name")
    if given_name:
        entry = entry.named(given_name)
    material = _material(entry, folder)
    name = given_name or _derived_name(material) or entry.origin.place
    password = _password(entry, folder, environ)
    authorities = _authorities(entry, folder)
    _add_rules(entry, name, draft)
    entry.refuse_unread()
    if material and len(entry.findings.faults) == faults_before:
        at = next((entry.origin.at(key) for key in _PASSWORD_KEYS if entry.has(key)), None)
        draft.identities.append(
            IdentitySettings(name, material, password, entry.origin, at, authorities)
        )


def _derived_name(material: Material | None) -> str | None:
    files = material.files() if material else ()
    return files[0].path if files else None


def _material(entry: Table, folder: str) -> Material | None:
    given = [key for key in ("pkcs12", "certificate", "key") if entry.has(key)]
    if "pkcs12" in given and len(given) > 1:
        remedy = "Keep `pkcs12`, or `certificate` and `key`"
        entry.findings.fault(entry.origin, "has both a PKCS12 file and PEM files", remedy)
        return None
    if "pkcs12" in given:
        return _pkcs12(entry, folder)
    certificate = _path(entry, "certificate", folder)
    if certificate is None:
        if "certificate" not in given:
            remedy = "Write `pkcs12`, or `certificate` and `key`"
            entry.findings.fault(entry.origin, "has no certificate", remedy)
        return None
    key = _path(entry, "key", folder) if "key" in given else certificate
    return None if key is None else PemFiles(certificate, key)


def _pkcs12(entry: Table, folder: str) -> Material | None:
    content = entry.value("pkcs12")
    if isinstance(content, Secret) and isinstance(content.reveal(), bytes):
        return Pkcs12Inline(content)
    path = _path(entry, "pkcs12", folder)
    return None if path is None else Pkcs12File(path)


def _path(entry: Table, key: str, folder: str) -> str | None:
    path = entry.text(key)
    if path is None or not is_path(path, entry.origin.at(key), entry.findings):
        return None
    return resolved(folder, path)


def _password(entry: Table, folder: str, environ: Mapping[str, str]) -> Secret[str] | None:
    given = [key for key in _PASSWORD_KEYS if entry.has(key)]
    if len(given) > 1:
        problem = "has its password in " + " and in ".join(f"`{key}`" for key in given)
        entry.findings.fault(entry.origin, problem, "Keep one of them")
        return None
    if "password_file" in given:
        path, at = _path(entry, "password_file", folder), entry.origin.at("password_file")
        if path is None:
            return None
        return read_value(path, at, entry.findings, written=entry.text("password_file"))
    if "password_env" in given:
        return _password_in_variable(entry, environ)
    return entry.secret("password")


def _password_in_variable(entry: Table, environ: Mapping[str, str]) -> Secret[str] | None:
    name = entry.text("password_env")
    if name is None or name in environ:
        return None if name is None else Secret(environ[name])
    # Where the password itself was put there, it must not be shown.
    shown = name if _VARIABLE.fullmatch(name) else hidden_text(name)
    problem = f"names the environment variable {shown}, which is not set"
    remedy = "Set it, to nothing if the password is empty"
    entry.findings.fault(entry.origin.at("password_env"), problem, remedy)
    return None


def folder_of(path: str) -> str:
    """The folder that relative paths in a file are relative to."""
    try:
        return os.path.dirname(os.path.abspath(path))
    except (OSError, ValueError):  # the working directory is gone, or a NUL in the path
        return os.path.dirname(path)
