"""A password opens what it was given for, in whatever bytes its writer made of it."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identity
from tests.support import pki
from tests.support.openssl_command import openssl

from . import pfx
from .material import failure, inline, load_inline, pem_files

PASSWORD = "pässwörd"
OTHER_FORM = {"NFC": "NFD", "NFD": "NFC"}


def _by_openssl(folder: Path, leaf: pki.Leaf, password: bytes, *options: str) -> bytes:
    """What the command writes; it takes bytes that are no UTF-8 one by one for characters."""
    source = folder / "source.pem"
    source.write_bytes(leaf.pem() + leaf.key_pem())
    (folder / "password").write_bytes(password)
    arguments = ["-passout", f"file:{folder / 'password'}", *options]
    return openssl("pkcs12", "-export", "-in", str(source), *arguments)


OLD = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]
OLDEST = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-40", "-macalg", "sha1", "-legacy"]


@pytest.mark.parametrize("options", [OLD, OLDEST], ids=["3DES", "RC2"])
def test_each_byte_widened(tmp_path: Path, leaf: pki.Leaf, options: list[str]) -> None:
    """OpenSSL before 1.1 and LibreSSL take each byte of UTF-8 for a character of its own."""
    widened = PASSWORD.encode().decode("latin-1")
    content = _by_openssl(tmp_path, leaf, widened.encode(), *options)

    assert leaf.fingerprint == load_inline(content, PASSWORD).fingerprint
    wrong = failure(inline(content, PASSWORD + "x")).problem
    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is wrong


@pytest.mark.parametrize("options", [[], OLD], ids=["PBES2", "3DES"])
def test_latin_1(tmp_path: Path, leaf: pki.Leaf, options: list[str]) -> None:
    """A terminal in Latin-1 gave OpenSSL other bytes than one in UTF-8."""
    content = _by_openssl(tmp_path, leaf, PASSWORD.encode("latin-1"), *options)

    assert leaf.fingerprint == load_inline(content, PASSWORD).fingerprint


@pytest.mark.parametrize("encryption", ["pbes2", "3des"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_forms_of_unicode(leaf: pki.Leaf, encryption: str, form: str) -> None:
    """A letter with an accent is one character or two, as keyboards and systems have it."""
    made_with = unicodedata.normalize(form, PASSWORD)
    given = unicodedata.normalize(OTHER_FORM[form], PASSWORD)
    assert made_with != given
    content = leaf.pkcs12(made_with, encryption=encryption)

    assert leaf.fingerprint == load_inline(content, given).fingerprint


@pytest.mark.parametrize("key_form", ["pkcs8", "traditional"])
@pytest.mark.parametrize("password", [PASSWORD.encode("latin-1"), PASSWORD.encode()])
def test_pem_keys(tmp_path: Path, leaf: pki.Leaf, password: bytes, key_form: str) -> None:
    """The same for PEM keys."""
    described = pem_files(tmp_path, leaf.pem(), leaf.key_pem(password, key_form), PASSWORD)

    assert leaf.fingerprint == load_identity(described).fingerprint


@pytest.mark.parametrize("cipher", ["aes192", "camellia256", "aria128", "des3"])
def test_ciphers_of_pem_keys(tmp_path: Path, leaf: pki.Leaf, cipher: str) -> None:
    """What OpenSSL decrypts opens, also where this package knows nothing of the cipher."""
    key = openssl("pkcs8", "-topk8", "-v2", cipher, "-passout", "pass:x", stdin=leaf.key_pem())
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in key

    assert leaf.fingerprint == load_identity(pem_files(tmp_path, leaf.pem(), key, "x")).fingerprint
    wrong = failure(pem_files(tmp_path, leaf.pem(), key, "y"))
    assert wrong.problem in (
        IdentityProblem.WRONG_PASSWORD_OR_DAMAGED,
        IdentityProblem.UNSUPPORTED,
    )


@pytest.mark.parametrize("cipher", ["aes128", "aes192", "aes256", "des3", "camellia128"])
def test_ciphers_of_traditional_keys(tmp_path: Path, leaf: pki.Leaf, cipher: str) -> None:
    """The encryption that was before PKCS8 opens by every cipher that OpenSSL has for it."""
    options = ["-traditional", f"-{cipher}", "-passout", "pass:x"]
    key = openssl("pkey", *options, stdin=leaf.key_pem())
    assert b"DEK-Info" in key

    assert leaf.fingerprint == load_identity(pem_files(tmp_path, leaf.pem(), key, "x")).fingerprint


@pytest.mark.parametrize("cipher", ["camellia-256-cbc", "aria-256-cbc"])
def test_ciphers_of_shrouded_keys(tmp_path: Path, leaf: pki.Leaf, cipher: str) -> None:
    """The same for a key inside PKCS12; certificates under such a cipher are told as that."""
    key = ["-keypbe", cipher, "-certpbe", "AES-256-CBC"]
    content = _by_openssl(tmp_path, leaf, b"x", *key)
    all_of_it = _by_openssl(tmp_path, leaf, b"x", "-keypbe", cipher, "-certpbe", cipher)

    assert leaf.fingerprint == load_inline(content, "x").fingerprint
    error = failure(inline(all_of_it, "x"))
    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "although its password is right" in error.message


@pytest.mark.parametrize("cipher", ["PBE-SHA1-2DES", "PBE-SHA1-RC2-128", "PBE-SHA1-RC4-40"])
def test_old_ciphers(tmp_path: Path, leaf: pki.Leaf, cipher: str) -> None:
    """What PKCS12 itself defines opens, but for what the build has no cipher for."""
    content = _by_openssl(tmp_path, leaf, b"x", "-legacy", "-keypbe", cipher, "-certpbe", cipher)

    assert leaf.fingerprint == load_inline(content, "x").fingerprint


def test_mac_of_rfc_9579(leaf: pki.Leaf) -> None:
    """PBMAC1 proves a password as the older MAC does."""
    content = pfx.with_pbmac1(leaf.pkcs12("x"), b"x")

    assert leaf.fingerprint == load_inline(content, "x").fingerprint
    wrong = failure(inline(content, "y")).problem
    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is wrong


def test_a_password_of_any_length(leaf: pki.Leaf) -> None:
    """A password longer than a block of its hash, beyond what OpenSSL's own MAC function tests."""
    password = os.urandom(300).hex()

    for encryption in ("pbes2", "3des"):
        content = leaf.pkcs12(password, encryption=encryption)
        assert leaf.fingerprint == load_inline(content, password).fingerprint
