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

from ..secret import Secret
from . import names
from .draft import Findings
from .model import Origin

_KUBERNETES_LIST = "clientCertificates"
_SECRET_FIELDS = frozenset({"password", "pfx", names.PASSWORDS})


class Record(dict[str, object]):
    """A mapping as it was read, with the keys that stood in it more than once."""

    repeated: tuple[str, ...] = ()


Structure = TypeVar("Structure", Record, list[object])
Choice = TypeVar("Choice", bound=Enum)
SecretText = Secret[str]


def sealed(value: object, field: str = "") -> object:
    """A copy of a parsed value in which what is secret by its field's name is a Secret.

    Mappings become :class:`Record`; bytes are key material wherever they stand.
    """
    if isinstance(value, Mapping):
        return _sealed_record(value, field)
    if isinstance(value, (list, tuple)):
        return [sealed(item, field) for item in value]
    if isinstance(value, str) and field in _SECRET_FIELDS:
        return Secret(value)
    return Secret(value) if isinstance(value, bytes) else value


def _sealed_record(mapping: Mapping[object, object], field: str) -> Record:
    record = Record()
    for key, value in mapping.items():
        # In the Kubernetes shape `key` is the PKCS12 itself, in the native file it is a path.
        is_material = field == _KUBERNETES_LIST and key == "key"
        record[str(key)] = sealed(value, "pfx" if is_material else str(key))
    record.repeated = getattr(mapping, "repeated", ())
    return record


def record_of_pairs(pairs: Sequence[tuple[str, object]]) -> Record:
    """The pairs of a JSON object as a record that knows the keys which stand there twice."""
    record = Record(pairs)
    if len(record) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        record.repeated = tuple(key for key, count in counts.items() if count > 1)
    return record


def json_of(
    kind: type[Structure], text: SecretText, origin: Origin, findings: Findings
) -> Structure | None:
    """The JSON object or list that the text is, sealed; else ``None`` and a fault."""
    try:
        value = sealed(json.loads(text.reveal(), object_pairs_hook=record_of_pairs))
    except json.JSONDecodeError as error:
        # The part before a colon is the rule that is broken; behind it the input may be quoted.
        rule = error.msg.partition(":")[0]
        where = f"line {error.lineno}, column {error.colno}"
        is_bare = kind is Record and not text.reveal().lstrip().startswith("{")
        remedy = _SHAPES["object"] if is_bare else _json_remedy(rule)
        findings.fault(origin, f"is not valid JSON ({where}: {rule})", remedy)
        return None
    except (ValueError, RecursionError):
        findings.fault(origin, "cannot be read as JSON", "Write it without such depth or length")
        return None
    if isinstance(value, kind):
        return value
    wanted = "list" if kind is list else "object"
    findings.fault(origin, f"is {kind_of(value)}, not a JSON {wanted}", _SHAPES[wanted])
    return None


_SHAPES = {
    "list": "Write it in brackets, `[...]`",
    "object": 'Write it in braces, `{"name": "value"}`',
}


def _json_remedy(rule: str) -> str:
    if "escape" in rule:
        return r"Double the backslashes, as JSON wants them: `D:\\App\\Mx1.pfx`"
    return "Correct the JSON there"


def kind_of(value: object) -> str:
    """What a value is, in words that say nothing of its content."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, (str, Secret)):
        return "text"
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, (list, tuple)) else "a value of another kind"


def choice_of(kind: type[Choice], text: str, origin: Origin, findings: Findings) -> Choice | None:
    """The member of an enumeration that a text names, in whatever case."""
    words = [member.value for member in kind]
    if text.strip().lower() in words:
        return kind(text.strip().lower())
    allowed = " or ".join(f"`{word}`" for word in words)
    findings.fault(origin, "has a value that is not known", f"Write {allowed}")
    return None


_SWITCH = {"on": True, "off": False, "1": True, "0": False, "true": True, "false": False}


def switch_of(text: str, origin: Origin, findings: Findings) -> bool | None:
    """Whether a text says on or off, in whatever case."""
    word = text.strip().lower()
    if word not in _SWITCH:
        allowed = ", ".join(f"`{each}`" for each in _SWITCH)
        findings.fault(origin, "has a value that is not known", f"Write one of {allowed}")
    return _SWITCH.get(word)


def secrets_of(value: object, origin: Origin, findings: Findings) -> tuple[SecretText, ...] | None:
    """The items of a list, which comes as text with commas, as a JSON list or as a list.

    Blanks around the items of a text do not count, and nothing is an escape: a backslash is a
    backslash. A text without a comma is one item, even when it is empty.
    """
    if isinstance(value, str):
        value = Secret(value)
    if isinstance(value, Secret):
        if not _means_json(value.reveal()):
            return tuple(Secret(item.strip()) for item in value.reveal().split(","))
        value = _bracketed_list(value, origin, findings)
        if value is None:
            return None
    if not isinstance(value, list):
        findings.fault(origin, f"is {kind_of(value)}, not a list", "Write a list of texts")
        return None
    return _secret_items(value, origin, findings)


def _means_json(text: str) -> bool:
    text = text.strip()
    # A lone bracket in front may begin a password; a pair of them, or one with a quote, is JSON.
    return text.startswith("[") and (text.endswith("]") or text[1:].lstrip().startswith('"'))


def _bracketed_list(text: SecretText, origin: Origin, findings: Findings) -> list[object] | None:
    attempt = Findings()
    items = json_of(list, text, origin, attempt)
    for fault in attempt.faults:
        also = 'a list with brackets of its own is written as JSON, `["[...]"]`'
        findings.fault(origin, fault.problem, f"{fault.remedy}; {also}")
    return items


def _secret_items(
    items: list[object], origin: Origin, findings: Findings
) -> tuple[SecretText, ...] | None:
    wrong = [(n, item) for n, item in enumerate(items, 1) if not isinstance(item, (str, Secret))]
    for number, item in wrong:
        findings.fault(
            origin.at(f"entry {number}"), f"is {kind_of(item)}, not text", "Write it in quotes"
        )
    if wrong:
        return None
    return tuple(item if isinstance(item, Secret) else Secret(str(item)) for item in items)


def texts_of(value: object, origin: Origin, findings: Findings) -> tuple[str, ...] | None:
    """The items of a list that holds no secrets; empty ones are dropped, with a notice."""
    items = secrets_of(value, origin, findings)
    if items is None:
        return None
    kept = tuple(item.reveal() for item in items if item)
    if kept and len(kept) < len(items):
        findings.notice(origin, "has an empty entry, which does not count", "Drop the comma")
    return kept
