"""The demo's certificates: one authority, and PKCS12 content under random passwords.

No private key leaves this file but encrypted.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ...base import Secret, dataclass

#: Longer than the time that the plugin warns of an expiry.
_VALIDITY = timedelta(days=90)
_CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
_SERVER = ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True)
class Pkcs12:
    """The content of a PKCS12 file and its password."""

    content: Secret[bytes]
    password: Secret[str]


class DemoAuthority:
    """A root that lives as long as the demo."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("mxcert demo root")
        builder = _builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        usage = _key_usage(for_authority=True)
        self._certificate = self._sign(builder.add_extension(usage, critical=True))

    @property
    def pem(self) -> str:
        """The root's certificate."""
        return self._certificate.public_bytes(Encoding.PEM).decode("ascii")

    def issue_for_client(self, name: str) -> Pkcs12:
        """A client's identity."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._pack(key, _leaf_builder(name, key, _CLIENT))

    def issue_for_server(self, host: str) -> Pkcs12:
        """A server's identity for one host name."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = _leaf_builder(host, key, _SERVER).add_extension(names, critical=False)
        return self._pack(key, builder)

    def _pack(self, key: ec.EllipticCurvePrivateKey, builder: x509.CertificateBuilder) -> Pkcs12:
        certificate = self._sign(builder)
        # Safe in a list that commas separate: letters, digits, - and _ are all there is in it.
        password = Secret(secrets.token_urlsafe(24))
        content = pkcs12.serialize_key_and_certificates(
            None, key, certificate, None, _encryption(password)
        )
        return Pkcs12(Secret(content), password)

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        named = builder.issuer_name(self._name).add_extension(issuer, critical=False)
        return named.sign(self._key, SHA256())


def _encryption(password: Secret[str]) -> KeySerializationEncryption:
    builder = PrivateFormat.PKCS12.encryption_builder().hmac_hash(SHA256())
    algorithm = pkcs12.PBES.PBESv2SHA256AndAES256CBC
    return builder.key_cert_algorithm(algorithm).build(password.reveal().encode("ascii"))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    subject_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALIDITY)
        .add_extension(subject_key, critical=False)
    )


def _leaf_builder(
    common_name: str, key: ec.EllipticCurvePrivateKey, purpose: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    return (
        _builder(_name(common_name), key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(for_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )


def _key_usage(*, for_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not for_authority,
        key_cert_sign=for_authority,
        crl_sign=for_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
