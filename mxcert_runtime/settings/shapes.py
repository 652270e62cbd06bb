"""Shapes of values in the settings file, as JSON Schema: what :class:`.table.Table` takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: a text that is not empty
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
#: the same, and not of blanks alone
WORD: dict[str, Any] = {"type": "string", "pattern": "\\S"}
#: a text that stands alone is a list of one
LIST: dict[str, Any] = {"anyOf": [WORD, {"type": "array", "items": WORD}]}
PRESENT: dict[str, Any] = {"not": {"type": "null"}}


def words(among: Iterable[str]) -> dict[str, Any]:
    """One of these words, in whatever case; editors offer them as they are."""
    known = list(among)
    spellings = "|".join("".join(map(_either_case, word)) for word in known)
    pattern = {"type": "string", "pattern": f"^\\s*({spellings})\\s*$"}
    return {"anyOf": [{"enum": known}, pattern]}


def _either_case(letter: str) -> str:
    return f"[{letter.upper()}{letter}]" if letter.upper() != letter else letter
