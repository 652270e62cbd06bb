"""A file that is something else than its setting is for is told by what it is, with a remedy."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
)

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityError, IdentityProblem
from mxcert_runtime.identity.authorities import load_authority_certificates
from mxcert_runtime.identity.identity import load_identity
from mxcert_runtime.identity.material.recognition import recognise
from mxcert_runtime.identity.sources import AuthorityText

from ..support import pki
from .material import failure, inline, pem_files

Make = Callable[[pki.Leaf], bytes]

_PASSWORD = "a-password-that-no-message-has"


def _both(leaf: pki.Leaf) -> bytes:
    return leaf.key_pem() + leaf.pem()


def _pkcs12(leaf: pki.Leaf) -> bytes:
    return leaf.pkcs12(_PASSWORD, rounds=1)


def _key_der(leaf: pki.Leaf) -> bytes:
    return leaf.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _old_key_der(leaf: pki.Leaf) -> bytes:
    return leaf.key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _sealed_key_der(leaf: pki.Leaf) -> bytes:
    sealing = BestAvailableEncryption(_PASSWORD.encode())
    return leaf.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, sealing)


def _labelled(label: bytes) -> Make:
    return lambda leaf: _bundle(Encoding.PEM)(leaf).replace(b"PKCS7", label)


def _public(encoding: Encoding, form: PublicFormat) -> Make:
    return lambda leaf: leaf.key.public_key().public_bytes(encoding, form)


def _request(encoding: Encoding) -> Make:
    def make(leaf: pki.Leaf) -> bytes:
        builder = x509.CertificateSigningRequestBuilder().subject_name(pki.name("a"))
        return builder.sign(leaf.key, hashes.SHA256()).public_bytes(encoding)

    return make


def _bundle(encoding: Encoding) -> Make:
    return lambda leaf: pkcs7.serialize_certificates([leaf.certificate, *leaf.chain], encoding)


def _revocations(leaf: pki.Leaf) -> bytes:
    return pki.Authority("Another root").revoke(leaf)


def _revocations_der(leaf: pki.Leaf) -> bytes:
    return x509.load_pem_x509_crl(_revocations(leaf)).public_bytes(Encoding.DER)


def _encoded(make: Make, times: int = 1) -> Make:
    def encode(leaf: pki.Leaf) -> bytes:
        content = make(leaf)
        for _ in range(times):
            content = base64.encodebytes(content)
        return content

    return encode


_EXPORT = "openssl pkcs12 -export"
_SSH = _public(Encoding.OpenSSH, PublicFormat.OpenSSH)
_PUBLIC_PEM = _public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
_PUBLIC_DER = _public(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

#: what it is made by, what it is called, and what is to be done where PKCS12, certificates or a
#: key are wanted; nothing where it is what is wanted
_CASES: dict[str, tuple[Make, str, str, str, str]] = {
    "DER certificate": (
        pki.Leaf.der,
        "a certificate in DER without its key",
        "x509 -inform der",
        "x509 -inform der",
        "as `key`",
    ),
    "PEM certificate": (
        pki.Leaf.pem,
        "PEM text with a certificate and no key",
        _EXPORT,
        "",
        "as `key`",
    ),
    "X509 CERTIFICATE": (
        lambda leaf: leaf.pem().replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
        "PEM text with a certificate and no key",
        _EXPORT,
        "",
        "as `key`",
    ),
    "TRUSTED CERTIFICATE": (
        lambda leaf: leaf.pem().replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
        "PEM text with a certificate and no key",
        _EXPORT,
        "",
        "as `key`",
    ),
    "PEM key": (
        pki.Leaf.key_pem,
        "PEM text with a private key and no certificate",
        _EXPORT,
        "as `certificate`",
        "",
    ),
    "encrypted PEM key": (
        lambda leaf: leaf.key_pem(_PASSWORD),
        "PEM text with a private key and no certificate",
        _EXPORT,
        "as `certificate`",
        "",
    ),
    "DER key": (
        _key_der,
        "a private key in DER without a certificate",
        _EXPORT,
        "as `certificate`",
        "openssl pkey -inform der",
    ),
    "traditional DER key": (
        _old_key_der,
        "a private key in DER without a certificate",
        _EXPORT,
        "as `certificate`",
        "openssl pkey -inform der",
    ),
    "encrypted DER key": (
        _sealed_key_der,
        "an encrypted private key in DER without a certificate",
        _EXPORT,
        "as `certificate`",
        "openssl pkcs8 -topk8 -inform der",
    ),
    "PEM of both": (_both, "PEM text with a certificate and a key", "as `certificate`", "", ""),
    "PKCS12": (_pkcs12, "a PKCS12 file", "", "as `pkcs12`", "as `pkcs12`"),
    "base64 of a PKCS12": (
        _encoded(_pkcs12),
        "base64 of a PKCS12 file",
        "",
        "with base64 -d; then: Name it as `pkcs12`",
        "with base64 -d; then: Name it as `pkcs12`",
    ),
    "base64 twice": (
        _encoded(_pkcs12, 2),
        "base64 of base64 of a PKCS12 file",
        "Decode it twice, with base64 -d",
        "Decode it twice",
        "Decode it twice",
    ),
    "base64 of PEM": (
        _encoded(_both),
        "base64 of PEM text with a certificate and a key",
        "with base64 -d; then: Name it as `certificate`",
        "with base64 -d",
        "with base64 -d",
    ),
    "JKS": (
        lambda _: b"\xfe\xed\xfe\xed\0\0\0\x02 and more",
        "a Java keystore (JKS)",
        *("-deststoretype PKCS12",) * 3,
    ),
    "JCEKS": (
        lambda _: b"\xce\xce\xce\xce\0\0\0\x02 and more",
        "a Java keystore (JCEKS)",
        *("-srcstoretype JCEKS",) * 3,
    ),
    "PKCS7": (
        _bundle(Encoding.DER),
        "a PKCS7 bundle, which holds certificates and no key",
        "openssl pkcs7 -inform der -print_certs",
        "openssl pkcs7 -inform der -print_certs",
        "as `key`",
    ),
    "PKCS7 in PEM": (
        _bundle(Encoding.PEM),
        "a PKCS7 bundle in PEM, which holds certificates and no key",
        "openssl pkcs7 -print_certs",
        "openssl pkcs7 -print_certs",
        "as `key`",
    ),
    "PKCS7 by its first name": (
        _labelled(b"PKCS #7 SIGNED DATA"),
        "a PKCS7 bundle in PEM, which holds certificates and no key",
        *("openssl pkcs7 -print_certs",) * 2,
        "as `key`",
    ),
    "CMS": (
        _labelled(b"CMS"),
        "a CMS bundle in PEM, which holds certificates and no key",
        *("openssl pkcs7 -print_certs",) * 2,
        "as `key`",
    ),
    "written-out line breaks in JSON": (
        lambda leaf: b'{"pem": "' + _both(leaf).replace(b"\n", b"\\n") + b'"}\n',
        r"PEM text with `\n` written out in the place of its line breaks",
        *("real line breaks",) * 3,
    ),
    "written-out line breaks": (
        lambda leaf: _both(leaf).replace(b"\n", b"\\n"),
        r"PEM text with `\n` written out in the place of its line breaks",
        *("real line breaks",) * 3,
    ),
    "quotes": (
        lambda leaf: b'"' + _both(leaf) + b'"\n',
        "PEM text in quotes",
        *("Take the quotes out",) * 3,
    ),
    "UTF-16": (
        lambda leaf: _both(leaf).decode().encode("utf-16"),
        "text in UTF-16",
        *("ASCII or UTF-8",) * 3,
    ),
    "UTF-16 without a mark": (
        lambda leaf: _both(leaf).decode().encode("utf-16-be"),
        "text in UTF-16",
        *("ASCII or UTF-8",) * 3,
    ),
    "HTML": (
        lambda _: b"\xef\xbb\xbf\n<!DOCTYPE html><html>log in</html>",
        "an HTML or XML page",
        *("Fetch the file itself",) * 3,
    ),
    "ZIP": (lambda _: b"PK\x03\x04\x14\0", "a ZIP archive", *("Unpack it",) * 3),
    "request": (
        _request(Encoding.PEM),
        "a certificate request (CSR), which no CA has signed",
        *("the CA has issued",) * 2,
        "as `key`",
    ),
    "DER request": (
        _request(Encoding.DER),
        "a certificate request (CSR), which no CA has signed",
        *("the CA has issued",) * 2,
        "as `key`",
    ),
    "public key": (_PUBLIC_PEM, "a public key alone", *("certificate",) * 2, "as `key`"),
    "DER public key": (_PUBLIC_DER, "a public key alone", *("certificate",) * 2, "as `key`"),
    "SSH public key": (_SSH, "a public key alone", *("certificate",) * 2, "as `key`"),
    "CRL": (
        _revocations,
        "a list of revoked certificates (CRL)",
        *("certificate",) * 2,
        "as `key`",
    ),
    "DER CRL": (
        _revocations_der,
        "a list of revoked certificates (CRL)",
        *("certificate",) * 2,
        "as `key`",
    ),
    "other PEM": (
        lambda _: b"-----BEGIN DH PARAMETERS-----\nMEYCQQ==\n-----END DH PARAMETERS-----\n",
        "PEM text without certificate and key",
        *("Name the file",) * 3,
    ),
}


@pytest.mark.parametrize("case", _CASES)
def test_pkcs12_is_wanted(case: str, leaf: pki.Leaf) -> None:
    """The error names what the content is and what to do; what is wanted opens."""
    make, words, remedy, _, _ = _CASES[case]
    content = make(leaf)
    if not remedy:
        assert load_identity(inline(content, _PASSWORD)).fingerprint == leaf.fingerprint
        return
    error = failure(inline(content, _PASSWORD))
    assert error.message == f"the PKCS12 content in the settings is {words}, not PKCS12"
    assert error.problem is IdentityProblem.UNSUPPORTED
    assert remedy in error.remedy
    assert _PASSWORD not in str(error)


@pytest.mark.parametrize("case", _CASES)
def test_certificate_is_wanted(case: str, leaf: pki.Leaf, tmp_path: Path) -> None:
    """As above, of the file of the certificate."""
    make, words, _, remedy, _ = _CASES[case]
    described = pem_files(tmp_path, make(leaf), leaf.key_pem())
    if not remedy:
        assert load_identity(described).fingerprint == leaf.fingerprint
        return
    error = failure(described)
    path = str(tmp_path / "leaf.crt")
    assert error.message == f"{path!r} holds no PEM certificate: it is {words}"
    assert error.problem is IdentityProblem.NO_CERTIFICATE
    assert remedy in error.remedy


@pytest.mark.parametrize("case", _CASES)
def test_key_is_wanted(case: str, leaf: pki.Leaf, tmp_path: Path) -> None:
    """As above, of the file of the key."""
    make, words, _, _, remedy = _CASES[case]
    described = pem_files(tmp_path, leaf.pem(), make(leaf), _PASSWORD)
    if not remedy:
        assert load_identity(described).fingerprint == leaf.fingerprint
        return
    error = failure(described)
    path = str(tmp_path / "leaf.key")
    assert error.message == f"{path!r} holds no PEM private key: it is {words}"
    assert error.problem is IdentityProblem.NO_KEY
    assert remedy in error.remedy


@pytest.mark.parametrize("case", ["written-out line breaks", "quotes", "PKCS7 in PEM", "HTML"])
def test_authorities_are_wanted(case: str, leaf: pki.Leaf) -> None:
    """In quotes the first of several CAs would go missing in silence."""
    make, words = _CASES[case][:2]
    text = make(leaf).decode("utf-8-sig")
    with pytest.raises(IdentityError) as caught:
        load_authority_certificates(AuthorityText(text, Origin("tests")))
    assert caught.value.message.endswith(f"holds no PEM certificate: it is {words}")


def _written_out(leaf: pki.Leaf) -> bytes:
    return _both(leaf).replace(b"\n", b"\\n")


_BESIDE: dict[str, Make] = {
    "a remark": lambda leaf: b'# was "' + _written_out(leaf) + b'"\n',
    "a variable": lambda leaf: b'PEM="' + _written_out(leaf) + b'"\n',
    "JSON": lambda leaf: b'{"pem": "' + _written_out(leaf) + b'"}\n',
    "an attribute": lambda _: b"Bag Attributes\n    friendlyName: -----BEGIN X-----\\n\n",
    "words in quotes": lambda _: b'"-----BEGIN CERTIFICATE-----" begins each\n',
    "words in ticks": lambda _: b"`-----BEGIN PRIVATE KEY-----` begins it\n",
    "parameters": lambda _: b"-----BEGIN DH PARAMETERS-----\\nMEYC\\n-----END DH PARAMETERS-----\n",
}


@pytest.mark.parametrize("what", _BESIDE)
def test_what_stands_beside_a_block(what: str, leaf: pki.Leaf, tmp_path: Path) -> None:
    """Text in front of PEM is a comment, whatever it looks like: all blocks are read."""
    beside = _BESIDE[what](leaf)
    described = pem_files(tmp_path, beside + leaf.pem(), beside + leaf.key_pem())
    assert load_identity(described).fingerprint == leaf.fingerprint


@pytest.mark.parametrize("first", ["quotes", "written-out line breaks"])
def test_a_first_block_that_would_go_missing(first: str, leaf: pki.Leaf) -> None:
    """The twin: a mangled block is refused, though one that can be read stands behind it."""
    text = '"' + _CASES[first][0](leaf).decode().strip('"\n') + '"\n' + leaf.pem().decode()
    with pytest.raises(IdentityError) as caught:
        load_authority_certificates(AuthorityText(text, Origin("tests")))
    assert caught.value.message.endswith(f"it is {_CASES[first][1]}")


@pytest.mark.parametrize(
    ("case", "old"), [("DER key", "old.key"), ("encrypted DER key", "old.key"), ("CMS", "old.p7b")]
)
def test_a_remedy_that_is_followed(case: str, old: str, leaf: pki.Leaf, tmp_path: Path) -> None:
    """The commands of a remedy make a PKCS12 that opens, and leave no encrypted key in clear."""
    content = _CASES[case][0](leaf)
    commands = failure(inline(content, _PASSWORD)).remedy.rpartition(": ")[2]
    key = () if "key" in case else (("the.key", leaf.key_pem()),)
    for name, had in ((old, content), ("the.pem", leaf.pem()), *key):
        (tmp_path / name).write_bytes(had)
    for command in commands.split(", then "):
        subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=tmp_path,
            input=f"{_PASSWORD}\n" * 3,
            text=True,
            start_new_session=True,  # without a terminal, openssl asks its input for passwords
            capture_output=True,
            check=True,
            timeout=30,
        )
    made = inline((tmp_path / "new.pfx").read_bytes(), _PASSWORD)
    assert load_identity(made).fingerprint == leaf.fingerprint
    is_sealed = b"ENCRYPTED" in (tmp_path / "the.key").read_bytes()
    assert is_sealed is (case == "encrypted DER key")


@pytest.mark.parametrize("content", [b"", b"\x30", b"\x30\x03\x02\x01", b"log\n", b"AAAA", b"\0"])
def test_nothing_that_is_known(content: bytes) -> None:
    """What is not certain is not said."""
    assert recognise(Secret(content)) is None
