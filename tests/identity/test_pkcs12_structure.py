"""PKCS12 files that no honest program writes, and those in BER, which some do."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from mxcert_runtime.errors import IdentityProblem
from tests.support import pki

from . import der
from .material import failure, inline, load_inline
from .pfx import DATA, ENCRYPTED, ENVELOPED, SIGNED, authenticated


def _as_ber(content: bytes) -> bytes:
    """The same file as NSS writes it: indefinite lengths, octet strings in pieces."""
    inner = authenticated(content)
    half = len(inner) // 2
    pieces = der.octets(inner[:half]) + der.octets(inner[half:])
    safe = der.endless(der.SEQUENCE, DATA, der.endless(der.EXPLICIT, der.endless(0x24, pieces)))
    return der.endless(der.SEQUENCE, der.integer(3), safe, content[30 + len(inner) :])


def test_ber(leaf: pki.Leaf) -> None:
    """A file in BER opens; its wrong password is told as that of any other."""
    content = _as_ber(leaf.pkcs12("secret"))

    assert leaf.fingerprint == load_inline(content, "secret").fingerprint
    wrong = failure(inline(content, "wrong")).problem
    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is wrong


def _file_of(*infos: bytes) -> bytes:
    """A PKCS12 file without MAC whose authenticated safe holds these."""
    safe = der.octets(der.sequence(*infos))
    return der.sequence(der.integer(3), der.sequence(DATA, der.explicit(safe)))


def _encrypted(*content: bytes, rounds: int = 1) -> bytes:
    inner = der.sequence(DATA, der.pbes2(rounds), *content)
    return der.sequence(ENCRYPTED, der.explicit(der.sequence(der.integer(0), inner)))


@pytest.mark.parametrize(
    "content",
    [
        der.sequence(der.integer(3), der.sequence(DATA)),
        der.sequence(der.integer(3), der.sequence(ENVELOPED, der.explicit(der.sequence()))),
        der.sequence(der.integer(3), der.sequence(DATA, der.explicit())),
        _file_of(der.sequence(DATA)),
        _file_of(der.sequence(ENCRYPTED)),
        _file_of(der.sequence(ENCRYPTED, der.explicit())),
        _file_of(_encrypted()),
        der.sequence(der.integer(2), der.sequence(DATA, der.explicit(der.octets(b"\x30\0")))),
    ],
)
def test_absent_content(content: bytes) -> None:
    """Contents that are absent crashed OpenSSL (CVE-2024-0727); here they are damage."""
    assert IdentityProblem.DAMAGED is failure(inline(content, "x")).problem


def test_nothing_inside() -> None:
    """A safe with nothing in it is whole but has no key."""
    assert IdentityProblem.NO_KEY is failure(inline(_file_of(), None)).problem


@pytest.mark.parametrize(
    "content",
    [
        der.sequence(der.integer(3), der.sequence(SIGNED, der.explicit(der.sequence()))),
        _file_of(der.sequence(ENVELOPED, der.explicit(der.sequence()))),
    ],
)
def test_public_key_modes(content: bytes) -> None:
    """A file for the holder of some other key is not a matter of passwords (RFC 7292, 3.1)."""
    error = failure(inline(content, "x"))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "public key" in error.message


def test_rounds_without_end() -> None:
    """A count of rounds that would take hours is refused before it is begun."""
    ciphertext = der.element(der.IMPLICIT, bytes(32))
    few = failure(inline(_file_of(_encrypted(ciphertext, rounds=1000)), "x"))
    endless = failure(inline(_file_of(_encrypted(ciphertext, rounds=2**31 - 1)), "x"))

    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is few.problem
    assert IdentityProblem.UNSUPPORTED is endless.problem
    assert "2147483647 rounds" in endless.message


@pytest.mark.parametrize("start", [b"\x30\x80", b"\x30\x84\x7f\xff\xff\xff", b"\x24\x80"])
def test_towers(start: bytes) -> None:
    """Elements deep in each other are damage and no recursion without end."""
    tower = start * 50_000

    assert IdentityProblem.DAMAGED is failure(inline(tower, "x")).problem
    assert IdentityProblem.DAMAGED is failure(inline(_file_of(tower), "x")).problem


def test_right_password_and_unreadable_content(leaf: pki.Leaf) -> None:
    """A MAC that fits proves password and content; what fails then is not supported."""
    other_password = _swap_first_safe(leaf.pkcs12("secret"), leaf.pkcs12("other"), "secret")
    error = failure(inline(other_password, "secret"))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "although its password is right" in error.message


def _swap_first_safe(content: bytes, donor: bytes, password: str) -> bytes:
    """The donor's safe under a MAC with the password of the other file."""
    inner = authenticated(donor)
    salt = b"saltsalt"
    bmp = password.encode("utf-16-be") + b"\0\0"
    key = hashlib.sha256(b"\3" * 64 + salt * 8 + (bmp * 64)[:64]).digest()
    digest = hmac.new(key, inner, "sha256").digest()
    algorithm = der.sequence(der.identifier("2.16.840.1.101.3.4.2.1"), b"\x05\0")
    mac = der.sequence(der.sequence(algorithm, der.octets(digest)), der.octets(salt))
    safe = der.sequence(DATA, der.explicit(der.octets(inner)))
    return der.sequence(der.integer(3), safe, mac)


def test_mac_that_cannot_be_checked(leaf: pki.Leaf) -> None:
    """A MAC by an algorithm that is not known proves nothing, and nothing is used without it."""
    algorithm = der.sequence(der.identifier("1.2.3.4"))
    safe = der.sequence(DATA, der.explicit(der.octets(authenticated(leaf.pkcs12("secret")))))
    mac = der.sequence(der.sequence(algorithm, der.octets(bytes(32))), der.octets(bytes(8)))
    error = failure(inline(der.sequence(der.integer(3), safe, mac), "secret"))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "its MAC by 1.2.3.4 is not in this build" in error.message


def test_unknown_encryption_without_mac() -> None:
    """Encryption that nothing here has is named, whatever the password."""
    algorithm = der.sequence(der.identifier("1.2.840.113549.1.5.10"), der.sequence())
    inner = der.sequence(DATA, algorithm, der.element(der.IMPLICIT, bytes(32)))
    info = der.sequence(ENCRYPTED, der.explicit(der.sequence(der.integer(0), inner)))
    error = failure(inline(_file_of(info), "secret"))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "DES with SHA-1" in error.message
