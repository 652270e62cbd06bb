"""How the value of a scalar setting is read, of a variable's text and of the file, and told.

A reader knows both spellings, so that the two sources cannot differ in what they take.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import fields
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

from . import names
from .draft import Place
from .files import is_path, resolved
from .identifiers import prefixes_of, services_of
from .model import Settings, Watch
from .scalars import Scalar
from .shapes import LIST, TEXT, WORD, words
from .table import Table
from .values import SWITCH, Record, SecretText, choice_of, json_of, switch_of, texts_of

Value = TypeVar("Value")
Services = tuple[tuple[str, tuple[str, ...]], ...]


class Reader(Protocol):
    """One kind of value. ``None`` is what cannot be read, and has been told as a fault."""

    def of_text(self, text: SecretText, place: Place) -> object:
        """The value of an environment variable, or of the file that it names."""

    def of_table(self, table: Table, key: str) -> object:
        """The value of a key that the table has."""

    def shown(self, value: Any) -> str:
        """A value as ``check`` shows it; nothing where there is none."""

    def values(self) -> str:
        """What can be written, in Markdown, for the environment."""

    def schema(self) -> dict[str, Any]:
        """JSON Schema of what can be written in the file."""


def reader_of(scalar: Scalar) -> Reader:
    """What reads a scalar setting, which may go by its default."""
    reader: Reader = READERS[scalar.reader](default_of(scalar))
    return reader


def default_of(scalar: Scalar) -> Any:
    """The value where no source says any."""
    return next(each.default for each in fields(Settings) if each.name == scalar.key)


class _Defaulting(Generic[Value]):
    """A reader that goes by the default of its setting."""

    def __init__(self, default: Value) -> None:
        self._default = default


class Choice(_Defaulting[Enum]):
    """One of the words of an enumeration, in whatever case."""

    def of_text(self, text: SecretText, place: Place) -> Enum | None:
        return choice_of(type(self._default), text.reveal(), place)

    def of_table(self, table: Table, key: str) -> Enum | None:
        text = table.text(key)
        return None if text is None else choice_of(type(self._default), text, table.place.at(key))

    def shown(self, value: Enum) -> str:
        return str(value.value)

    def values(self) -> str:
        others = [each for each in type(self._default) if each is not self._default]
        words = [f"`{self._default.value}` (the default)", *(f"`{each.value}`" for each in others)]
        return " or ".join(words)

    def schema(self) -> dict[str, Any]:
        return words(each.value for each in type(self._default))


class _Switching:
    """How on and off are written; in the file true or false too, which YAML has as texts here."""

    def of_text(self, text: SecretText, place: Place) -> bool | None:
        return switch_of(text.reveal(), place)

    def of_table(self, table: Table, key: str) -> bool | None:
        value = table.value(key)
        if isinstance(value, str):
            return switch_of(value, table.place.at(key))
        return table.boolean(key)

    def shown(self, value: Any) -> str:
        return "on" if value else "off"

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "boolean"}, words(SWITCH)]}


class Switch(_Switching, _Defaulting[bool]):
    """On or off."""

    def values(self) -> str:
        words = [self.shown(self._default), self.shown(not self._default)]
        return f"`{words[0]}` (the default) or `{words[1]}`"


class InheritedSwitch(_Switching, _Defaulting[None]):
    """On, off, or neither: then the environment says it by itself."""

    def shown(self, value: bool | None) -> str:
        return f"as {names.AUTOSTART} says" if value is None else super().shown(value)

    def values(self) -> str:
        return f"`on` or `off`; by default {self.shown(None)}"


class ServiceHosts(_Defaulting[Services]):
    """Which hosts a service is."""

    def of_text(self, text: SecretText, place: Place) -> Services:
        return services_of(json_of(Record, text, place) or Record(), place)

    def of_table(self, table: Table, key: str) -> Services | None:
        services = table.table(key)
        return None if services is None else services_of(services.record, services.place)

    def shown(self, value: Services) -> str:
        return "; ".join(f"{service}: {', '.join(hosts)}" for service, hosts in value)

    def values(self) -> str:
        return "JSON object: service → its hosts"

    def schema(self) -> dict[str, Any]:
        text = {"type": "string"}
        hosts = {"anyOf": [text, {"type": "array", "items": text}]}
        return {"type": "object", "propertyNames": WORD, "additionalProperties": hosts}


class Prefixes(_Defaulting[tuple[str, ...]]):
    """Modules in front of the names of services."""

    def of_text(self, text: SecretText, place: Place) -> tuple[str, ...] | None:
        texts = texts_of(text, place)
        return None if texts is None else prefixes_of(texts, place)

    def of_table(self, table: Table, key: str) -> tuple[str, ...]:
        return prefixes_of(table.texts(key), table.place.at(key))

    def shown(self, value: tuple[str, ...]) -> str:
        return "; ".join(value)

    def values(self) -> str:
        return "modules, separated by commas"

    def schema(self) -> dict[str, Any]:
        return LIST


class Interval(_Defaulting[Watch]):
    """A word, or a number of seconds above nothing."""

    def of_text(self, text: SecretText, place: Place) -> Watch | float | None:
        word = text.reveal().strip().lower()
        return _WATCH[word] if word in _WATCH else self._seconds(word, place)

    def of_table(self, table: Table, key: str) -> Watch | float | None:
        value = table.value(key)
        if isinstance(value, str):
            return self.of_text(SecretText(value), table.place.at(key))
        return self._seconds(value, table.place.at(key))

    def _seconds(self, value: object, place: Place) -> float | None:
        is_number = isinstance(value, (int, float, str)) and not isinstance(value, bool)
        # No number is written out: Python refuses to where it has too many digits.
        with suppress(ValueError, OverflowError):
            seconds = float(value) if is_number else 0.0  # type: ignore[arg-type]
            if 0 < seconds < math.inf:
                return seconds
        place.fault("has a value that is not known", _WATCH_REMEDY)
        return None

    def shown(self, value: Watch | float) -> str:
        return value.value if isinstance(value, Watch) else f"every {value:g} s"

    def values(self) -> str:
        return "`auto` (the default: every 5 seconds), `off`, or a number of seconds"

    def schema(self) -> dict[str, Any]:
        seconds = {"type": "number", "exclusiveMinimum": 0}
        return {"anyOf": [seconds, words(_WATCH), {"type": "string", "pattern": _DECIMAL}]}


_WATCH = {each.value: each for each in Watch}
#: a number above nothing that stands in quotes, as it does wherever something fills files in
_DECIMAL = r"^\s*(?=[0-9.]*[1-9])([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*$"
_WATCH_REMEDY = "Write `auto`, `off`, or a number of seconds above 0"


class Path(_Defaulting[None]):
    """A path, relative to the settings file that holds it."""

    def of_text(self, text: SecretText, place: Place) -> str | None:
        path = text.reveal().strip()
        if not path:
            place.fault("is empty", "Write a path, or drop the setting")
            return None
        return resolved(path, place) if is_path(path, place) else None

    def of_table(self, table: Table, key: str) -> str | None:
        return table.path(key)

    def shown(self, value: str | None) -> str:
        return value or ""

    def values(self) -> str:
        return "a path"

    def schema(self) -> dict[str, Any]:
        return TEXT


READERS: dict[str, Any] = {
    "choice": Choice,
    "switch": Switch,
    "inherited_switch": InheritedSwitch,
    "services": ServiceHosts,
    "prefixes": Prefixes,
    "path": Path,
    "watch": Interval,
}
