"""Certificates are read by what is at hand; the import of more has to pay."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mxcert_runtime.identity.material import certificate_readers
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.identity.material.pairing import has_issued
from tests.support import pki
from tests.support.derivation_modules import loaded_by_derivation
from tests.support.subprocesses import run_client

from .material import load_inline

_READERS = ("cryptography.x509", "cryptography.hazmat.primitives.serialization")
_SCRIPT = """
import json, sys, mxcert_runtime
print(json.dumps([[each in sys.modules for each in {readers}], mxcert_runtime.is_active()]))
"""


def _imported(folder: Path, content: bytes, count: int) -> object:
    (folder / "identity.p12").write_bytes(content)
    entries = [
        {"name": f"number {each}", "pkcs12": str(folder / "identity.p12"), "password": "x"}
        for each in range(count)
    ]
    for number, entry in enumerate(entries):
        entry["hosts"] = f"{number}.example"
    settings = folder / "mxcert.json"
    settings.write_text(json.dumps({"identity": entries}), "utf-8")
    script = _SCRIPT.format(readers=_READERS)
    return run_client(script, environment={"MXCERT_CONFIG": str(settings)}, host_patterns=()).json()


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_import_leaves_them(
    tmp_path: Path, root: pki.Authority, issuer: pki.Authority, kind: str
) -> None:
    """One identity is loaded without the readers of cryptography, its chain and root among it."""
    leaf = issuer.issue("client", key=kind)
    content = leaf.pkcs12("x", chain=(root.certificate, *leaf.chain))
    is_loaded = [each in loaded_by_derivation() for each in _READERS]
    assert [is_loaded, True] == _imported(tmp_path, content, 1)


def test_many_identities_bring_them(tmp_path: Path, leaf: pki.Leaf) -> None:
    """The twin: where there are many, each is read in less time than OpenSSL takes."""
    assert [[True, True], True] == _imported(tmp_path, leaf.pkcs12("x"), 32)


def _bare_authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """One of the old kind, without any extension."""
    builder = x509.CertificateBuilder().subject_name(pki.name("Old")).issuer_name(pki.name("Old"))
    builder = builder.not_valid_before(pki.now()).not_valid_after(pki.now().replace(year=2090))
    builder = builder.serial_number(x509.random_serial_number()).public_key(key.public_key())
    return builder.sign(key, hashes.SHA256())


def test_without_key_identifiers_signatures_decide(reader: str) -> None:
    """Certificates that do not say whose key they are of are told apart by their signatures."""
    one, two = (_bare_authority(ec.generate_private_key(ec.SECP256R1())) for _ in range(2))
    first, second = Certificate.of(one), Certificate.of(two)

    assert [True, False] == [has_issued(first, first), has_issued(second, first)]


def test_another_key_identifier_lets_signatures_decide(reader: str) -> None:
    """A number that an authority chose anew says nothing against it."""
    key = pki.private_key("ec")
    old, new = pki.Authority("One", signing_key=key), pki.Authority("One", signing_key=key)
    renumbered = Certificate.of(old.certificate)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    leaf = Certificate.of(_issued_with_other_number(new, key))

    assert has_issued(renumbered, leaf)
    assert not has_issued(Certificate.of(pki.Authority("One").certificate), leaf)


def _issued_with_other_number(
    authority: pki.Authority, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(pki.name("leaf"))
    builder = builder.issuer_name(authority.certificate.subject).public_key(key.public_key())
    builder = builder.not_valid_before(pki.now()).not_valid_after(pki.now().replace(year=2090))
    number = x509.AuthorityKeyIdentifier(b"another", None, None)
    builder = builder.serial_number(x509.random_serial_number()).add_extension(number, False)
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize("form", ["its hash", "in SHA-256", "of the whole", "counted"])
def test_only_a_hash_of_the_key_spares_the_signature(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing but OpenSSL is at hand, a number that another key could have proves nothing."""
    monkeypatch.setattr(certificate_readers, "is_at_hand", lambda: False)
    key, impostor = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer, numbered = (_numbered(form, each, signed_by=impostor) for each in (key, impostor))

    assert has_issued(numbered, numbered)
    assert (form != "counted") == has_issued(issuer, issuer)


def test_without_the_hash_signatures_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that has no SHA-1 puts chains in order all the same."""

    first, second = (Certificate.of(pki.Authority("One").certificate) for _ in range(2))

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setattr(certificate_readers, "is_at_hand", lambda: False)
    monkeypatch.setattr(hashlib, "sha1", refuse)

    assert [True, False] == [has_issued(first, first), has_issued(second, first)]


def _numbered(
    form: str, key: ec.EllipticCurvePrivateKey, *, signed_by: ec.EllipticCurvePrivateKey
) -> Certificate:
    whole = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    number = {
        "its hash": hashlib.sha1(whole[-65:], usedforsecurity=False).digest(),
        "in SHA-256": hashlib.sha256(whole[-65:]).digest()[:20],
        "of the whole": hashlib.sha1(whole, usedforsecurity=False).digest(),
        "counted": b"7",
    }[form]
    builder = x509.CertificateBuilder().subject_name(pki.name("CA")).issuer_name(pki.name("CA"))
    builder = builder.not_valid_before(pki.now()).not_valid_after(pki.now().replace(year=2090))
    builder = builder.serial_number(x509.random_serial_number()).public_key(key.public_key())
    own, named = x509.SubjectKeyIdentifier(number), x509.AuthorityKeyIdentifier(number, None, None)
    builder = builder.add_extension(own, critical=False).add_extension(named, critical=False)
    return Certificate.of(builder.sign(signed_by, hashes.SHA256()))


def test_what_is_at_hand_is_asked(leaf: pki.Leaf) -> None:
    """In a program that has imported cryptography's reader, it is asked first."""
    assert certificate_readers.is_at_hand()
    assert "parsed" in vars(load_inline(leaf.pkcs12("x"), "x").leaf)


def test_with_openssl_at_hand_cryptography_is_not_asked(
    leaf: pki.Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin; its view is there all the same for whoever asks for it."""
    monkeypatch.setattr(certificate_readers, "is_at_hand", lambda: False)
    identity = load_inline(leaf.pkcs12("x"), "x")
    assert "parsed" not in vars(identity.leaf)
    assert leaf.certificate == identity.certificate
