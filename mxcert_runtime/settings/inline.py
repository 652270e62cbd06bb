"""Certificates that stand in the settings themselves: the cloud's JSON and the Kubernetes shape.

What they hold stays in memory: nothing is written out, and nothing of it is ever quoted.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..base.faults import Origin
from ..base.secret import Secret
from ..identity.sources import AuthorityText, IdentitySettings, Pkcs12Inline
from . import names
from .draft import Draft, Findings
from .identifiers import rules_of, shown
from .model import RuleKind
from .presence import meant_in_record
from .table import Table
from .values import Record, SecretText, json_of, kind_of

_BEGIN = "-----BEGIN CERTIFICATE-----"


def add_inline(environ: Mapping[str, str], draft: Draft) -> None:
    """Add the identities and authorities of the cloud's inline variables."""
    if environ.get(names.INLINE_CERTIFICATES, "").strip():
        _add_cloud_certificates(Secret(environ[names.INLINE_CERTIFICATES]), draft)
    _add_authorities(environ, draft)


def _add_cloud_certificates(text: SecretText, draft: Draft) -> None:
    origin = Origin(f"environment variable {names.INLINE_CERTIFICATES}")
    findings = draft.identity_findings
    for number, item in enumerate(json_of(list, text, origin, findings) or [], 1):
        entry = _entry(item, origin.at(f"entry {number}"), findings)
        if entry:
            name = f"{names.INLINE_CERTIFICATES}[{number}]"
            _add_entry(name, entry, _CLOUD, draft)


def add_kubernetes(content: Record, path: str, draft: Draft) -> None:
    """Add the identities of ``runtime.clientCertificates``; the rest of a resource is not ours."""
    findings = draft.identity_findings
    origin = Origin(path, "runtime.clientCertificates")
    for number, item in enumerate(_kubernetes_items(content, origin, findings), 1):
        entry = _entry(item, origin.at(f"entry {number}"), findings)
        if entry:
            name = f"runtime.clientCertificates[{number}]"
            _add_entry(name, entry, _KUBERNETES, draft)


def _kubernetes_items(content: Record, origin: Origin, findings: Findings) -> list[object]:
    inside = [content, content.get("spec")]
    runtimes = [one.get("runtime") for one in inside if isinstance(one, Record)]
    lists = [
        one["clientCertificates"]
        for one in runtimes
        if isinstance(one, Record) and one.get("clientCertificates") is not None
    ]
    for one in runtimes:
        _warn_of_near_misses(one, origin, findings)
    if len(lists) > 1:
        findings.fault(origin, "stands twice, under `spec` and without it", "Keep one of the two")
    if not lists:
        problem = "is not there, so this resource gives no certificates"
        findings.warning(origin, problem, "Add the list, or name another file")
        return []
    if isinstance(lists[0], list):
        return lists[0]
    findings.fault(origin, f"is {kind_of(lists[0])}, not a list", "Write a list of certificates")
    return []


def _warn_of_near_misses(runtime: object, origin: Origin, findings: Findings) -> None:
    for key in runtime if isinstance(runtime, Record) else ():
        if key != "clientCertificates" and meant_in_record(key) == names.CERTIFICATES:
            problem = f"stands there as `{shown(key)}`, which changes nothing"
            findings.warning(origin, problem, "Write `clientCertificates`, if that is meant")


def _entry(item: object, origin: Origin, findings: Findings) -> Table | None:
    if isinstance(item, Record):
        return Table(item, origin, findings)
    findings.fault(origin, f"is {kind_of(item)}, not a table", "Write name and value of each field")
    return None


def _required_password(entry: Table) -> Secret[str] | None:
    if entry.has("password"):
        return entry.secret("password")
    problem = "has no `password`, which is required but may be empty"
    entry.findings.fault(entry.origin, problem, 'Write `"password": ""` if there is none')
    return None


def _encoded_password(entry: Table) -> Secret[str] | None:
    text = entry.secret("password")
    content = None if text is None else _decoded(text)
    password = None if content is None else _utf_8(content)
    origin = entry.origin.at("password")
    if text is not None and password is None:
        entry.findings.fault(origin, "is not the base64 of a text", "Encode it: `base64 -w0`")
    if password is not None and password.reveal().endswith("\n"):
        remedy = "Encode it with `printf %s`, which adds no newline as `echo` does"
        entry.findings.warning(origin, "ends in a newline, which counts", remedy)
    return password


@dataclass(frozen=True)
class _Fields:
    """What an entry calls its parts, and how its password is read."""

    content: str
    pins: str
    password: Callable[[Table], Secret[str] | None]


_CLOUD = _Fields("pfx", "pin_to", _required_password)
_KUBERNETES = _Fields("key", "pinTo", _encoded_password)


def _add_entry(name: str, entry: Table, fields: _Fields, draft: Draft) -> None:
    # An entry with a fault makes no identity: it would only lead to further faults.
    faults_before = len(entry.findings.faults)
    content = _content(entry, fields.content)
    password = fields.password(entry)
    pins = entry.texts(fields.pins)
    entry.refuse_unread()
    if content is not None and len(entry.findings.faults) == faults_before:
        at = None if password is None else entry.origin.at("password")
        material = Pkcs12Inline(content)
        draft.identities.append(IdentitySettings(name, material, password, entry.origin, at))
    kind, origin = RuleKind.HOST_OR_SERVICE, entry.origin.at(fields.pins)
    draft.rules += rules_of(pins, kind, name, origin, entry.findings)


def _content(entry: Table, field: str) -> Secret[bytes] | None:
    if not entry.has(field):
        remedy = "Write the base64 of the PKCS12 file"
        entry.findings.fault(entry.origin, f"has no `{field}`, which is required", remedy)
        return None
    text = entry.secret(field)
    if text is None:
        return None
    content = _decoded(text)
    if content:
        return content
    problem = "is empty" if content is not None else "is not valid base64"
    remedy = "Write the base64 of the PKCS12 file, from `base64 -w0`"
    entry.findings.fault(entry.origin.at(field), problem, remedy)
    return None


def _decoded(text: SecretText) -> Secret[bytes] | None:
    try:
        return Secret(base64.b64decode("".join(text.reveal().split()), validate=True))
    except ValueError:
        return None


def _utf_8(content: Secret[bytes]) -> Secret[str] | None:
    try:
        return Secret(content.reveal().decode())
    except UnicodeDecodeError:
        return None


def _add_authorities(environ: Mapping[str, str], draft: Draft) -> None:
    given = [
        (Origin(f"environment variable {name}"), Secret(environ[name]))
        for name in (names.INLINE_AUTHORITIES, names.INLINE_AUTHORITIES_BASE64)
        if environ.get(name, "").strip()
    ]
    found = []
    for origin, text in given:
        is_plain = "-----BEGIN" in text.reveal() and "BASE64" not in origin.source
        content = None if is_plain else _decoded(text)
        pem = text if is_plain else None if content is None else _utf_8(content)
        if _is_authority_text(pem, origin, draft.findings) and pem is not None:
            found.append(AuthorityText(pem.reveal(), origin))
    if len(found) == 2 and found[0].pem.strip() != found[1].pem.strip():
        problem = f"differs from {found[0].origin}, which is the same setting"
        remedy = "Keep one of the two, or make them the same"
        draft.findings.fault(found[1].origin, problem, remedy)
    draft.authorities += found[:1]


def _is_authority_text(pem: Secret[str] | None, origin: Origin, findings: Findings) -> bool:
    if pem is None:
        remedy = "Write the PEM text, or its base64 from `base64 -w0`"
        findings.fault(origin, "is neither PEM text nor valid base64 of it", remedy)
    elif "PRIVATE KEY-----" in pem.reveal():
        findings.fault(origin, "holds a private key", "Write certificates of authorities alone")
    elif _BEGIN not in pem.reveal():
        findings.fault(origin, "holds no PEM certificate", f"Write text that has `{_BEGIN}`")
    else:
        return True
    return False
