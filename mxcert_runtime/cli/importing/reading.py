"""Reads settings of Mendix in whatever form they come: the form is told by the text.

They are read by the readers that a program's own settings have, so that they mean the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...base import Secret, dataclass
from ...errors import Fault
from ...settings import Reading, names, read_settings, settings_of_text
from .pasted import is_known, variables_of

_YAML = re.compile(r"^(mxruntime|apiVersion|kind|spec|runtime)[ ]*:", re.MULTILINE)
_ORIGIN = "the text"
_STRUCTURES = ("mxruntime", "runtime", "spec", "apiVersion")
#: what the cloud prints an app's environment under
_ENVIRONMENTS = ("environment_variables", "environment_json")
#: these say where settings are, or whether any count, and are none
_POINTERS = (names.CONFIG, names.DISABLE, names.LOG, names.AUTOSTART)


@dataclass(frozen=True)
class Imported:
    """What was read, in which form, and the names that are no settings of certificates."""

    reading: Reading
    form: str
    others: tuple[str, ...] = ()


def read_source(text: Secret[str]) -> Imported:
    """The settings in a text. Bad input does not raise: it becomes faults of the reading."""
    begun = text.reveal().lstrip("\ufeff \t\r\n")[:1]
    if begun == "{":
        return _json_object(text)
    if begun == "[":
        return _json_list(text)
    if _YAML.search(text.reveal()):
        return Imported(settings_of_text(text, ".yaml"), "YAML")
    return _variables(variables_of(text.reveal()), "names and values")


def _json_object(text: Secret[str]) -> Imported:
    record, fault = _parsed(text)
    if fault is not None:
        return Imported(Reading(faults=(fault,)), "JSON")
    if any(key in record for key in _STRUCTURES):
        return Imported(settings_of_text(text, ".json"), "JSON")
    inside = [record[key] for key in _ENVIRONMENTS if isinstance(record.get(key), dict)]
    pairs = {key: value for each in inside or [record] for key, value in each.items()}
    return _variables({key: _text(value) for key, value in pairs.items()}, "JSON")


def _json_list(text: Secret[str]) -> Imported:
    items, fault = _parsed(text)
    if fault is not None:
        return Imported(Reading(faults=(fault,)), "JSON")
    pairs = [_name_and_value(each) for each in items]
    if all(pairs):
        return _variables({pair[0]: _text(pair[1]) for pair in pairs if pair}, "JSON")
    return _variables({names.INLINE_CERTIFICATES: text.reveal()}, "JSON")


def _parsed(text: Secret[str]) -> tuple[Any, Fault | None]:
    """The value that a JSON text is, or what is wrong with it; nothing of the text is quoted."""
    repeated: list[str] = []

    def record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated.extend(key for key, _ in pairs if is_known(key) and _count(pairs, key) > 1)
        return dict(pairs)

    try:
        value = json.loads(text.reveal(), object_pairs_hook=record)
    except json.JSONDecodeError as error:
        problem = f"is not valid JSON (line {error.lineno}, column {error.colno})"
        return None, Fault(_ORIGIN, problem, "Correct it there; backslashes are doubled in JSON")
    except (ValueError, RecursionError):
        return None, Fault(_ORIGIN, "cannot be read as JSON", "Write it without such depth")
    if not repeated:
        return value, None
    return None, Fault(_ORIGIN, f"holds `{repeated[0]}` twice", "Keep one of the two")


def _count(pairs: Iterable[tuple[str, Any]], key: str) -> int:
    return sum(each == key for each, _ in pairs)


def _name_and_value(item: object) -> tuple[str, Any] | None:
    """Of an entry `{"name": ..., "value": ...}`, in whatever case."""
    fields = {key.lower(): value for key, value in item.items()} if isinstance(item, dict) else {}
    name = fields.get("name")
    return (name, fields.get("value", "")) if isinstance(name, str) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _variables(given: Mapping[str, str], form: str) -> Imported:
    environ = {_renamed(name): value for name, value in given.items() if name not in _POINTERS}
    reading = read_settings(environ, default_file="")
    return Imported(reading, form, tuple(_others(given)))


def _renamed(name: str) -> str:
    # Older releases call the usages so.
    return names.USAGES if name == names.OLDER_USAGES else name


def _others(given: Iterable[str]) -> Iterable[str]:
    return (name for name in given if name in _POINTERS or not is_known(name))
