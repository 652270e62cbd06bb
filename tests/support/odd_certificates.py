"""Certificates and keys that authorities did issue and cryptography does not make, read or keep.

A certificate of the usual kind is taken apart, changed and signed anew; keys of unusual kinds are
made by the openssl command.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from mxcert_runtime.identity.material.ber import encode, encode_identifier, read_element

from .openssl_command import openssl
from .pki import Authority

COMMON_NAME, COUNTRY = "2.5.4.3", "2.5.4.6"
UTF8, PRINTABLE, T61, IA5, BMP = 0x0C, 0x13, 0x14, 0x16, 0x1E
#: positions in the parts of a TBSCertificate (RFC 5280, section 4.1)
VERSION, SERIAL, ISSUER, VALIDITY, SUBJECT, PUBLIC_KEY, EXTENSIONS = 0, 1, 3, 4, 5, 6, 7

#: Changes the parts of a TBSCertificate in place.
Change = Callable[[list[bytes]], None]

#: arguments of `openssl genpkey`
KEY_KINDS = {
    "RSASSA-PSS": ("RSA-PSS", "rsa_keygen_bits:2048"),
    "RSASSA-PSS, restricted": (
        "RSA-PSS",
        "rsa_keygen_bits:2048",
        "rsa_pss_keygen_md:sha384",
        "rsa_pss_keygen_mgf1_md:sha384",
        "rsa_pss_keygen_saltlen:48",
    ),
    "RSA of three primes": ("RSA", "rsa_keygen_bits:2048", "rsa_keygen_primes:3"),
    "Ed448": ("ED448",),
    "EC, parameters written out": ("EC", "ec_paramgen_curve:P-256", "ec_param_enc:explicit"),
    "EC, binary curve": ("EC", "ec_paramgen_curve:sect283r1"),
}


@functools.cache
def make_key(kind: str) -> bytes:
    """A key of one of these kinds as PEM (PKCS8)."""
    algorithm, *options = KEY_KINDS[kind]
    more = [each for option in options for each in ("-pkeyopt", option)]
    return openssl("genpkey", "-algorithm", algorithm, *more)


@dataclass(frozen=True)
class OddLeaf:
    """A certificate and its key, as their bytes."""

    der: bytes
    key: bytes

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    def pem(self) -> bytes:
        return as_pem(self.der)

    def pkcs12(self, password: str, *options: str) -> bytes:
        """The PKCS12 file that the openssl command makes."""
        arguments = ["pkcs12", "-export", *options, "-passout", f"pass:{password}"]
        with tempfile.TemporaryDirectory() as folder:
            both = Path(folder) / "both.pem"
            both.write_bytes(self.pem() + self.key)
            return openssl(*arguments, "-in", str(both))

    def write(self, folder: Path, name: str = "odd") -> dict[str, str]:
        """PEM files, and the native settings that name them."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.pem())
        key.write_bytes(self.key)
        return {"name": name, "certificate": str(certificate), "key": str(key)}


def as_pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    text = base64.encodebytes(der)
    return f"-----BEGIN {label}-----\n".encode() + text + f"-----END {label}-----\n".encode()


def leaf_of_kind(authority: Authority, kind: str) -> OddLeaf:
    """A leaf with a key of one of the kinds above."""
    key = make_key(kind)
    public = openssl("pkey", "-pubout", "-outform", "DER", stdin=key)
    template = authority.issue(kind, server=False)
    return OddLeaf(change(authority, template.der(), replaced(PUBLIC_KEY, public)), key)


def odd_leaf(authority: Authority, changed: Change) -> OddLeaf:
    """A leaf with an EC key whose certificate is changed."""
    template = authority.issue("odd", server=False)
    return OddLeaf(change(authority, template.der(), changed), template.key_pem())


def change(authority: Authority, der: bytes, changed: Change) -> bytes:
    """The certificate with other parts, signed by the authority."""
    tbs, algorithm, _ = parts_of(der)
    parts = parts_of(tbs)
    changed(parts)
    content = encode(0x30, *parts)
    assert isinstance(authority.key, ec.EllipticCurvePrivateKey)
    signature = authority.key.sign(content, ec.ECDSA(hashes.SHA256()))
    return encode(0x30, content, algorithm, encode(0x03, b"\0", signature))


def parts_of(der: bytes) -> list[bytes]:
    """The elements in a sequence, each with its header."""
    content = read_element(der, 0)[0].content
    found, position = [], 0
    while position < len(content):
        _, end = read_element(content, position)
        found.append(content[position:end])
        position = end
    return found


def replaced(position: int, content: bytes) -> Change:
    """Another part in the place of one."""

    def changed(parts: list[bytes]) -> None:
        parts[position] = content

    return changed


def named(*attributes: tuple[str, int, bytes]) -> Change:
    """Another subject: for each attribute its type, string type and bytes."""
    return replaced(SUBJECT, name(*attributes))


def self_named(*attributes: tuple[str, int, bytes]) -> Change:
    """Another subject that is the issuer too."""

    def changed(parts: list[bytes]) -> None:
        parts[SUBJECT] = parts[ISSUER] = name(*attributes)

    return changed


def name(*attributes: tuple[str, int, bytes]) -> bytes:
    return encode(
        0x30,
        *(
            encode(0x31, encode(0x30, encode_identifier(kind), encode(tag, value)))
            for kind, tag, value in attributes
        ),
    )


def valid(begin: bytes, end: bytes) -> Change:
    """UTCTimes with this content."""
    return replaced(VALIDITY, encode(0x30, encode(0x17, begin), encode(0x17, end)))


def extended(identifier: str, value: bytes) -> Change:
    """One extension more."""

    def changed(parts: list[bytes]) -> None:
        inner = parts_of(parts[EXTENSIONS])[0]
        more = encode(0x30, encode_identifier(identifier), encode(0x04, value))
        parts[EXTENSIONS] = encode(0xA3, encode(0x30, *parts_of(inner), more))

    return changed


def of_version_1(parts: list[bytes]) -> None:
    """No extensions, and the version that is written out although it is the default."""
    parts[VERSION] = bytes.fromhex("a003020100")
    del parts[EXTENSIONS]


#: What OpenSSL takes.
ODD_CERTIFICATES: dict[str, Change] = {
    "negative serial": replaced(SERIAL, bytes.fromhex("0203ff1234")),
    "serial 0": replaced(SERIAL, bytes.fromhex("020100")),
    "serial of 25 bytes": replaced(SERIAL, encode(0x02, b"\1" * 25)),
    "PrintableString with & and _": named((COMMON_NAME, PRINTABLE, b"A & B_c@d*")),
    "PrintableString of 8 bits": named((COMMON_NAME, PRINTABLE, "Büch".encode("latin-1"))),
    "T61String of 8 bits": named((COMMON_NAME, T61, "Compañía".encode("latin-1"))),
    "IA5String of 8 bits": named((COMMON_NAME, IA5, "Bü".encode("latin-1"))),
    "BMPString": named((COMMON_NAME, BMP, "Bücher".encode("utf-16-be"))),
    "country of three letters": named((COUNTRY, PRINTABLE, b"USA"), (COMMON_NAME, UTF8, b"x")),
    "no subject": named(),
    "UTCTime without seconds": valid(b"2501010000Z", b"4501010000Z"),
    "UTCTime with an offset": valid(b"250101000000+0100", b"450101000000+0100"),
    "version 1": of_version_1,
    "alternative name of 5 bytes": extended("2.5.29.17", encode(0x30, encode(0x87, b"12345"))),
    "malformed access information": extended("1.3.6.1.5.5.7.1.1", bytes.fromhex("3003020101")),
}
#: What OpenSSL refuses, and what has to be said of it.
REFUSED_CERTIFICATES: dict[str, tuple[Change, str]] = {
    "extension twice": (extended("2.5.29.19", b"\x30\0"), "extensions is malformed or stands"),
    "malformed key usage": (extended("2.5.29.15", b"\5\0"), "extensions is malformed or stands"),
    "UTF8String that is none": (named((COMMON_NAME, UTF8, b"\xff\xff")), "not DER as OpenSSL"),
}


@dataclass(frozen=True)
class OddAuthority:
    """A root whose certificate is changed, and servers below it."""

    authority: Authority
    der: bytes

    @classmethod
    def make(cls, changed: Change) -> OddAuthority:
        authority = Authority("Odd")
        return cls(authority, change(authority, authority.der, changed))

    @property
    def pem(self) -> bytes:
        return as_pem(self.der)

    def issue(self, host: str) -> OddServerLeaf:
        """A server's leaf that names this root as it names itself."""
        template = self.authority.issue(host, hosts=[host])
        subject = parts_of(parts_of(self.der)[0])[_subject_position(self.der)]
        der = change(self.authority, template.der(), replaced(ISSUER, subject))
        return OddServerLeaf(der, template.key_pem())


def _subject_position(der: bytes) -> int:
    return SUBJECT if parts_of(parts_of(der)[0])[0][:1] == b"\xa0" else SUBJECT - 1


class OddServerLeaf(OddLeaf):
    """What a test's server can have for its leaf."""

    def write_pem(self, folder: Path) -> tuple[str, str]:
        files = self.write(folder)
        return files["certificate"], files["key"]
