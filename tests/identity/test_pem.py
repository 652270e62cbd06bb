"""PEM certificates and keys in every form that is around."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identity
from mxcert_runtime.identity.sources import PemFiles, Pkcs12File
from tests.support import pki
from tests.support.openssl_command import openssl

from . import der
from .material import failure, pem_files, settings

KINDS = ["ec", "rsa", "ed25519"]
FORMS = [(kind, "pkcs8") for kind in KINDS] + [("ec", "traditional"), ("rsa", "traditional")]


@pytest.mark.parametrize(("kind", "form"), FORMS)
@pytest.mark.parametrize("password", [None, "secret", "pässwörd €"])
def test_key_forms(
    tmp_path: Path, issuer: pki.Authority, kind: str, form: str, password: str | None
) -> None:
    """PKCS8 and traditional keys load, encrypted or not."""
    leaf = issuer.issue("client", key=kind)
    described = pem_files(tmp_path, leaf.pem(), leaf.key_pem(password, form), password)

    assert leaf.fingerprint == load_identity(described).fingerprint


@pytest.mark.parametrize(("kind", "form"), FORMS)
def test_wrong_password(tmp_path: Path, issuer: pki.Authority, kind: str, form: str) -> None:
    """Nothing authenticates an encrypted PEM key: wrong password and damage look the same."""
    leaf = issuer.issue("client", key=kind)
    error = failure(pem_files(tmp_path, leaf.pem(), leaf.key_pem("secret", form), "wrong"))

    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is error.problem


@pytest.mark.parametrize("password", [None, ""])
@pytest.mark.parametrize("form", ["pkcs8", "traditional"])
def test_missing_password(tmp_path: Path, leaf: pki.Leaf, form: str, password: str | None) -> None:
    """An encrypted key without a password is told from one with a wrong password."""
    error = failure(pem_files(tmp_path, leaf.pem(), leaf.key_pem("secret", form), password))

    assert IdentityProblem.PASSWORD_MISSING is error.problem


@pytest.mark.parametrize("form", ["pkcs8", "traditional"])
def test_needless_password(tmp_path: Path, leaf: pki.Leaf, form: str) -> None:
    """A password for a key that is not encrypted does no harm."""
    described = pem_files(tmp_path, leaf.pem(), leaf.key_pem(None, form), "needless")

    assert leaf.fingerprint == load_identity(described).fingerprint


@pytest.mark.parametrize("password", [None, "secret"])
def test_both_in_one_file(tmp_path: Path, leaf: pki.Leaf, password: str | None) -> None:
    """Certificate and key may stand in one file, the key first or last."""
    for number, content in enumerate(
        (leaf.pem() + leaf.key_pem(password), leaf.key_pem(password) + leaf.pem())
    ):
        path = tmp_path / f"both{number}.pem"
        path.write_bytes(content)
        both = settings(PemFiles(str(path), str(path)), password)
        assert leaf.fingerprint == load_identity(both).fingerprint


def test_ec_parameters_before_the_key(tmp_path: Path, leaf: pki.Leaf) -> None:
    """`openssl ecparam -genkey` puts a block of parameters in front of the key."""
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    key = parameters + leaf.key_pem(None, "traditional")

    assert leaf.fingerprint == load_identity(pem_files(tmp_path, leaf.pem(), key)).fingerprint


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"   ", b"\n      "])
def test_line_ends(tmp_path: Path, leaf: pki.Leaf, end: bytes) -> None:
    """Windows line ends, indented text and text that lost its line ends are read."""
    certificates, key = (x.replace(b"\n", end) for x in (leaf.pem(), leaf.key_pem()))

    assert leaf.chain == load_identity(pem_files(tmp_path, certificates, key)).chain


@pytest.mark.parametrize("name", ["leaf.crt", "leaf.key"])
def test_unreadable_files(tmp_path: Path, leaf: pki.Leaf, name: str) -> None:
    """A missing file and a directory are named, with the reason of the operating system."""
    described = pem_files(tmp_path, leaf.pem(), leaf.key_pem())
    (tmp_path / name).unlink()
    missing = failure(described)
    (tmp_path / name).mkdir()
    directory = failure(described)

    assert IdentityProblem.UNREADABLE is missing.problem is directory.problem
    assert f"{str(tmp_path / name)!r} cannot be read: No such file or directory" == missing.message
    assert f"{str(tmp_path / name)!r} cannot be read: Is a directory" == directory.message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_file_without_permission(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A file that may not be read says so, and who must be allowed to."""
    described = pem_files(tmp_path, leaf.pem(), leaf.key_pem())
    (tmp_path / "leaf.key").chmod(0)
    error = failure(described)

    assert IdentityProblem.UNREADABLE is error.problem
    assert "user that runs this program" in error.remedy


def test_path_with_nul() -> None:
    """A path that no system can have is unreadable."""
    assert IdentityProblem.UNREADABLE is failure(settings(Pkcs12File("a\0b"))).problem


def test_huge_file(tmp_path: Path) -> None:
    """A file of a size that no certificates have is refused before it is parsed."""
    path = tmp_path / "huge.p12"
    with path.open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    error = failure(settings(Pkcs12File(str(path))))

    assert IdentityProblem.UNREADABLE is error.problem
    assert "larger than 10 MiB" in error.message


def test_empty_file(tmp_path: Path, leaf: pki.Leaf) -> None:
    """An empty file is named as that."""
    error = failure(pem_files(tmp_path, leaf.pem(), b""))

    assert IdentityProblem.DAMAGED is error.problem
    assert "leaf.key' is empty" in error.message


def test_key_file_without_a_key(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A certificate where the key must be is no key."""
    error = failure(pem_files(tmp_path, leaf.pem(), leaf.pem()))

    assert IdentityProblem.NO_KEY is error.problem


def test_certificate_file_without_a_certificate(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A key where the certificate must be is no certificate."""
    error = failure(pem_files(tmp_path, leaf.key_pem(), leaf.key_pem()))

    assert IdentityProblem.NO_CERTIFICATE is error.problem


def test_binary_certificate(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A DER certificate is not PEM; the error has the command that converts it."""
    error = failure(pem_files(tmp_path, leaf.der(), leaf.key_pem()))

    assert IdentityProblem.NO_CERTIFICATE is error.problem
    assert "openssl x509 -inform der" in error.remedy


def test_damaged_certificate_is_counted(tmp_path: Path, leaf: pki.Leaf) -> None:
    """Of several certificates the damaged one is named by its number."""
    damaged = leaf.pem(chain=False) + pki.pem(leaf.chain[0]).replace(b"MII", b"AAA")
    error = failure(pem_files(tmp_path, damaged, leaf.key_pem()))

    assert IdentityProblem.DAMAGED is error.problem
    assert "certificate 2 of" in error.message


@pytest.mark.parametrize("password", [None, "secret"])
def test_damaged_key(tmp_path: Path, leaf: pki.Leaf, password: str | None) -> None:
    """A key whose text or outer structure is broken is damaged, whatever the password."""
    key = leaf.key_pem(password)
    for broken in (key.replace(b"M", b"*", 1), key.replace(b"-----END", b"-END"), _cut(key)):
        error = failure(pem_files(tmp_path, leaf.pem(), broken, password))
        assert IdentityProblem.DAMAGED is error.problem


def _cut(key: bytes) -> bytes:
    lines = key.splitlines(keepends=True)
    return b"".join(lines[:-2] + lines[-1:])


def test_openssh_key(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A key in OpenSSH's own form is named, with the command that converts it."""
    key = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    error = failure(pem_files(tmp_path, leaf.pem(), key))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "ssh-keygen" in error.remedy


def test_key_of_a_kind_that_tls_does_not_use(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A key that agrees on secrets but signs nothing cannot identify a client."""
    key = x25519.X25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    error = failure(pem_files(tmp_path, leaf.pem(), pem))

    assert IdentityProblem.UNSUPPORTED is error.problem


def test_unusual_encryption(tmp_path: Path, leaf: pki.Leaf) -> None:
    """An algorithm that not every build decrypts is named instead of blaming the password."""
    plain = tmp_path / "plain.key"
    plain.write_bytes(leaf.key_pem())
    arguments = ["-in", str(plain), "-passout", "pass:secret", "-v2", "camellia-256-cbc"]
    key = openssl("pkcs8", "-topk8", *arguments)
    error = failure(pem_files(tmp_path, leaf.pem(), key, "wrong"))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "1.2.392.200011.61.1.1.1.4" in error.message
    assert "openssl pkey" in error.remedy


def test_traditional_3des(tmp_path: Path, issuer: pki.Authority) -> None:
    """3DES, the usual encryption of old traditional keys, opens; a wrong password does not."""
    leaf = issuer.issue("client", key="rsa")
    plain = tmp_path / "plain.key"
    plain.write_bytes(leaf.key_pem())
    arguments = ["-traditional", "-des3", "-in", str(plain), "-passout", "pass:secret"]
    key = openssl("rsa", *arguments)
    loaded = load_identity(pem_files(tmp_path, leaf.pem(), key, "secret"))
    error = failure(pem_files(tmp_path, leaf.pem(), key, "wrong"))

    assert leaf.fingerprint == loaded.fingerprint
    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is error.problem


def test_scrypt(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A key that scrypt protects opens."""
    plain = tmp_path / "plain.key"
    plain.write_bytes(leaf.key_pem())
    arguments = ["-scrypt", "-in", str(plain), "-passout", "pass:secret"]
    key = openssl("pkcs8", "-topk8", *arguments)

    assert leaf.subject == load_identity(pem_files(tmp_path, leaf.pem(), key, "secret")).subject


@pytest.mark.parametrize(("rounds", "problem"), [(2048, "does not open"), (2**31 - 1, "rounds")])
def test_rounds_without_end(tmp_path: Path, leaf: pki.Leaf, rounds: int, problem: str) -> None:
    """A count of rounds that would take hours is refused before it is begun."""
    content = der.sequence(der.pbes2(rounds), der.octets(bytes(64)))
    label = b"ENCRYPTED PRIVATE KEY-----\n"
    key = b"-----BEGIN " + label + base64.encodebytes(content) + b"-----END " + label

    assert problem in failure(pem_files(tmp_path, leaf.pem(), key, "secret")).message
