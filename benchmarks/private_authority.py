"""The certificates of the benchmarks: a private authority, its server and its clients.

All keys are on P-256, so that a handshake costs little and the client's own work shows. What
verifies the server is certifi's bundle with the private root behind it, so that trust costs what
it costs outside.
"""

from __future__ import annotations

import contextlib
import datetime
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

#: What every host of the benchmarks ends with; `.test` is nobody's (RFC 6761).
DOMAIN = "bench.test"
PASSWORD = "benchmark"

_DAY = datetime.timedelta(days=1)
_NOT_BEFORE = datetime.datetime.now(datetime.timezone.utc) - _DAY
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    common_name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(_name(common_name)).issuer_name(issuer)
    builder = builder.public_key(key).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(_NOT_BEFORE).not_valid_after(_NOT_BEFORE + 365 * _DAY)
    own = x509.SubjectKeyIdentifier.from_public_key(key)
    return builder.add_extension(own, critical=False)


@dataclass(frozen=True)
class Leaf:
    """A certificate of the private authority, with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def write_pem(self, folder: Path, stem: str) -> tuple[str, str]:
        """``stem.crt`` and ``stem.key`` in the folder."""
        certificate, key = folder / f"{stem}.crt", folder / f"{stem}.key"
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(certificate), str(key)

    def write_pkcs12(self, folder: Path, stem: str) -> str:
        """``stem.p12`` in the folder, with as many rounds as cryptography takes by default."""
        return self._write(folder, stem, BestAvailableEncryption(PASSWORD.encode()))

    def write_cheap_pkcs12(self, folder: Path, stem: str) -> str:
        """``stem.p12`` in the folder, with a single round: quick to make and to open."""
        builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1)
        builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        return self._write(folder, stem, builder.build(PASSWORD.encode()))

    def _write(self, folder: Path, stem: str, encryption: KeySerializationEncryption) -> str:
        path = folder / f"{stem}.p12"
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(
                None, self.key, self.certificate, None, encryption
            )
        )
        return str(path)


class PrivateAuthority:
    """A root that issues leaves."""

    def __init__(self, common_name: str = "Benchmark root") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(common_name, _name(common_name), self._key.public_key())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        builder = builder.add_extension(constraints, critical=True)
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
        self.certificate = builder.sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """The certificate of the root."""
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(self, common_name: str, hosts: Sequence[str] = ()) -> Leaf:
        """A leaf for these hosts, or without any for a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(common_name, self.certificate.subject, key.public_key())
        # Since Python 3.13 default contexts are strict about such things (RFC 5280).
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return Leaf(builder.sign(self._key, hashes.SHA256()), key)


@dataclass(frozen=True)
class Certificates:
    """The files of the benchmarks, all in one folder that its maker removes."""

    authority: PrivateAuthority
    folder: Path
    #: the private root alone
    root: str
    #: certifi's bundle with the private root behind it
    bundle: str
    #: certificate and key, PEM
    server: tuple[str, str]
    #: certificate and key, PEM
    client: tuple[str, str]
    #: the same identity as ``client``
    client_pkcs12: str
    #: another identity of the same authority
    second_pkcs12: str


def make_certificates(folder: Path) -> Certificates:
    """Write everything into a folder."""
    import certifi

    authority = PrivateAuthority()
    root, bundle = folder / "root.crt", folder / "bundle.crt"
    root.write_bytes(authority.pem)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.pem)
    client = authority.issue("client")
    return Certificates(
        authority=authority,
        folder=folder,
        root=str(root),
        bundle=str(bundle),
        server=authority.issue("server", (DOMAIN, f"*.{DOMAIN}")).write_pem(folder, "server"),
        client=client.write_pem(folder, "client"),
        client_pkcs12=client.write_pkcs12(folder, "client"),
        second_pkcs12=authority.issue("second").write_pkcs12(folder, "second"),
    )


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="mxcert-bench-") as folder:
        yield Path(folder)
