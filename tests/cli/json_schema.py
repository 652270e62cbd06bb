"""As much of JSON Schema as our own schemas use; members that a schema does not name are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TYPES = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}
_KNOWN = {
    *("$schema", "title", "description", "format"),
    *("type", "const", "enum", "required", "properties", "items"),
}


def violations(schema: dict[str, Any], value: Any, path: str = "$") -> Iterator[str]:
    """Each place at which the value is not as the schema says."""
    assert _KNOWN >= set(schema), f"this validator does not know all of {sorted(schema)}"
    if "const" in schema and value != schema["const"]:
        yield f"{path}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "type" in schema and not _is_of_type(schema["type"], value):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif isinstance(value, dict):
        yield from _violations_of_members(schema, value, path)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from violations(schema["items"], item, f"{path}[{number}]")


def _is_of_type(allowed: str | list[str], value: Any) -> bool:
    names = [allowed] if isinstance(allowed, str) else allowed
    return type(value) in [_TYPES[name] for name in names]


def _violations_of_members(
    schema: dict[str, Any], value: dict[str, Any], path: str
) -> Iterator[str]:
    for name in schema["required"]:
        if name not in value:
            yield f"{path}: has no {name}"
    for name, member in value.items():
        if name not in schema["properties"]:
            yield f"{path}: {name} is not in the schema"
        else:
            yield from violations(schema["properties"][name], member, f"{path}.{name}")
