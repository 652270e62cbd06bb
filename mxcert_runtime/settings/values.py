"""Text, JSON and lists to values; whatever may hold a password is a Secret from the first step.

Nothing here raises for bad input, and no fault quotes it: a wrong value gives ``None`` and a fault
with the place, since the text may be somebody's password.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TypeVar

from ..base import Secret
from . import names
from .draft import Findings, Place

_KUBERNETES_LIST = "clientCertificates"
_SECRET_FIELDS = frozenset({"password", "pfx", names.PASSWORDS})


class Record(dict[str, object]):
    """A mapping as it was read, with the keys that stood in it more than once."""

    repeated: tuple[str, ...] = ()


#: the values that are read of one text or mapping at most, and how deep they may be
MOST_VALUES = 50_000
_GREATEST_DEPTH = 50

Structure = TypeVar("Structure", Record, list[object])
Choice = TypeVar("Choice", bound=Enum)
SecretText = Secret[str]


class NotReadableError(ValueError):
    """A value that is parsed has more in it, or a greater depth, than settings need."""


def sealed(value: object, field: str = "") -> object:
    """A copy of a parsed value in which what is secret by its field's name is a Secret.

    Mappings become :class:`Record`; bytes are key material wherever they stand. Raises
    :class:`NotReadableError` past the bounds, which what holds itself reaches as well.
    """
    return _Seal().seal(value, field, 0)


class _Seal:
    """Counts what it copies."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def seal(self, value: object, field: str, depth: int) -> object:
        self._left -= 1
        if self._left < 0 or depth > _GREATEST_DEPTH:
            raise NotReadableError
        if isinstance(value, Mapping):
            return self._seal_record(value, field, depth)
        if isinstance(value, (list, tuple)):
            return [self.seal(item, field, depth + 1) for item in value]
        if isinstance(value, str) and field in _SECRET_FIELDS:
            return Secret(value)
        return Secret(bytes(value)) if isinstance(value, (bytes, bytearray)) else value

    def _seal_record(self, mapping: Mapping[object, object], field: str, depth: int) -> Record:
        record = Record()
        repeated = []
        for key, value in mapping.items():
            name = _key_text(key)
            if name in record:
                repeated.append(name)
            # In the Kubernetes shape `key` is the PKCS12 itself, in the native file it is a path.
            is_material = field == _KUBERNETES_LIST and name == "key"
            record[name] = self.seal(value, "pfx" if is_material else name, depth + 1)
        already = mapping.repeated if isinstance(mapping, Record) else ()
        record.repeated = (*already, *repeated)
        return record


def _key_text(key: object) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, int) and key.bit_length() < 64:
        return str(key)
    return "null" if key is None else f"({kind_of(key)})"


def record_of_pairs(pairs: Sequence[tuple[str, object]]) -> Record:
    """The pairs of a JSON object as a record that knows the keys which stand there twice."""
    record = Record(pairs)
    if len(record) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        record.repeated = tuple(key for key, count in counts.items() if count > 1)
    return record


def json_of(kind: type[Structure], text: SecretText, place: Place) -> Structure | None:
    """The JSON object or list that the text is, sealed; else ``None`` and a fault."""
    try:
        _refuse_too_many(text.reveal().count(",") // 2)
        value = sealed(
            json.loads(text.reveal(), object_pairs_hook=record_of_pairs, parse_int=_parse_integer)
        )
    except json.JSONDecodeError as error:
        # The part before a colon is the rule that is broken; behind it the input may be quoted.
        rule = error.msg.partition(":")[0]
        where = f"line {error.lineno}, column {error.colno}"
        is_bare = kind is Record and not text.reveal().lstrip().startswith("{")
        remedy = _SHAPES["object"] if is_bare else _json_remedy(rule, text, error.pos)
        place.fault(f"is not valid JSON ({where}: {rule})", remedy)
        return None
    except (ValueError, RecursionError):
        place.fault("cannot be read as JSON", "Write it without such depth or length")
        return None
    if isinstance(value, kind):
        return value
    wanted = "list" if kind is list else "object"
    place.fault(f"is {kind_of(value)}, not a JSON {wanted}", _SHAPES[wanted])
    return None


def _refuse_too_many(separators: int) -> None:
    # Before the parser makes them: each entry but the first has a comma before it, and half of
    # them may stand in texts.
    if separators > MOST_VALUES:
        raise NotReadableError


def _parse_integer(text: str) -> int:
    # Python takes time by the square of the digits where it is told not to mind.
    if len(text) > _MOST_DIGITS:
        raise NotReadableError
    return int(text)


_MOST_DIGITS = 1000
_SHAPES = {
    "list": "Write it in brackets, `[...]`",
    "object": 'Write it in braces, `{"name": "value"}`',
}


#: those of Python, and those that word processors make
_OTHER_QUOTES = tuple("'\u2018\u2019\u201c\u201d\u201e")


def _json_remedy(rule: str, text: SecretText, position: int) -> str:
    if "escape" in rule:
        return r"Double the backslashes, as JSON wants them: `D:\\App\\Mx1.pfx`"
    if text.reveal()[position : position + 1] in _OTHER_QUOTES:
        return (
            'Write texts in double quotes, as JSON has them, `"one"`; single ones are the shell\'s'
        )
    return "Correct the JSON there"


def kind_of(value: object) -> str:
    """What a value is, in words that say nothing of its content."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, Secret):
        return "text" if isinstance(value.reveal(), str) else "bytes"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, (list, tuple)) else "a value of another kind"


def choice_of(kind: type[Choice], text: str, place: Place) -> Choice | None:
    """The member of an enumeration that a text names, in whatever case."""
    words = [member.value for member in kind]
    if text.strip().lower() in words:
        return kind(text.strip().lower())
    allowed = " or ".join(f"`{word}`" for word in words)
    place.fault("has a value that is not known", f"Write {allowed}")
    return None


#: the words of a switch, and what they say
SWITCH = {"on": True, "off": False, "1": True, "0": False, "true": True, "false": False}


def switch_of(text: str, place: Place) -> bool | None:
    """Whether a text says on or off, in whatever case."""
    word = text.strip().lower()
    if word not in SWITCH:
        allowed = ", ".join(f"`{each}`" for each in SWITCH)
        place.fault("has a value that is not known", f"Write one of {allowed}")
    return SWITCH.get(word)


def secrets_of(value: object, place: Place) -> tuple[SecretText, ...] | None:
    """The items of a list, which comes as text with commas, as a JSON list or as a list.

    Blanks around the items of a text do not count, and nothing is an escape: a backslash is a
    backslash. A text without a comma is one item, even when it is empty.
    """
    if isinstance(value, str):
        value = Secret(value)
    if isinstance(value, Secret) and isinstance(value.reveal(), str):
        if not _means_json(value.reveal()):
            return _separated(value, place)
        value = _bracketed_list(value, place)
        if value is None:
            return None
    if not isinstance(value, list):
        place.fault(f"is {kind_of(value)}, not a list", "Write a list of texts")
        return None
    return _secret_items(value, place)


def _separated(text: SecretText, place: Place) -> tuple[SecretText, ...] | None:
    if text.reveal().count(",") < MOST_VALUES:
        return tuple(Secret(item.strip()) for item in text.reveal().split(","))
    place.fault(f"has more than {MOST_VALUES:,} entries", "Correct it")
    return None


def _means_json(text: str) -> bool:
    text = text.strip()
    # A lone bracket in front may begin a password; a pair of them, or one with a quote, is JSON.
    return text.startswith("[") and (text.endswith("]") or text[1:].lstrip().startswith('"'))


def _bracketed_list(text: SecretText, place: Place) -> list[object] | None:
    attempt = Findings()
    items = json_of(list, text, place.telling(attempt))
    for fault in attempt.faults:
        also = 'a list with brackets of its own is written as JSON, `["[...]"]`'
        place.fault(fault.problem, f"{fault.remedy}; {also}")
    return items


def _secret_items(items: list[object], place: Place) -> tuple[SecretText, ...] | None:
    texts: list[SecretText] = []
    for number, item in enumerate(items, 1):
        text = Secret(item) if isinstance(item, str) else item
        if isinstance(text, Secret) and isinstance(text.reveal(), str):
            texts.append(text)
        else:
            at, problem = place.at(f"entry {number}"), f"is {kind_of(item)}, not text"
            at.fault(problem, "Write it in quotes")
    return tuple(texts) if len(texts) == len(items) else None


def texts_of(value: object, place: Place) -> tuple[str, ...] | None:
    """The items of a list that holds no secrets; empty ones are dropped, with a warning."""
    items = secrets_of(value, place)
    if items is None:
        return None
    kept = tuple(item.reveal() for item in items if item)
    if kept and len(kept) < len(items):
        place.warn("has an empty entry, which does not count", "Drop the comma")
    return kept
