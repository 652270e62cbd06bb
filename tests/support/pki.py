"""A public key infrastructure made in memory: authorities, leaves, and every file form of them.

Certificates hold what RFC 5280 asks for, so that ``VERIFY_X509_STRICT`` (Python 3.13's default)
accepts them. Nothing is stored; RSA keys are made once per process since they are slow.
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.openssl_command import openssl as openssl, without_password

PrivateKey = Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey]

_DAY = datetime.timedelta(days=1)
_CRITICAL = True
_ENCODINGS = {
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
}
_PBES = {
    "pbes2": pkcs12.PBES.PBESv2SHA256AndAES256CBC,
    "3des": pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC,
}


def now() -> datetime.datetime:
    """This moment in UTC, in whole seconds, as certificates hold it."""
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


@functools.cache
def _rsa_key(number: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """One of the RSA keys of this process; the same number gives the same key."""
    return _rsa_key(number)


#: the RSA key of every leaf that is not given its own; authorities have one for each level
_LEAF_RSA_KEY = 100


def private_key(kind: str, rsa_number: int = _LEAF_RSA_KEY) -> PrivateKey:
    """A new ``ec`` (P-256) or ``ed25519`` key, or the ``rsa`` key (2048 bits) with this number."""
    if kind == "rsa":
        return rsa_key(rsa_number)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def _signature_hash(key: PrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def name(common_name: str) -> x509.Name:
    """A distinguished name with an organization and this common name."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "mxcert tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, authority: bool, rsa_leaf: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=rsa_leaf,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def pem(*certificates: x509.Certificate) -> bytes:
    """The certificates as PEM text, one behind the other."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


class Authority:
    """A certificate authority: a root, or with ``parent`` an intermediate."""

    def __init__(
        self,
        name: str = "Test root",
        key: str = "ec",
        parent: Authority | None = None,
        *,
        not_before: datetime.datetime | None = None,
        not_after: datetime.datetime | None = None,
        signing_key: PrivateKey | None = None,
    ) -> None:
        self.parent = parent
        self.key = signing_key or private_key(key, len(self.parents))
        self._revoked: list[x509.RevokedCertificate] = []
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=True, path_length=None), _CRITICAL),
            (_key_usage(authority=True), _CRITICAL),
        ]
        self.certificate = _sign(parent or self, name, self.key, extensions, not_before, not_after)

    @property
    def subject(self) -> str:
        return self.certificate.subject.rfc4514_string()

    @property
    def pem(self) -> bytes:
        """This authority's certificate alone."""
        return pem(self.certificate)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def parents(self) -> tuple[Authority, ...]:
        """The authorities above this one, the root last."""
        return () if self.parent is None else (self.parent, *self.parent.parents)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """This certificate and those above it, without the root; empty for a root."""
        return () if self.parent is None else (self.certificate, *self.parent.chain)

    @property
    def chain_pem(self) -> bytes:
        return pem(*self.chain)

    @property
    def root(self) -> Authority:
        return self if self.parent is None else self.parent.root

    def intermediate(self, name: str = "Test intermediate", key: str = "ec") -> Authority:
        """An authority below this one."""
        return Authority(name, key, self)

    def issue(
        self,
        common_name: str,
        *,
        hosts: Sequence[str] = (),
        key: str = "ec",
        not_before: datetime.datetime | None = None,
        not_after: datetime.datetime | None = None,
        client: bool = True,
        server: bool = True,
        signing_key: PrivateKey | None = None,
    ) -> Leaf:
        """A leaf for ``hosts`` (names or addresses); ``client`` and ``server`` are its usages.

        ``signing_key`` is the leaf's own key, where it is not to be a new one. RSA leaves share
        one key unless they are given one: ``signing_key=rsa_key(7)``.
        """
        own_key = signing_key or private_key(key)
        rsa_leaf = isinstance(own_key, rsa.RSAPrivateKey)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), _CRITICAL),
            (_key_usage(authority=False, rsa_leaf=rsa_leaf), _CRITICAL),
        ]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] * server
        usages += [ExtendedKeyUsageOID.CLIENT_AUTH] * client
        if usages:
            extensions.append((x509.ExtendedKeyUsage(usages), not _CRITICAL))
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            extensions.append((names, not _CRITICAL))
        certificate = _sign(self, common_name, own_key, extensions, not_before, not_after)
        return Leaf(certificate, own_key, self.chain)

    def revoke(self, *leaves: Leaf) -> bytes:
        """A CRL as PEM that lists these leaves and those revoked before."""
        for leaf in leaves:
            builder = x509.RevokedCertificateBuilder().revocation_date(now() - _DAY)
            self._revoked.append(builder.serial_number(leaf.certificate.serial_number).build())
        crl = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        crl = crl.last_update(now() - _DAY).next_update(now() + 30 * _DAY)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        crl = crl.add_extension(identifier, not _CRITICAL)
        crl = crl.add_extension(x509.CRLNumber(len(self._revoked) + 1), not _CRITICAL)
        for entry in self._revoked:
            crl = crl.add_revoked_certificate(entry)
        signed = crl.sign(self.key, _signature_hash(self.key))
        return signed.public_bytes(serialization.Encoding.PEM)


def _sign(
    issuer: Authority,
    common_name: str,
    key: PrivateKey,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
    not_before: datetime.datetime | None,
    not_after: datetime.datetime | None,
) -> x509.Certificate:
    subject = name(common_name)
    is_root = issuer.key is key
    issuer_name = subject if is_root else issuer.certificate.subject
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(not_before or now() - _DAY)
    builder = builder.not_valid_after(not_after or now() + 365 * _DAY)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    own_identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    builder = builder.add_extension(own_identifier, not _CRITICAL)
    builder = builder.add_extension(identifier, not _CRITICAL)
    return builder.sign(issuer.key, _signature_hash(issuer.key))


@dataclass(frozen=True)
class Leaf:
    """A certificate with its key and the intermediates above it, the leaf's issuer first."""

    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, lower case hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def subject(self) -> str:
        return self.certificate.subject.rfc4514_string()

    def pem(self, *, chain: bool = True) -> bytes:
        """The certificate and its chain as PEM, without the key."""
        return pem(self.certificate, *(self.chain if chain else ()))

    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def key_pem(self, password: bytes | str | None = None, format: str = "pkcs8") -> bytes:
        """The key as PEM; ``format`` is ``pkcs8`` or ``traditional`` (PKCS1, SEC1)."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            encryption = serialization.BestAvailableEncryption(_encoded(password))
        return self.key.private_bytes(serialization.Encoding.PEM, _ENCODINGS[format], encryption)

    def write_pem(
        self, folder: Path, stem: str = "leaf", password: bytes | str | None = None
    ) -> tuple[Path, Path]:
        """``stem.crt`` (with the chain) and ``stem.key`` in the folder."""
        certificate_path, key_path = folder / f"{stem}.crt", folder / f"{stem}.key"
        certificate_path.write_bytes(self.pem())
        key_path.write_bytes(self.key_pem(password))
        return certificate_path, key_path

    def pkcs12(
        self,
        password: bytes | str | None,
        *,
        encryption: str = "pbes2",
        rounds: int = 2048,
        chain: Iterable[x509.Certificate] | None = None,
        friendly_name: bytes | None = None,
        mac: hashes.HashAlgorithm | None = None,
        key: bool = True,
    ) -> bytes:
        """A PKCS12 file; ``chain`` stands in it in the order given, by default this leaf's own.

        ``encryption`` is ``pbes2`` (AES-256, HMAC-SHA-256), ``3des``, ``rc2`` (by the openssl
        command; the test is skipped where that cannot do it) or ``none``. ``key=False`` leaves
        the key out. cryptography cannot encrypt under an empty password, so openssl does that
        too. No password (``None``) is another file than an empty one: its MAC key differs.
        """
        certificates = self.chain if chain is None else tuple(chain)
        if encryption == "rc2":
            legacy = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-RC2-40"]
            return self._pkcs12_by_openssl(password or b"", certificates, legacy)
        if encryption != "none" and not password:
            empty = self._pkcs12_by_openssl(b"", certificates, ["-macalg", "sha256"])
            return empty if password is not None else without_password(empty)
        return pkcs12.serialize_key_and_certificates(
            friendly_name,
            self.key if key else None,
            self.certificate,
            certificates,
            _pkcs12_encryption(password, encryption, rounds, mac),
        )

    def _pkcs12_by_openssl(
        self, password: bytes | str, chain: Iterable[x509.Certificate], options: Sequence[str]
    ) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "source.pem")
            source.write_bytes(self.pem(chain=False) + pem(*chain) + self.key_pem())
            arguments = ["-export", "-in", str(source), "-passout", "stdin", *options]
            return openssl("pkcs12", *arguments, stdin=_encoded(password) + b"\n")


def _encoded(password: bytes | str) -> bytes:
    return password.encode() if isinstance(password, str) else password


def _pkcs12_encryption(
    password: bytes | str | None, encryption: str, rounds: int, mac: hashes.HashAlgorithm | None
) -> serialization.KeySerializationEncryption:
    if encryption == "none" or password is None:
        return serialization.NoEncryption()
    builder = serialization.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(rounds)
    builder = builder.key_cert_algorithm(_PBES[encryption])
    default_mac = hashes.SHA1() if encryption == "3des" else hashes.SHA256()  # noqa: S303
    return builder.hmac_hash(mac or default_mac).build(_encoded(password))
