"""Certificates that parse only in part: they stop nothing that does not need the broken part."""

from __future__ import annotations

import base64
import datetime
from pathlib import Path

import pytest

from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identity
from tests.support import pki

from . import der
from .material import failure, pem_files

pytestmark = pytest.mark.usefixtures("reader")

EC_KEY = der.identifier("1.2.840.10045.2.1")
EC_SIGNATURE = der.identifier("1.2.840.10045.4.3.2")


def _changed(certificate: bytes, old: bytes, new: bytes) -> bytes:
    """PEM of a certificate with some of its bytes changed, its lengths kept."""
    assert len(old) == len(new)
    assert old in certificate
    return _pem(b"CERTIFICATE", certificate.replace(old, new))


def _pem(label: bytes, content: bytes) -> bytes:
    line = label + b"-----\n"
    return b"-----BEGIN " + line + base64.encodebytes(content) + b"-----END " + line


def _of_unknown_key(leaf: pki.Leaf) -> bytes:
    return _changed(leaf.der(), EC_KEY, der.identifier("1.2.840.10045.2.9"))


def test_unreadable_subject(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A leaf whose subject is no text is damaged, whatever its key."""
    certificate = _changed(leaf.der(), b"client", b"\xff" * 6)
    error = failure(pem_files(tmp_path, certificate, leaf.key_pem()))

    assert IdentityProblem.DAMAGED is error.problem
    assert "not DER as OpenSSL reads it" in error.message


def test_unreadable_subject_of_another(
    tmp_path: Path, issuer: pki.Authority, leaf: pki.Leaf
) -> None:
    """A foreign certificate with such a subject stops nothing, and a mismatch can still be told."""
    foreign = _changed(issuer.issue("client").der(), b"client", b"\xff" * 6)
    loaded = load_identity(pem_files(tmp_path, foreign + leaf.pem(), leaf.key_pem()))
    error = failure(pem_files(tmp_path, foreign, leaf.key_pem()))

    assert leaf.fingerprint == loaded.fingerprint
    assert IdentityProblem.KEY_MISMATCH is error.problem
    assert "CN=\ufffd" in error.message


def test_key_of_an_unknown_kind(tmp_path: Path, issuer: pki.Authority, leaf: pki.Leaf) -> None:
    """A certificate for a key of an unknown kind fits no key."""
    foreign = _of_unknown_key(issuer.issue("other"))
    loaded = load_identity(pem_files(tmp_path, foreign + leaf.pem(), leaf.key_pem()))
    error = failure(pem_files(tmp_path, _of_unknown_key(leaf), leaf.key_pem()))

    assert leaf.fingerprint == loaded.fingerprint
    assert IdentityProblem.KEY_MISMATCH is error.problem


def test_signature_of_an_unknown_kind(tmp_path: Path, leaf: pki.Leaf) -> None:
    """Where the signature cannot be checked here, the names decide and the server checks."""
    unknown = _changed(leaf.der(), EC_SIGNATURE, der.identifier("1.2.840.10045.4.3.99"))
    foreign = pki.Authority("Other").intermediate("Other issuer")
    certificates = unknown + foreign.pem + pki.pem(*leaf.chain)

    assert leaf.chain == load_identity(pem_files(tmp_path, certificates, leaf.key_pem())).chain


def test_issuer_with_an_impossible_date(tmp_path: Path, root: pki.Authority) -> None:
    """Of two issuers the one whose end cannot be read comes last."""
    late = datetime.datetime(2100, 1, 2, tzinfo=datetime.timezone.utc)
    good = pki.Authority("Dated", parent=root)
    bad = pki.Authority("Dated", parent=root, signing_key=good.key, not_after=late)
    leaf = good.issue("client")
    no_year = _changed(bad.der, b"21000102", b"00000102")
    both = load_identity(pem_files(tmp_path, leaf.pem() + no_year, leaf.key_pem()))

    assert good.certificate == both.chain[0]


def test_private_key_of_an_unknown_kind(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A key for an unknown algorithm is not taken for a damaged one."""
    algorithm = der.sequence(der.identifier("1.2.3.4"))
    content = der.sequence(der.integer(0), algorithm, der.octets(bytes(40)))
    error = failure(pem_files(tmp_path, leaf.pem(), _pem(b"PRIVATE KEY", content)))

    assert error.problem is IdentityProblem.UNSUPPORTED


@pytest.mark.parametrize("curve", ["1.2.3.4", "1.3.132.0.6", "1.3.36.3.3.2.8.1.1.1"])
def test_private_key_on_an_unusual_curve(tmp_path: Path, leaf: pki.Leaf, curve: str) -> None:
    """Newer releases of cryptography name the curve as the reason, 42.0 panics at some."""
    algorithm = der.sequence(EC_KEY, der.identifier(curve))
    own = der.octets(der.sequence(der.integer(1), der.octets(b"\1" * 32)))
    content = der.sequence(der.integer(0), algorithm, own)
    error = failure(pem_files(tmp_path, leaf.pem(), _pem(b"PRIVATE KEY", content)))

    assert error.problem in (IdentityProblem.UNSUPPORTED, IdentityProblem.DAMAGED)
    assert "uses an algorithm" in error.message or "has parameters" in error.message
