"""The table of settings in docs/settings.md, made from what reads them.

``python -m mxcert_runtime.settings.documentation docs/settings.md`` writes it between its marks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ..base import with_part
from . import names
from .readers import reader_of
from .scalars import SCALARS

BEGIN, END = "<!-- settings: generated, begin -->\n", "<!-- settings: generated, end -->\n"

_HEAD = ("Setting of Mendix", "Key of the file", "Environment variable", "Value")
_FAMILY = {
    names.CERTIFICATES: "PKCS12 paths, separated by commas",
    names.PASSWORDS: "passwords in the same order; one may be empty",
    names.USAGES: (
        "JSON object: host or service → path, backslashes doubled; an empty path is *none*"
    ),
    names.EXEMPT: "hosts or services, separated by commas, that never get a certificate",
    names.AUTHORITIES: "paths of PEM files; every certificate in them counts",
}
_KEYS = {names.EXEMPT: "no_certificate", names.AUTHORITIES: "ca"}
_LOG = (
    "`debug`, `info`, `warning` or `error`, for programs that configure no logging: to standard"
    " error, or to a file with `info:/path`"
)


def settings_table() -> str:
    """The table, as Markdown."""
    rows = [_HEAD, ("---",) * len(_HEAD), *_rows()]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _rows() -> Iterator[tuple[str, str, str, str]]:
    for name, value in _FAMILY.items():
        key = f"`{_KEYS[name]}`" if name in _KEYS else ""
        yield f"`{name}`", key, f"`{names.FAMILY[name]}`", value
    for scalar in SCALARS:
        told = ": ".join(filter(None, (reader_of(scalar).values(), scalar.documentation)))
        yield "", f"`{scalar.key}`", f"`{scalar.variable}`", told
    yield "", "", f"`{names.LOG}`", _LOG


def with_table(document: str) -> str:
    """A document with the table of today between the marks."""
    return with_part(document, BEGIN, settings_table(), END)


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
