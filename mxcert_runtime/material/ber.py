"""BER elements (X.690), as much as keys and PKCS12 files need, safe to use on any bytes.

DER is BER's canonical form, but what NSS and Bouncy Castle write is BER: lengths that are not
said beforehand, octet strings in pieces.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ..secret import Secret

#: A real file needs six levels; more is an attack on the stack.
_MAX_DEPTH = 16

INTEGER, OCTETS, IDENTIFIER, SEQUENCE, EXPLICIT = 0x02, 0x04, 0x06, 0x30, 0xA0
_CONSTRUCTED = 0x20


class MalformedError(ValueError):
    """The bytes are not BER, or not the structure that is expected."""


class Element(NamedTuple):
    """One BER element: its tag byte and its content."""

    tag: int
    content: bytes

    def expect(self, tag: int) -> Element:
        if self.tag != tag:
            raise MalformedError(f"tag {self.tag} where {tag} must be")
        return self

    def children(self) -> list[Element]:
        if not self.tag & _CONSTRUCTED:
            raise MalformedError("a primitive element where a constructed one must be")
        found, position = [], 0
        while position < len(self.content):
            child, position = read_element(self.content, position)
            found.append(child)
        return found

    def as_identifier(self) -> str:
        """The object identifier in dotted form."""
        return _dotted(self.expect(IDENTIFIER).content[:32])

    def as_integer(self) -> int:
        return int.from_bytes(self.expect(INTEGER).content[:32], "big", signed=True)

    def as_octets(self, depth: int = 0) -> bytes:
        """The bytes of an octet string, which BER may have in pieces."""
        if depth > _MAX_DEPTH:
            raise MalformedError("octet strings too deep in each other")
        if not self.tag & _CONSTRUCTED:
            return self.content
        return b"".join(child.as_octets(depth + 1) for child in self.children())

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
    elements = identifier.primitives()
    identifiers = tuple(each.as_identifier() for each in elements if each.tag == IDENTIFIER)
    numbers = [each.as_integer() for each in elements if each.tag == INTEGER]
    if not identifiers:
        raise MalformedError("an algorithm without its identifier")
    return identifiers, max(numbers, default=0)


def at_least(count: int, element: Element) -> list[Element]:
    """The children of the element; fewer raise :class:`MalformedError`."""
    children = element.children()
    if len(children) < count:
        raise MalformedError(f"less than {count} elements")
    return children


def read_element(data: bytes, position: int, depth: int = 0) -> tuple[Element, int]:
    """The element at the position, and where it ends (X.690, section 8.1)."""
    if depth > _MAX_DEPTH or position + 2 > len(data) or data[position] & 0x1F == 0x1F:
        raise MalformedError("no element")
    tag, length = data[position], data[position + 1]
    position += 2
    if length == 0x80:
        return _read_indefinite(data, tag, position, depth)
    if length > 0x80:
        size = length - 0x80
        if size > 4:
            raise MalformedError("a length beyond 4 GiB")
        length = int.from_bytes(data[position : position + size], "big")
        position += size
    if position + length > len(data):
        raise MalformedError("an element that ends behind its container")
    return Element(tag, data[position : position + length]), position + length


def _read_indefinite(data: bytes, tag: int, start: int, depth: int) -> tuple[Element, int]:
    if not tag & _CONSTRUCTED:
        raise MalformedError("a primitive element without a length")
    position = start
    while True:
        child, after = read_element(data, position, depth + 1)
        if child.tag == 0:
            return Element(tag, data[start:position]), after
        position = after
