"""The cloud's variables that hold certificates themselves, as JSON, PEM or the base64 of it."""

from __future__ import annotations

from collections.abc import Mapping

from ..base import Origin, OriginKind, Secret
from ..identity import AuthorityText
from . import names
from .draft import Draft, Place
from .inline_entries import Fields, add_entries, decoded, utf_8
from .table import Table
from .values import SecretText, json_of

_BEGIN = "-----BEGIN CERTIFICATE-----"


def read(document: Mapping[str, str], place: Place) -> Draft:
    """The identities and authorities of these variables."""
    draft = Draft()
    if document.get(names.INLINE_CERTIFICATES, "").strip():
        origin = Origin.variable(names.INLINE_CERTIFICATES, OriginKind.INLINE)
        at = place.elsewhere(origin).telling(draft.identity_findings)
        text = Secret(document[names.INLINE_CERTIFICATES])
        add_entries(json_of(list, text, at) or [], at, _FIELDS, draft)
    draft.authorities += _authorities(document, place.telling(draft.findings))
    return draft


def _required_password(entry: Table) -> Secret[str] | None:
    if entry.has("password"):
        return entry.secret("password")
    problem = "has no `password`, which is required but may be empty"
    entry.place.fault(problem, 'Write `"password": ""` if there is none')
    return None


_FIELDS = Fields("pfx", "pin_to", _required_password)


def _authorities(document: Mapping[str, str], place: Place) -> list[AuthorityText]:
    found = []
    for name in (names.INLINE_AUTHORITIES, names.INLINE_AUTHORITIES_BASE64):
        if document.get(name, "").strip():
            at = place.elsewhere(Origin.variable(name))
            is_encoded = name == names.INLINE_AUTHORITIES_BASE64
            pem = _pem(Secret(document[name]), is_encoded)
            if _is_authority_text(pem, at) and pem is not None:
                found.append((AuthorityText(pem.reveal(), at.origin), at))
    if len(found) == 2 and found[0][0].pem.strip() != found[1][0].pem.strip():
        problem = f"differs from {found[0][1]}, which is the same setting"
        found[1][1].fault(problem, "Keep one of the two, or make them the same")
    return [text for text, _ in found[:1]]


def _pem(text: SecretText, is_encoded: bool) -> SecretText | None:
    if "-----BEGIN" in text.reveal() and not is_encoded:
        return text
    content = decoded(text)
    return None if content is None else utf_8(content)


def _is_authority_text(pem: Secret[str] | None, place: Place) -> bool:
    if pem is None:
        remedy = "Write the PEM text, or its base64 from `base64 -w0`"
        place.fault("is neither PEM text nor valid base64 of it", remedy)
    elif "PRIVATE KEY-----" in pem.reveal():
        place.fault("holds a private key", "Write certificates of authorities alone")
    elif _BEGIN not in pem.reveal():
        place.fault("holds no PEM certificate", f"Write text that has `{_BEGIN}`")
    else:
        return True
    return False
