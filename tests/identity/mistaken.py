"""Contents that stand where another one belongs: what each is, and what is to be done."""

from __future__ import annotations

import base64
from collections.abc import Callable

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

from ..support import pki

Make = Callable[[pki.Leaf], bytes]

PASSWORD = "a-password-that-no-message-has"


def both(leaf: pki.Leaf) -> bytes:
    return leaf.key_pem() + leaf.pem()


def _pkcs12(leaf: pki.Leaf) -> bytes:
    return leaf.pkcs12(PASSWORD, rounds=1)


def _key_der(leaf: pki.Leaf) -> bytes:
    return leaf.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _old_key_der(leaf: pki.Leaf) -> bytes:
    return leaf.key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _sealed_key_der(leaf: pki.Leaf) -> bytes:
    sealing = BestAvailableEncryption(PASSWORD.encode())
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
CASES: dict[str, tuple[Make, str, str, str, str]] = {
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
        lambda leaf: leaf.key_pem(PASSWORD),
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
    "PEM of both": (both, "PEM text with a certificate and a key", "as `certificate`", "", ""),
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
        _encoded(both),
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
        lambda leaf: b'{"pem": "' + both(leaf).replace(b"\n", b"\\n") + b'"}\n',
        r"PEM text with `\n` written out in the place of its line breaks",
        *("real line breaks",) * 3,
    ),
    "written-out line breaks": (
        lambda leaf: both(leaf).replace(b"\n", b"\\n"),
        r"PEM text with `\n` written out in the place of its line breaks",
        *("real line breaks",) * 3,
    ),
    "quotes": (
        lambda leaf: b'"' + both(leaf) + b'"\n',
        "PEM text in quotes",
        *("Take the quotes out",) * 3,
    ),
    "UTF-16": (
        lambda leaf: both(leaf).decode().encode("utf-16"),
        "text in UTF-16",
        *("ASCII or UTF-8",) * 3,
    ),
    "UTF-16 without a mark": (
        lambda leaf: both(leaf).decode().encode("utf-16-be"),
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
