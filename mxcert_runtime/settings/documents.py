"""A settings file to a record: TOML, JSON or YAML by the file's extension.

Parse errors say line and column and nothing of the content, which may be a password. The parsers
are imported here alone, when a file needs them.
"""

from __future__ import annotations

import os
import sys

from ..base import MAX_BYTES, Secret, late_pattern
from .draft import Place
from .files import read_text, shown_path
from .values import MOST_VALUES, Record, json_of, kind_of, sealed

#: with the most bytes that are read; the parsers of TOML and YAML are slow, and JSON may hold
#: certificates by the thousand
_MOST_BYTES = {".toml": 1024**2, ".json": MAX_BYTES, ".yaml": 1024**2, ".yml": 1024**2}
EXTENSIONS = tuple(_MOST_BYTES)
_TOML_BREAK = late_pattern(r"[,=#\[\]{}]")
_MOST_DOTS = 100
_LONG_NUMBER = late_pattern(r"[0-9_]{1000}")
_TOML_POSITION = late_pattern(r"line \d+, column \d+(?=\)$)")


def read_record(path: str, place: Place, setting: Place) -> Record | None:
    """The top table of the file, sealed; ``place`` is the file, ``setting`` what names it."""
    extension = os.path.splitext(path)[1].lower()
    if extension not in EXTENSIONS:
        problem = f"names the file {shown_path(path)}, whose format is not known by its name"
        setting.fault(problem, f"Name a file that ends in {', '.join(EXTENSIONS)}")
        return None
    text = read_text(path, setting, limit=_MOST_BYTES[extension])
    return None if text is None else record_of(text, extension, place)


def record_of(text: Secret[str], extension: str, place: Place) -> Record | None:
    """The top table of a text, sealed; ``extension`` is what the name of its file ends in."""
    if extension == ".json":
        return json_of(Record, text, place)
    if extension == ".toml":
        return _toml_record(text, place)
    return _yaml_record(text, place)


def _toml_record(text: Secret[str], place: Place) -> Record | None:
    try:
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
    except ImportError:
        place.fault("needs a TOML parser here", "Install one: `pip install tomli`")
        return None
    if _is_too_much_toml(text.reveal()):
        _refuse(place)
        return None
    try:
        value = sealed(tomllib.loads(text.reveal()))
    except tomllib.TOMLDecodeError as error:
        position = _TOML_POSITION.search(str(error))
        where = position[0] if position else _end_of(text.reveal())
        remedy = "Correct it there; a path with backslashes stands in single quotes"
        place.fault(f"is not valid TOML ({where})", remedy)
        return None
    except (ValueError, RecursionError):
        _refuse(place)
        return None
    return value if isinstance(value, Record) else None


def _is_too_much_toml(text: str) -> bool:
    """Whether the parser would take longer than a text of that length should.

    It takes time by the square of a dotted key's parts, and reads numbers of any length where
    that is not limited (``sys.set_int_max_str_digits``).
    """
    parts = (part for line in text.splitlines() for part in _TOML_BREAK.split(line))
    return (
        text.count(",") + text.count("=") > MOST_VALUES
        or bool(_LONG_NUMBER.search(text))
        or any(part.count(".") > _MOST_DOTS for part in parts)
    )


def _end_of(text: str) -> str:
    return f"line {text.count(chr(10)) + 1}, column {len(text) - text.rfind(chr(10))}"


def _refuse(place: Place) -> None:
    problem = "cannot be read: an odd character, a number too long or too great a depth"
    place.fault(problem, "Correct it")


def _yaml_record(text: Secret[str], place: Place) -> Record | None:
    try:
        import yaml

        from .yaml_text import RULES, TextLoader
    except ImportError:
        remedy = "Install it: `pip install PyYAML`"
        place.fault("is YAML, which needs PyYAML", remedy)
        return None
    try:
        # The loader is a safe one with less in it.
        value = sealed(yaml.load(text.reveal(), Loader=TextLoader))  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "place unknown"
        rule = f": {error.problem}" if error.problem in RULES else ""
        place.fault(f"is not valid YAML ({where}{rule})", "Correct it there")
        return None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError):
        _refuse(place)
        return None
    if value is None or isinstance(value, Record):
        return Record() if value is None else value
    place.fault(f"is {kind_of(value)}, not a table", "Write names and values")
    return None
