"""Distinguished names as they are compared (RFC 5280, section 7.1), and as people read them.

The string type, case and repeated blanks do not count, as OpenSSL has it in ``X509_NAME_cmp``.
"""

from __future__ import annotations

import functools
import re
from typing import Union

from .ber import SEQUENCE, SET, Element, MalformedError, read_element

#: Encodings of the string types of X.690. What is meant for ASCII may have eight bits, which
#: OpenSSL takes for Latin-1, as it does with T61String.
_ENCODINGS = {
    0x0C: "utf-8",
    0x12: "latin-1",
    0x13: "latin-1",
    0x14: "latin-1",
    0x16: "latin-1",
    0x1A: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}

#: RFC 4514, section 3
_SHORT_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}

#: RFC 4514, section 2.4
_ESCAPED = re.compile(r'[",+;<>\\\0]|^[ #]|(?<=.) $', re.DOTALL)

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


def readable_name(der: bytes) -> str:
    """The name for people, the most specific part first as in RFC 4514, without its escapes."""
    try:
        name, _ = read_element(der, 0)
        parts = [_readable_part(part) for part in name.expect(SEQUENCE).children()]
    except MalformedError:
        return f"a name of {len(der)} bytes"
    return ",".join(reversed(parts))


def rfc4514_name(der: bytes) -> str:
    """The name as RFC 4514 writes it, of whatever string types.

    Raises :class:`~.ber.MalformedError` where the bytes are no name.
    """
    name, _ = read_element(der, 0)
    parts = [_escaped_part(part) for part in name.expect(SEQUENCE).children()]
    return ",".join(reversed(parts))


def _escaped_part(part: Element) -> str:
    pairs = [pair.expect(SEQUENCE).children() for pair in part.expect(SET).children()]
    return "+".join(f"{_kind(p[0])}={_ESCAPED.sub(_escape, _text(p[-1]))}" for p in pairs if p)


def _escape(found: re.Match[str]) -> str:
    return "\\00" if found.group() == "\0" else f"\\{found.group()}"


def _readable_part(part: Element) -> str:
    pairs = [pair.expect(SEQUENCE).children() for pair in part.expect(SET).children()]
    return "+".join(f"{_kind(pair[0])}={_text(pair[-1])}" for pair in pairs if pair)


def _kind(element: Element) -> str:
    identifier = element.as_identifier()
    return _SHORT_NAMES.get(identifier, identifier)


def _text(value: Element) -> str:
    return value.content.decode(_ENCODINGS.get(value.tag, "latin-1"), "replace")


def _comparable_part(part: Element) -> frozenset[tuple[str, object]]:
    pairs = [pair.expect(SEQUENCE).children() for pair in part.expect(SET).children()]
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
