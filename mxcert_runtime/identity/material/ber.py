"""BER elements (X.690), as much as keys, certificates and PKCS12 files need, safe to use on any
bytes.

DER is BER's canonical form, but what NSS and Bouncy Castle write is BER: lengths that are not
said beforehand, octet strings in pieces. Depth, counts and sizes are bounded, so that nothing that
is read here takes longer than it takes to say no.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ...base import Secret

#: A real file needs six levels; more is an attack on the stack.
_MAX_DEPTH = 16
#: Bouncy Castle writes octet strings in pieces of 1,000 bytes, and no file is larger than 10 MiB.
_MAX_CHILDREN = 20_000
#: The largest AlgorithmIdentifier is one of explicit EC or DSA parameters.
_MAX_ALGORITHM_BYTES = 8192
#: Octet strings in pieces that are themselves in pieces are legal, and nobody writes more.
_MAX_PIECES_DEPTH = 3

INTEGER, BITS, OCTETS, NULL, IDENTIFIER = 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET, EXPLICIT = 0x30, 0x31, 0xA0
_CONSTRUCTED = 0x20


class MalformedError(ValueError):
    """The bytes are not BER, or not the structure that is expected."""


class Element(NamedTuple):
    """One BER element: its tag byte and its content, which may be a key and so never shows."""

    tag: int
    content: bytes

    def __repr__(self) -> str:
        return f"<Element {self.tag:#04x} of {len(self.content)} bytes>"

    def expect(self, tag: int) -> Element:
        if self.tag != tag:
            raise MalformedError(f"tag {self.tag} where {tag} must be")
        return self

    def children(self) -> list[Element]:
        if not self.tag & _CONSTRUCTED:
            raise MalformedError("a primitive element where a constructed one must be")
        data, position = self.content, 0
        end, found = len(data), []
        while position < end:
            child, position = read_element(data, position)
            found.append(child)
            if len(found) > _MAX_CHILDREN:
                raise MalformedError("too many elements")
        return found

    def as_identifier(self) -> str:
        """The object identifier in dotted form."""
        return _dotted(self.expect(IDENTIFIER).content[:32])

    def as_integer(self) -> int:
        return int.from_bytes(self.expect(INTEGER).content, "big", signed=True)

    def as_octets(self, depth: int = 0) -> bytes:
        """The bytes of an octet string, which BER may have in pieces."""
        if depth > _MAX_PIECES_DEPTH:
            raise MalformedError("octet strings too deep in each other")
        if not self.tag & _CONSTRUCTED:
            return self.content
        return b"".join(child.as_octets(depth + 1) for child in self.children())

    def as_bits(self) -> bytes:
        """The bytes of a bit string that has whole bytes only."""
        content = self.expect(BITS).content
        if content[:1] != b"\0":
            raise MalformedError("a bit string that is no bytes")
        return content[1:]

    def encoded(self) -> bytes:
        """The element as it stands in DER."""
        return encode(self.tag, self.content)

    def primitives(self, depth: int = 0) -> list[Element]:
        """All primitive elements inside, in their order."""
        if depth > _MAX_DEPTH:
            raise MalformedError("elements too deep in each other")
        if not self.tag & _CONSTRUCTED:
            return [self]
        found = []
        for child in self.children():
            found += child.primitives(depth + 1)
        return found


#: what ``Element(...)`` comes to, in half of the time: certificates have hundreds of them
_new_element = tuple.__new__


@lru_cache(maxsize=64)
def _dotted(content: bytes) -> str:
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    if not arcs:
        raise MalformedError("an empty object identifier")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def encode(tag: int, *parts: bytes) -> bytes:
    """DER of an element whose content are the parts, one behind the other."""
    length = sum(map(len, parts))
    if length < 0x80:
        return bytes((tag, length)) + b"".join(parts)
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + b"".join(parts)


def encode_integer(value: int) -> bytes:
    """DER of an integer that is not negative."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


@lru_cache(maxsize=64)
def encode_identifier(dotted: str) -> bytes:
    """DER of an object identifier in dotted form."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(arc & 0x7F | 0x80)
        content += bytes(reversed(digits))
    return encode(IDENTIFIER, bytes(content))


def read_der(content: Secret[bytes]) -> Element:
    """The one element that the content must be.

    Raises :class:`MalformedError`.
    """
    element, end = read_element(content.reveal(), 0)
    if end != len(content.reveal()):
        raise MalformedError("bytes behind the end")
    return element


def read_algorithm(identifier: Element) -> tuple[tuple[str, ...], int]:
    """The object identifiers in an AlgorithmIdentifier, and the highest number in it."""
    identifier.expect(SEQUENCE)
    if len(identifier.content) > _MAX_ALGORITHM_BYTES:
        raise MalformedError("an algorithm with parameters beyond all measure")
    elements = identifier.primitives()
    identifiers = tuple(each.as_identifier() for each in elements if each.tag == IDENTIFIER)
    numbers = [each.as_integer() for each in elements if each.tag == INTEGER]
    if not identifiers:
        raise MalformedError("an algorithm without its identifier")
    return identifiers, max(numbers, default=0)


def split_algorithm(identifier: Element) -> tuple[str, Element]:
    """The object identifier of an AlgorithmIdentifier and its parameters; NULL for none."""
    if len(identifier.content) > _MAX_ALGORITHM_BYTES:
        raise MalformedError("an algorithm with parameters beyond all measure")
    name, *parameters = at_least(1, identifier.expect(SEQUENCE))
    return name.as_identifier(), parameters[0] if parameters else Element(NULL, b"")


def at_least(count: int, element: Element) -> list[Element]:
    """The children of the element; fewer raise :class:`MalformedError`."""
    children = element.children()
    if len(children) < count:
        raise MalformedError(f"less than {count} elements")
    return children


def read_element(data: bytes, position: int, depth: int = 0) -> tuple[Element, int]:
    """The element at the position, and where it ends (X.690, section 8.1)."""
    start = position + 2
    if depth > _MAX_DEPTH or start > len(data) or data[position] & 0x1F == 0x1F:
        raise MalformedError("no element")
    tag, length = data[position], data[position + 1]
    if length == 0x80:
        return _read_indefinite(data, tag, start, depth)
    if length > 0x80:
        size = length - 0x80
        if size > 4:
            raise MalformedError("a length beyond 4 GiB")
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    end = start + length
    if end > len(data):
        raise MalformedError("an element that ends behind its container")
    return _new_element(Element, (tag, data[start:end])), end


def _read_indefinite(data: bytes, tag: int, start: int, depth: int) -> tuple[Element, int]:
    if not tag & _CONSTRUCTED:
        raise MalformedError("a primitive element without a length")
    position = start
    for _ in range(_MAX_CHILDREN):
        child, after = read_element(data, position, depth + 1)
        if child.tag == 0:
            return Element(tag, data[start:position]), after
        position = after
    raise MalformedError("too many elements")
