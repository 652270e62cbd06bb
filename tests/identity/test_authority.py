"""Bundles of authorities: every certificate counts, comments do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxcert_runtime.errors import IdentityError, IdentityProblem
from mxcert_runtime.identity.authorities import load_authority_certificates
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.identity.sources import AuthorityFile, AuthorityText
from tests.support import pki

from .material import ORIGIN

ONE, TWO = pki.Authority("One"), pki.Authority("Two")
BOTH = (Certificate.of(ONE.certificate), Certificate.of(TWO.certificate))


def _text(pem: bytes) -> AuthorityText:
    return AuthorityText(pem.decode("latin-1"), ORIGIN)


def _failure(authority: AuthorityFile | AuthorityText) -> IdentityError:
    with pytest.raises(IdentityError) as caught:
        load_authority_certificates(authority)
    return caught.value


@pytest.mark.parametrize(
    "comment",
    [
        b"",
        "# Größe: 2 Zertifikate\n".encode(),
        "# Größe: 2 Zertifikate\n".encode("latin-1"),
        b"Subject: CN=One\n\n  Validity: BEGIN now, END later\n",
        b"# -----BEGIN CERTIFICATE-----\n# MIIcommentedout\n# -----END CERTIFICATE-----\n",
        b"\r\n",
    ],
)
def test_file_with_comments(tmp_path: Path, comment: bytes) -> None:
    """Whatever stands around the certificates, in any encoding, is a comment."""
    path = tmp_path / "custom.crt"
    path.write_bytes(comment + ONE.pem + comment + TWO.pem + comment)

    assert BOTH == load_authority_certificates(AuthorityFile(str(path), ORIGIN))


def test_byte_order_mark(tmp_path: Path) -> None:
    """Editors on Windows put a byte order mark in front, which hides no certificate."""
    path = tmp_path / "custom.crt"
    path.write_bytes(b"\xef\xbb\xbf" + ONE.pem + TWO.pem)

    assert BOTH == load_authority_certificates(AuthorityFile(str(path), ORIGIN))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" "])
def test_text(end: bytes) -> None:
    """Text from a setting is the same, even where it has lost its line ends."""
    assert BOTH == load_authority_certificates(_text((ONE.pem + TWO.pem).replace(b"\n", end)))


def test_certificates_without_a_line_end_between() -> None:
    """Files put together by `cat` may lack the line end; no certificate goes missing."""
    assert BOTH == load_authority_certificates(_text(ONE.pem.strip() + TWO.pem))


def test_other_blocks_are_ignored() -> None:
    """A key or a CRL in the bundle is no certificate and no fault."""
    text = ONE.revoke() + ONE.pem + pki.Leaf(ONE.certificate, ONE.key).key_pem()

    assert BOTH[:1] == load_authority_certificates(_text(text))


@pytest.mark.parametrize("text", [b"", b"  \n", b"no certificate here", ONE.revoke()], ids=range(4))
def test_none(text: bytes) -> None:
    """A text without a certificate is an error: somebody meant to trust something."""
    expected = IdentityProblem.NO_CERTIFICATE if text else IdentityProblem.DAMAGED

    assert expected is _failure(_text(text)).problem


@pytest.mark.parametrize(
    "damaged",
    [
        TWO.pem.replace(b"MII", b"AAA"),
        TWO.pem.replace(b"MII", b"M*I"),
        TWO.pem.replace(b"-----END", b"-----DNE"),
        TWO.pem.replace(b"-----END CERTIFICATE-----\n", b""),
        TWO.pem[: len(TWO.pem) // 2] + b"\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    ],
    ids=range(6),
)
def test_the_damaged_one_is_counted(damaged: bytes) -> None:
    """One damaged certificate is an error with its number, wherever it stands."""
    second, first = _failure(_text(ONE.pem + damaged + ONE.pem)), _failure(_text(damaged + ONE.pem))

    assert IdentityProblem.DAMAGED is first.problem is second.problem
    assert "certificate 1 of the text of the authorities is damaged" == first.message
    assert "certificate 2 of the text of the authorities is damaged" == second.message


def test_trusted_form() -> None:
    """OpenSSL's own TRUSTED CERTIFICATE carries settings that nothing here would obey."""
    error = _failure(_text(ONE.pem + TWO.pem.replace(b"CERT", b"TRUSTED CERT")))

    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "certificate 2 of" in error.message


def test_binary_file(tmp_path: Path) -> None:
    """A DER file is named as that, with the command that converts it."""
    path = tmp_path / "ca.cer"
    path.write_bytes(ONE.der)
    error = _failure(AuthorityFile(str(path), ORIGIN))

    assert IdentityProblem.NO_CERTIFICATE is error.problem
    assert "openssl x509 -inform der" in error.remedy


def test_missing_file(tmp_path: Path) -> None:
    """A missing file is named, with the reason of the operating system."""
    error = _failure(AuthorityFile(str(tmp_path / "none.crt"), ORIGIN))

    assert IdentityProblem.UNREADABLE is error.problem
    assert "none.crt' cannot be read: No such file or directory" in error.message
