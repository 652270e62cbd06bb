"""The JSON Schema (draft 2020-12) of what ``mxcert check --json`` prints.

New members may come under the same name of the schema; what is here keeps its meaning.
"""

from __future__ import annotations

from typing import Any

from ...decisions import Choice
from ...diagnosis import DiagnosticCode
from ...identity import Validity
from ...settings import RuleKind
from .report import SCHEMA_NAME

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_NUMBER_OR_NULL = {"type": ["integer", "null"]}
_TEXTS = {"type": "array", "items": _TEXT}
_TIME = {"type": "string", "format": "date-time"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": members}


def _list_of(item: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": item, "description": description}


def _one_of(*values: str) -> dict[str, Any]:
    return {"enum": list(values)}


_SETTING = _object(name=_TEXT, value={**_TEXT, "description": "never a secret"}, origin=_TEXT)
_IDENTITY = _object(
    name=_TEXT,
    origin=_TEXT,
    subject={**_TEXT, "description": "RFC 4514"},
    issuer={**_TEXT, "description": "RFC 4514"},
    alternative_names=_TEXTS,
    key_type={**_TEXT, "description": "such as RSA-2048, EC-secp256r1, Ed25519"},
    key_bits=_NUMBER_OR_NULL,
    signature_algorithm=_TEXT,
    serial={**_TEXT, "description": "hexadecimal"},
    fingerprint={**_TEXT, "description": "SHA-256, hexadecimal"},
    not_before=_TIME,
    not_after=_TIME,
    days_left={**_NUMBER, "description": "whole days, negative after the expiry"},
    validity=_one_of(*(each.value for each in Validity)),
    chain={**_TEXTS, "description": "subjects of the intermediates, the leaf's issuer first"},
    trust_anchor={**_TEXT, "description": "the issuer at the end of the chain"},
    chain_complete={
        "type": ["boolean", "null"],
        "description": "whether that issuer is a root; null where it cannot be known from here",
    },
    token={
        **_object(
            uri={**_TEXT, "description": "RFC 7512, without a PIN"},
            label=_TEXT,
            manufacturer=_TEXT,
            model=_TEXT,
            serial=_TEXT,
            module={**_TEXT, "description": "the PKCS#11 module"},
            mechanisms={**_TEXTS, "description": "those that TLS can sign by"},
        ),
        "type": ["object", "null"],
        "description": "the token that the key is in; null where it is in memory",
    },
)
_RULE = _object(
    kind=_one_of(*(each.value for each in RuleKind)),
    pattern=_TEXT,
    identity={**_TEXT_OR_NULL, "description": "null is: never a client certificate"},
    candidates={**_TEXTS, "description": "of an entry with several keys, as they are tried"},
    pinned_authorities={
        "type": ["array", "null"],
        "items": _TEXT,
        "description": "files of the pinned CAs, if there are such",
    },
    service={**_TEXT_OR_NULL, "description": "the service that brings the rule to this host"},
    origin=_TEXT,
)
_DEFAULT = {
    **_object(
        choice=_one_of(*(each.value for each in Choice)),
        identity=_TEXT_OR_NULL,
        candidates={**_TEXTS, "description": "in the order in which they are tried"},
        reason=_TEXT,
    ),
    "type": ["object", "null"],
    "description": "for endpoints without a rule; null where the settings have faults",
}
_AUTHORITY = _object(
    subject=_TEXT, fingerprint=_TEXT, not_after=_TEXT_OR_NULL, days_left=_NUMBER_OR_NULL
)
_DIAGNOSTIC = _object(
    code={"enum": [each.value for each in DiagnosticCode], "description": "more may come"},
    identity=_TEXT_OR_NULL,
    origin=_TEXT,
    problem=_TEXT,
    remedy=_TEXT,
)

_COUNTS = _list_of(_object(code=_TEXT, count=_NUMBER), "the most frequent first")
_SUMMARY = _object(
    identities=_NUMBER,
    rules=_NUMBER,
    errors=_COUNTS,
    warnings=_COUNTS,
    first_to_end={
        **_object(name=_TEXT, not_after=_TIME, days_left=_NUMBER),
        "type": ["object", "null"],
        "description": "the identity whose certificate ends first",
    },
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": SCHEMA_NAME,
    **_object(
        schema={"const": SCHEMA_NAME},
        ok={"type": "boolean", "description": "true is the exit status 0"},
        checked_at=_TIME,
        expires_within_hours=_NUMBER,
        settings=_list_of(_SETTING, "every setting in effect, defaults included"),
        identities=_list_of(_IDENTITY, "those that could be loaded, in the order of the settings"),
        rules=_list_of(_RULE, "most specific first; empty where the settings have faults"),
        default=_DEFAULT,
        extra_authorities=_list_of(_AUTHORITY, "CAs that join default trust"),
        errors=_list_of(
            _DIAGNOSTIC, "what stops; with any invalid-settings a program does not start"
        ),
        warnings=_list_of(_DIAGNOSTIC, "what stops nothing, and may be meant as it is"),
        ignored={**_TEXTS, "description": "codes that were left out on demand"},
        summary=_SUMMARY,
        shown={**_TEXTS, "description": "the sections that were asked for; others are empty"},
    ),
}
