"""The JSON Schema (draft 2020-12) of the settings file, for editors and for those who generate one.

It says what shape a file has: that a host is one, or that a file can be read, only `mxcert check`
can say. ``mxcert schema`` prints it, as ``python -m mxcert_runtime.settings.schema`` does;
``mxcert.schema.json`` beside this file is what that printed last.
"""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from .readers import reader_of
from .scalars import SCALARS
from .shapes import LIST, PRESENT, TEXT

PUBLISHED = "mxcert.schema.json"

Schema = dict[str, Any]

_HOSTS = {**LIST, "description": "hosts: `host`, `host:port`, `*.domain` or `*.domain:port`"}
_SERVICES = {**LIST, "description": "names of services, such as `Module.Service`"}
_EITHER_OR = (
    *(("pkcs12", "certificate"), ("pkcs12", "key")),
    *(("source", "pkcs12"), ("source", "certificate"), ("source", "key")),
)
_PINS = ("pin_file", "pin_env")
_PASSWORDS = ("password", "password_file", "password_env", *_PINS)


def _told(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


_IDENTITY_KEYS = {
    "name": _told(TEXT, "how it is called; by default as its first file is"),
    "pkcs12": _told(TEXT, "path of a PKCS12 file"),
    "certificate": _told(TEXT, "path of a PEM file with the certificate and its chain"),
    "key": _told(
        TEXT, "path of a PEM file with the key, by default that of the certificate; or pkcs11: URI"
    ),
    "source": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": TEXT},
        "description": "what gives key and certificates while the program runs, and its options",
    },
    "password": _told({"type": "string"}, "the password itself; it may be empty"),
    "password_file": _told(TEXT, "path of a file with the password"),
    "password_env": _told(TEXT, "environment variable with the password"),
    "pin_file": _told(TEXT, "path of a file with the PIN of the token that the key is in"),
    "pin_env": _told(TEXT, "environment variable with that PIN"),
    "hosts": _HOSTS,
    "services": _SERVICES,
    "ca": _told(LIST, "paths of PEM files: the trust anchors of its hosts, and no others"),
}


#: a key that may have its certificate beside it, in the token
_TOKEN_KEY = {"required": ["key"], "properties": {"key": {"pattern": "^[pP][kK][cC][sS]11:"}}}


def settings_schema() -> Schema:
    """The whole schema, made anew."""
    scalars = {each.key: _told(reader_of(each).schema(), each.documentation) for each in SCALARS}
    identity = {"$ref": "#/$defs/identity"}
    keys = {
        **scalars,
        "ca": _told(LIST, "paths of PEM files with CAs that join default trust"),
        "identity": {"anyOf": [identity, {"type": "array", "items": identity}]},
        "no_certificate": _told(
            _table({"hosts": _HOSTS, "services": _SERVICES}), "what never gets a certificate"
        ),
    }
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The settings file of mxcert_runtime",
    }
    return {**head, **_table(keys), "$defs": {"identity": _identity()}}


def _identity() -> Schema:
    rules = [
        {"anyOf": [_has("pkcs12"), _has("certificate"), _has("source"), _TOKEN_KEY]},
        *(_not_both(*pair) for pair in _EITHER_OR),
        *({"anyOf": [{"not": _has(pin)}, _TOKEN_KEY]} for pin in _PINS),
        *(_not_both(*pair) for pair in combinations(_PASSWORDS, 2)),
    ]
    return {**_table(_IDENTITY_KEYS), "allOf": rules}


def _table(keys: Schema) -> Schema:
    """A key with null is one that is not there."""
    properties = {key: _or_null(schema) for key, schema in keys.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _or_null(schema: Schema) -> Schema:
    told = {key: schema[key] for key in ("description",) if key in schema}
    bare = {key: value for key, value in schema.items() if key not in told}
    return {**told, "anyOf": [bare, {"type": "null"}]}


def _has(*keys: str) -> Schema:
    return {"required": list(keys), "properties": dict.fromkeys(keys, PRESENT)}


def _not_both(*keys: str) -> Schema:
    return {"not": _has(*keys)}


def text_of(schema: Schema) -> str:
    """The schema as it is published."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def schema_text() -> str:
    """The schema of this version, as it is published."""
    return text_of(settings_schema())


if __name__ == "__main__":
    print(schema_text(), end="")
