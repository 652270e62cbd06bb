"""Lines of names and values: custom settings pasted from a console, or a file of variables.

`Name: value`, `Name = value`, `export NAME='value'`, a name and its value with a tab between them
or on two lines; a JSON value may go on over lines. What is no line of these is left alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...settings import names
from .paths import is_windows

_PLATFORM = (*names.FAMILY, *names.INLINE, names.CUSTOM)
KNOWN = frozenset(
    (*_PLATFORM, *(names.RUNTIME_PREFIX + each for each in names.FAMILY), names.OLDER_USAGES)
)
_LINE = re.compile(
    r"(?:export[ ]+|set[ ]+)?[\"']?(?P<name>[A-Za-z_][\w.]*)[\"']?"
    r"[ ]*(?P<mark>[:=\t])\s*(?P<value>.*)"
)


@dataclass
class _Entry:
    name: str
    mark: str
    parts: list[str]


def variables_of(text: str) -> dict[str, str]:
    """The value of each name, as a variable would have it; the last counts, as in a shell."""
    return {each.name: _value(each) for each in _entries(_lines(text))}


def _lines(text: str) -> list[str]:
    # Not `splitlines`, which takes characters for line breaks that a password may have.
    return [line.removesuffix("\r") for line in text.split("\n")]


def is_known(name: str) -> bool:
    """Whether a name is a setting that is read."""
    return name in KNOWN or name.startswith(names.PREFIX)


def _entries(lines: Sequence[str]) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for line in lines:
        begun = _begun(line, entry)
        if begun is None:
            if entry is not None and _is_open(entry):
                entry.parts.append(line)
            continue
        if entry is not None:
            yield entry
        entry = begun
    if entry is not None:
        yield entry


def _begun(line: str, before: _Entry | None) -> _Entry | None:
    """The entry that a line begins, unless it goes on with the one before."""
    stripped = line.strip()
    if stripped.startswith("#"):
        return None
    if is_known(stripped):
        return _Entry(stripped, ":", [])
    found = _LINE.fullmatch(stripped)
    if found is None or is_windows(stripped):
        return None
    # A value may be empty, such as a password; a bare name has its value on the next line.
    is_empty = before is None or before.parts == [""]
    if not is_known(found["name"]) and before is not None and not is_empty and _is_open(before):
        return None
    return _Entry(found["name"], found["mark"], [found["value"]])


def _is_open(entry: _Entry) -> bool:
    """Whether the value so far has no end: nothing yet, an open brace, or an open quote."""
    text = "\n".join(entry.parts).strip()
    if not text:
        return is_known(entry.name)
    if text[0] in "{[":
        return text.count("{") > text.count("}") or text.count("[") > text.count("]")
    return entry.mark == "=" and text[0] in "'\"" and _unquoted(text) is None


def _value(entry: _Entry) -> str:
    text = "\n".join(entry.parts).strip()
    if entry.mark == "=":
        unquoted = _unquoted(text) if text[:1] in ("'", '"') else None
        return text if unquoted is None else unquoted
    is_password = entry.name.endswith(names.PASSWORDS)
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    # In a console quotes are a part of what was typed, and a password may have them.
    return text[1:-1] if is_quoted and not is_password else text


def _unquoted(text: str) -> str | None:
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    return words[0] if len(words) == 1 else None
