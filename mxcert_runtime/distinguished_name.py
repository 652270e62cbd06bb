"""Distinguished names in the form in which they are compared (RFC 5280, section 7.1).

The string type, case and repeated blanks do not count, as OpenSSL has it in ``X509_NAME_cmp``.
"""

from __future__ import annotations

import functools
from typing import Union

from .material.ber import SEQUENCE, Element, MalformedError, read_element

_SET = 0x31

#: encodings of the string types of X.690
_ENCODINGS = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}

#: Equal for names that are equal; a text that is no name stands for itself.
ComparableName = Union[tuple[frozenset[tuple[str, object]], ...], bytes]


@functools.lru_cache(maxsize=1024)
def comparable_name(der: bytes) -> ComparableName:
    """The form of a DER name in which it is compared."""
    try:
        name, _ = read_element(der, 0)
        return tuple(_comparable_part(part) for part in name.expect(SEQUENCE).children())
    except MalformedError:
        return der


def _comparable_part(part: Element) -> frozenset[tuple[str, object]]:
    pairs = [pair.expect(SEQUENCE).children() for pair in part.expect(_SET).children()]
    if any(len(pair) != 2 for pair in pairs):
        raise MalformedError("an attribute that is not a type and a value")
    return frozenset((kind.as_identifier(), _comparable_value(value)) for kind, value in pairs)


def _comparable_value(value: Element) -> object:
    encoding = _ENCODINGS.get(value.tag)
    if encoding is None:
        return value
    try:
        text = value.content.decode(encoding)
    except UnicodeDecodeError:
        return value
    return " ".join(text.casefold().split())
