"""What a file asks for is bounded: rounds and memory wherever they stand, depth, counts.

What is not bounded here would not end while these tests run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identity
from mxcert_runtime.identity.material.rc2 import decrypt_rc2_cbc
from tests.support import pki
from tests.support.odd_certificates import as_pem
from tests.support.openssl_command import openssl

from . import der, pfx
from .material import failure, inline, load_inline, pem_files

HOSTILE = [20_000_000, 2**31 - 1, 2**64]


def _inner(leaf: pki.Leaf, *rounds: int, mac: bool = True) -> bytes:
    """Keys with so many rounds each, inside a part that is encrypted itself."""
    bags = [pfx.shrouded_key_bag(pfx.pkcs8(leaf), b"pw", each) for each in rounds]
    safe = pfx.encrypted(*bags, pfx.certificate_bag(leaf.der()), password=b"pw")
    return pfx.file_of(safe, password="pw" if mac else None)


@pytest.mark.parametrize("mac", [True, False])
def test_rounds_inside_an_encrypted_part(leaf: pki.Leaf, mac: bool) -> None:
    """They show only once the outer part is decrypted, and are refused before they are gone."""
    for rounds in HOSTILE:
        error = failure(inline(_inner(leaf, rounds, mac=mac), "pw"))
        assert IdentityProblem.UNSUPPORTED is error.problem
        assert "rounds of key derivation, more than 10000000" in error.message
    assert leaf.fingerprint == load_inline(_inner(leaf, 2000, mac=mac), "pw").fingerprint


def test_rounds_of_many_parts(leaf: pki.Leaf) -> None:
    """What every part may ask for, all of them together may not."""
    error = failure(inline(_inner(leaf, *[900_000] * 12), "pw"))

    assert IdentityProblem.UNSUPPORTED is error.problem


@pytest.mark.parametrize("rounds", HOSTILE)
def test_rounds_of_a_pem_key(tmp_path: Path, leaf: pki.Leaf, rounds: int) -> None:
    """The same for PKCS8, whose every algorithm stands outside."""
    content = der.sequence(der.pbes2(rounds), der.octets(bytes(32)))
    key = as_pem(content, "ENCRYPTED PRIVATE KEY")
    error = failure(pem_files(tmp_path, leaf.pem(), key, "x"))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert f"{rounds} rounds" in error.message


@pytest.mark.parametrize("algorithm", ["1.2.840.113549.1.5.3", "1.2.3.4"])
def test_rounds_of_an_unknown_algorithm(tmp_path: Path, leaf: pki.Leaf, algorithm: str) -> None:
    """What this package does not know is not given to OpenSSL with any count of rounds."""
    parameters = der.sequence(der.octets(bytes(8)), der.integer(2**31 - 1))
    scheme = der.sequence(der.identifier(algorithm), parameters)
    content = der.sequence(scheme, der.octets(bytes(32)))
    key = as_pem(content, "ENCRYPTED PRIVATE KEY")
    error = failure(pem_files(tmp_path, leaf.pem(), key, "x"))
    shrouded = der.sequence(der.identifier("1.2.840.113549.1.12.10.1.2"), der.explicit(content))
    in_pkcs12 = failure(inline(pfx.file_of(pfx.data(shrouded)), "x"))

    assert IdentityProblem.UNSUPPORTED is error.problem is in_pkcs12.problem
    assert "2147483647 rounds" in error.message
    assert "2147483647 rounds" in in_pkcs12.message


def _scrypt(cost: int, block_size: int, parallel: int) -> bytes:
    numbers = map(der.integer, (cost, block_size, parallel))
    derivation = der.sequence(
        der.identifier("1.3.6.1.4.1.11591.4.11"), der.sequence(der.octets(b"salt"), *numbers)
    )
    cipher = der.sequence(der.identifier("2.16.840.1.101.3.4.1.42"), der.octets(bytes(16)))
    scheme = der.sequence(der.identifier("1.2.840.113549.1.5.13"), der.sequence(derivation, cipher))
    return as_pem(der.sequence(scheme, der.octets(bytes(32))), "ENCRYPTED PRIVATE KEY")


@pytest.mark.parametrize(
    "numbers", [(2**30, 8, 1), (2**14, 2**20, 1), (2**10, 8, 2**25), (2**63, 1, 1)]
)
def test_memory_of_scrypt(tmp_path: Path, leaf: pki.Leaf, numbers: tuple[int, int, int]) -> None:
    """Memory and work of scrypt are bounded as OpenSSL bounds them."""
    error = failure(pem_files(tmp_path, leaf.pem(), _scrypt(*numbers), "x"))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "asks for" in error.message


@pytest.mark.parametrize("numbers", [(3, 8, 1), (0, 8, 1), (2**14, 0, 1)])
def test_numbers_that_scrypt_has_not(
    tmp_path: Path, leaf: pki.Leaf, numbers: tuple[int, int, int]
) -> None:
    """Others than scrypt's own are a clean error."""
    assert failure(pem_files(tmp_path, leaf.pem(), _scrypt(*numbers), "x")).remedy


def test_scrypt(tmp_path: Path, leaf: pki.Leaf) -> None:
    """The twin: what OpenSSL writes with scrypt opens."""
    key = openssl("pkcs8", "-topk8", "-scrypt", "-passout", "pass:x", stdin=leaf.key_pem())

    assert leaf.fingerprint == load_identity(pem_files(tmp_path, leaf.pem(), key, "x")).fingerprint


def test_elements_without_end(leaf: pki.Leaf) -> None:
    """Millions of small elements, in each form that BER has, are refused and not gone through."""
    many = b"\x02\x01\x00" * 2_000_000
    for content in (
        der.sequence(der.integer(3), der.sequence(pfx.DATA, der.explicit(der.octets(many)))),
        der.sequence(many),
        der.endless(0x30, many),
        pfx.file_of_safe(der.sequence(many)),
        pfx.file_of(pfx.data(many)),
        pfx.file_of(pfx.data(*[pfx.certificate_bag(b"")] * 3000)),
    ):
        assert IdentityProblem.DAMAGED is failure(inline(content, "x")).problem


def test_bags_in_bags(leaf: pki.Leaf) -> None:
    """A safe in a safe is opened, and a tower of them is damage."""
    bags = pfx.key_bag(pfx.pkcs8(leaf)), pfx.certificate_bag(leaf.der())
    tower = pfx.safe_bag(*bags)
    assert leaf.fingerprint == load_inline(pfx.file_of(pfx.data(tower)), None).fingerprint

    for _ in range(8):
        tower = pfx.safe_bag(tower)
    assert IdentityProblem.DAMAGED is failure(inline(pfx.file_of(pfx.data(tower)), None)).problem


def test_certificates_without_end(tmp_path: Path, leaf: pki.Leaf) -> None:
    """Thousands of certificates beside a key are no chain, and nobody looks for one in them."""
    error = failure(pem_files(tmp_path, leaf.pem() * 600, leaf.key_pem()))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "1800 certificates" in error.message


def test_issuers_in_a_circle(leaf: pki.Leaf, root: pki.Authority, tmp_path: Path) -> None:
    """Hundreds of renewals of one authority, each the issuer of all, are a chain of few."""
    circle = [pki.Authority("Circle", parent=root)]
    circle.append(pki.Authority("Circle", parent=circle[0], signing_key=circle[0].key))
    for _ in range(30):
        circle.append(pki.Authority("Circle", parent=circle[0], signing_key=circle[0].key))
    client = circle[0].issue("client")
    text = pki.pem(client.certificate, *(each.certificate for each in circle))
    loaded = load_identity(pem_files(tmp_path, text, client.key_pem()))

    assert 16 >= len(loaded.intermediates)


def test_rc2() -> None:
    """RC2 by the vector of RFC 2268, section 5; 40 bits and CBC are tested by whole files."""
    key, text = bytes.fromhex("88bca90e90875a7f0f79c384627bafb2"), "2269552ab0f85ca6"

    assert bytes(8) == decrypt_rc2_cbc(Secret(key), bytes(8), bytes.fromhex(text)).reveal()
