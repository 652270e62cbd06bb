"""PKCS12 in every protection that is around, and what is said of the files that do not open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identity
from tests.support import pki
from tests.support.openssl_command import openssl

from .material import failure, inline, load_inline, pkcs12_file
from .pfx import without_mac

ENCRYPTIONS = ["pbes2", "3des", "rc2"]


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("password", ["secret", "pässwörd €", "𝄞"])
def test_encryptions(tmp_path: Path, leaf: pki.Leaf, encryption: str, password: str) -> None:
    """Today's and the old encryptions open, with any Unicode password, file or inline."""
    content = leaf.pkcs12(password, encryption=encryption)

    assert leaf.fingerprint == load_identity(pkcs12_file(tmp_path, content, password)).fingerprint
    assert leaf.chain == load_inline(content, password).chain


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("password", ["wrong", "Secret", "secret "])
def test_wrong_password(leaf: pki.Leaf, encryption: str, password: str) -> None:
    """A wrong password and damage both break the MAC; neither is guessed, nor is the encryption."""
    error = failure(inline(leaf.pkcs12("secret", encryption=encryption), password))

    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is error.problem
    assert error.message.endswith("the password is wrong or the file is damaged")


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_key_kinds(issuer: pki.Authority, kind: str) -> None:
    """Every kind of key opens."""
    leaf = issuer.issue("client", key=kind)

    assert leaf.fingerprint == load_inline(leaf.pkcs12("x"), "x").fingerprint


@pytest.mark.parametrize("mac", ["SHA1", "SHA256", "SHA384", "SHA512"])
def test_mac_algorithms(leaf: pki.Leaf, mac: str) -> None:
    """The MAC's own hash decides nothing."""
    content = leaf.pkcs12("x", mac=getattr(hashes, mac)())

    assert leaf.fingerprint == load_inline(content, "x").fingerprint
    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is failure(inline(content, "y")).problem


def test_600000_rounds(leaf: pki.Leaf) -> None:
    """As many rounds as OWASP asks for are no obstacle."""
    assert leaf.subject == load_inline(leaf.pkcs12("x", rounds=600_000), "x").subject


@pytest.mark.parametrize("made_with", ["", None])
@pytest.mark.parametrize("given", ["", None])
def test_empty_and_missing_password(
    leaf: pki.Leaf, made_with: str | None, given: str | None
) -> None:
    """PKCS12 tells an empty password from none; the settings need not know which it was."""
    assert leaf.fingerprint == load_inline(leaf.pkcs12(made_with), given).fingerprint


def test_empty_and_missing_password_are_two_files(leaf: pki.Leaf) -> None:
    """A password is wrong for both."""
    for made_with in ("", None):
        error = failure(inline(leaf.pkcs12(made_with), "needless"))
        assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is error.problem


@pytest.mark.parametrize("password", [None, "", "needless"])
def test_unprotected_file(leaf: pki.Leaf, password: str | None) -> None:
    """A file without encryption opens, and a password for it does no harm."""
    content = leaf.pkcs12(None, encryption="none")

    assert leaf.fingerprint == load_inline(content, password).fingerprint
    assert leaf.fingerprint == load_inline(without_mac(content), password).fingerprint


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("password", [None, ""])
def test_password_missing(leaf: pki.Leaf, encryption: str, password: str | None) -> None:
    """Without a password, the error asks for one."""
    error = failure(inline(leaf.pkcs12("secret", encryption=encryption), password))

    assert IdentityProblem.PASSWORD_MISSING is error.problem


@pytest.mark.parametrize("password", ["a\0b", "\ud800", "gr\udcfc\udcdfe"])
def test_password_that_cannot_be(leaf: pki.Leaf, password: str) -> None:
    """A NUL, or what is no Unicode, cannot be in a password and never reaches OpenSSL."""
    error = failure(inline(leaf.pkcs12("secret"), password))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "NUL" in error.message


def test_file_without_mac(tmp_path: Path, leaf: pki.Leaf) -> None:
    """A file without a MAC opens, whatever the release of cryptography."""
    source = tmp_path / "source.pem"
    source.write_bytes(leaf.pem() + leaf.key_pem())
    arguments = ["-export", "-nomac", "-in", str(source), "-passout", "pass:secret"]
    content = openssl("pkcs12", *arguments)
    wrong = failure(inline(content, "wrong"))

    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is wrong.problem
    assert leaf.fingerprint == load_inline(content, "secret").fingerprint


def test_no_key(leaf: pki.Leaf) -> None:
    """A file of certificates only is no identity, whether it needs a password or not."""
    for encryption, password in (("pbes2", "x"), ("none", None)):
        content = leaf.pkcs12(password, encryption=encryption, key=False)
        error = failure(inline(content, password))
        assert IdentityProblem.NO_KEY is error.problem


def test_no_certificate(leaf: pki.Leaf) -> None:
    """A file with a key only is no identity."""
    content = pkcs12.serialize_key_and_certificates(
        None, leaf.key, None, None, BestAvailableEncryption(b"x")
    )

    assert IdentityProblem.NO_CERTIFICATE is failure(inline(content, "x")).problem


def test_leaf_that_is_not_marked(leaf: pki.Leaf) -> None:
    """The leaf is found by its key where no local key ID marks it."""
    content = pkcs12.serialize_key_and_certificates(
        None, leaf.key, None, (*leaf.chain, leaf.certificate), BestAvailableEncryption(b"x")
    )

    assert leaf.fingerprint == load_inline(content, "x").fingerprint


def test_key_that_fits_no_certificate(issuer: pki.Authority, leaf: pki.Leaf) -> None:
    """A key beside certificates for other keys is a mismatch."""
    others = (issuer.issue("other").certificate,)
    content = pkcs12.serialize_key_and_certificates(
        None, leaf.key, None, others, BestAvailableEncryption(b"x")
    )

    assert IdentityProblem.KEY_MISMATCH is failure(inline(content, "x")).problem


@pytest.mark.parametrize("content", [b"hello", b"\x30\x80", b"\x30\x03\x02\x01\x03", bytes(100)])
def test_no_pkcs12(content: bytes) -> None:
    """What has not the structure is damaged, whatever the password."""
    for password in (None, "x"):
        assert IdentityProblem.DAMAGED is failure(inline(content, password)).problem


def test_truncated(leaf: pki.Leaf) -> None:
    """A file that was cut off is damaged, not protected by another password."""
    content = leaf.pkcs12("x")
    for length in (10, 100, len(content) // 2, len(content) - 1):
        assert IdentityProblem.DAMAGED is failure(inline(content[:length], "x")).problem


def test_unprotected_file_that_is_damaged_inside(leaf: pki.Leaf) -> None:
    """Where no password is needed, what does not open is damaged."""
    content = leaf.pkcs12(None, encryption="none")
    inside = content.index(leaf.der()) + 4
    broken = content[:inside] + b"\xff\xff" + content[inside + 2 :]
    under_mac = failure(inline(broken, None))

    assert IdentityProblem.DAMAGED is failure(inline(without_mac(broken), None)).problem
    assert IdentityProblem.PASSWORD_MISSING is under_mac.problem
    assert "or it is damaged" in under_mac.message


def test_empty_content() -> None:
    """Nothing at all is named as that."""
    assert "the PKCS12 content in the settings is empty" == failure(inline(b"", "x")).message


def test_content_beyond_all_measure() -> None:
    """The limit of size is for inline content too."""
    assert "larger than 10 MiB" in failure(inline(bytes(11 * 1024**2), "x")).message


def test_other_formats(leaf: pki.Leaf) -> None:
    """PEM and Java keystores are named as what they are, with the command that converts them."""
    pem, java = (failure(inline(x, "x")) for x in (leaf.key_pem(), b"\xfe\xed\xfe\xed" + bytes(9)))

    assert IdentityProblem.UNSUPPORTED is pem.problem is java.problem
    assert "is PEM text" in pem.message
    assert "keytool" in java.remedy


def test_bytes_behind_the_end(leaf: pki.Leaf) -> None:
    """A line end that an editor or a copy put behind the file does no harm."""
    assert leaf.subject == load_inline(leaf.pkcs12("x") + b"\n", "x").subject


LOAD = """
import json, sys
from mxcert_runtime.errors import IdentityError
from tests.identity.material import load_inline
try:
    print(json.dumps(["fine", load_inline(sys.stdin.buffer.read(), "secret").subject]))
except IdentityError as error:
    print(json.dumps([error.problem.value, str(error)]))
"""


def _load_elsewhere(content: bytes, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        input=content,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        check=True,
    )
    answer: list[str] = json.loads(done.stdout)
    return answer


def test_build_without_legacy_algorithms(tmp_path: Path, leaf: pki.Leaf) -> None:
    """RC2 opens on an OpenSSL without it; RC4 is told as that, not as a wrong password."""
    old = leaf.pkcs12("secret", encryption="rc2")
    older = _by_openssl(tmp_path, leaf, "PBE-SHA1-RC4-128")
    problem, text = _load_elsewhere(older, CRYPTOGRAPHY_OPENSSL_NO_LEGACY="1")

    assert ["fine", leaf.subject] == _load_elsewhere(old, CRYPTOGRAPHY_OPENSSL_NO_LEGACY="1")
    assert ["fine", leaf.subject] == _load_elsewhere(older)
    assert "unsupported" == problem
    assert "RC4-128" in text
    assert "openssl pkcs12 -in old.pfx -legacy" in text


def _by_openssl(folder: Path, leaf: pki.Leaf, encryption: str) -> bytes:
    source = folder / "source.pem"
    source.write_bytes(leaf.pem() + leaf.key_pem())
    ciphers = ["-keypbe", encryption, "-certpbe", encryption, "-legacy"]
    return openssl("pkcs12", "-export", *ciphers, "-in", str(source), "-passout", "pass:secret")
