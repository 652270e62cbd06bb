"""The reader of BER: what it reads, and that it refuses all else with one kind of error."""

from __future__ import annotations

import pytest

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.identity.material.ber import (
    Element,
    MalformedError,
    encode,
    read_algorithm,
    read_der,
)

from . import der


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 70_000])
def test_elements_of_any_length(length: int) -> None:
    """What is read is what was written: an element of its tag and content, as if it were made."""
    content = b"x" * length
    found = read_der(Secret(encode(0x30, encode(0x04, content), encode(0x04)))).children()

    assert [Element(0x04, content), Element(0x04, b"")] == found
    assert [(Element, 0x04, length), (Element, 0x04, 0)] == [
        (type(each), each.tag, len(each.content)) for each in found
    ]


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.1", "2.16.840.1.101.3.4.1.42", "0.9.1"])
def test_identifiers(dotted: str) -> None:
    """An object identifier comes out in dotted form (X.690, section 8.19)."""
    assert dotted == read_der(Secret(der.identifier(dotted))).as_identifier()


@pytest.mark.parametrize("number", [0, 1, 127, 128, 600_000, 2**64])
def test_integers(number: int) -> None:
    """An integer is big-endian and signed."""
    assert number == read_der(Secret(der.integer(number))).as_integer()


def test_octets_in_pieces() -> None:
    """A constructed octet string is its pieces put together."""
    pieces = der.endless(0x24, der.octets(b"one"), der.element(0x24, der.octets(b"two")))

    assert b"onetwo" == read_der(Secret(pieces)).as_octets()


def test_algorithm() -> None:
    """An algorithm names all its parts and its count of rounds."""
    names, rounds = read_algorithm(read_der(Secret(der.pbes2(600_000))))

    assert ("1.2.840.113549.1.5.13", 600_000) == (names[0], rounds)
    assert "2.16.840.1.101.3.4.1.42" in names


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x85\0\0\0\0\0",
        b"\x3f\x81\0\0",
        b"\x04\x80abc\0\0",
        b"\x30\x80\x02\x01\x00",
        b"\x30\0behind",
    ],
)
def test_what_is_no_element(content: bytes) -> None:
    """A cut, endless or oversized element, and bytes behind it, are malformed."""
    with pytest.raises(MalformedError):
        read_der(Secret(content))


@pytest.mark.parametrize("content", [der.sequence(), der.octets(b""), der.element(0x06)])
def test_what_is_no_algorithm(content: bytes) -> None:
    """An algorithm without an identifier is malformed, as is an empty identifier."""
    with pytest.raises(MalformedError):
        read_algorithm(read_der(Secret(content)))
    with pytest.raises(MalformedError):
        read_algorithm(read_der(Secret(der.sequence(der.element(0x06)))))


def test_a_primitive_element_has_no_children() -> None:
    """Only a constructed element holds others."""
    assert [] == read_der(Secret(der.sequence())).children()
    with pytest.raises(MalformedError):
        read_der(Secret(der.octets(b""))).children()


def test_towers() -> None:
    """Elements deep in each other are malformed before they are a danger to the stack."""
    octets, sequences = der.octets(b"x"), der.integer(1)
    for _ in range(40):
        octets, sequences = der.element(0x24, octets), der.sequence(sequences)
    with pytest.raises(MalformedError):
        read_der(Secret(octets)).as_octets()
    with pytest.raises(MalformedError):
        read_der(Secret(sequences)).primitives()
