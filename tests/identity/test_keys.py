"""Every key is asked the same few things, and material tells what it is made from."""

from __future__ import annotations

import base64
import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identity
from mxcert_runtime.identity.key import LoadArguments
from mxcert_runtime.identity.key_transfer import present as transfer
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.identity.material.pem import pem_text
from mxcert_runtime.identity.material.public_key import PublicKey
from mxcert_runtime.identity.opening import Content
from mxcert_runtime.identity.sources import MaterialFile, PemFiles, Pkcs12File, Pkcs12Inline
from tests.support import pki

from .material import failure, load_inline, pem_files, settings

if TYPE_CHECKING:
    from mxcert_runtime.identity.opening import Opened


_CURVES: dict[str, ec.EllipticCurve] = {
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed25519", *_CURVES])
def test_a_key_knows_its_public_key(issuer: pki.Authority, kind: str, reader: str) -> None:
    """It is the one of the certificate byte for byte, and its kind is the certificate's."""
    curve = _CURVES.get(kind)
    own = ec.generate_private_key(curve) if curve else pki.private_key(kind)
    identity = load_inline(issuer.issue("client", signing_key=own).pkcs12("x"), "x")
    public = identity.key.public_key()

    assert public is not None
    assert identity.leaf.public_key.der == public.der
    assert identity.key_type == identity.key.kind


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_no_prime_is_proven(issuer: pki.Authority, kind: str, reader: str) -> None:
    """cryptography would take longer over an RSA key than all else; OpenSSL is asked for it."""
    identity = load_inline(issuer.issue("client", key=kind).pkcs12("x"), "x")
    is_read = kind == "ec" and reader == "cryptography"
    assert is_read == ("parsed" in vars(identity.key))


def test_material_names_its_files(tmp_path: Path) -> None:
    """Each file once, and which of them holds a key; what is inline has none and shows nothing."""
    key, certificate = MaterialFile("a.key", holds_key=True), MaterialFile("a.crt", holds_key=False)

    assert (certificate, key) == PemFiles("a.crt", "a.key").files()
    assert (key,) == PemFiles("a.key", "a.key").files()
    assert (MaterialFile("a.p12", holds_key=True),) == Pkcs12File("a.p12").files()
    assert () == Pkcs12Inline(Secret(b"bytes")).files()
    assert ["a.crt, a.key", "a.p12", "(in the settings)"] == [
        PemFiles("a.crt", "a.key").shown(),
        Pkcs12File("a.p12").shown(),
        Pkcs12Inline(Secret(b"bytes")).shown(),
    ]


@dataclass(frozen=True, eq=False)
class _Elsewhere:
    """A key of which nothing is at hand but its public half and a file that OpenSSL can load."""

    public: PublicKey | None
    path: Path
    kind = "EC-secp256r1"
    loaded: list[bytes] = field(default_factory=list)

    def public_key(self) -> PublicKey | None:
        return self.public

    @contextlib.contextmanager
    def for_ssl(self, certificates: bytes) -> Iterator[LoadArguments]:
        self.loaded.append(certificates)
        together = self.path.with_name("together.pem")
        together.write_bytes(certificates)
        yield LoadArguments(str(together), str(self.path))

    def for_pyopenssl(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class _Source:
    """Material of another kind than those of the package."""

    key: _Elsewhere
    certificates: tuple[Certificate, ...]
    labels: tuple[str, ...] = ("the other place",)

    def files(self) -> tuple[MaterialFile, ...]:
        return ()

    def read(self) -> Content:
        return self

    def shown(self) -> str:
        return "elsewhere"

    def parts(self) -> tuple[Secret[bytes], ...]:
        return ()

    def open(self, password: Secret[str] | None) -> Opened:
        return (self.key,), self.certificates


def test_a_key_elsewhere_is_a_key_like_any_other(tmp_path: Path, issuer: pki.Authority) -> None:
    """One whose bytes nobody has is paired with its certificate, tried, and goes to OpenSSL."""
    leaf, other = issuer.issue("client", key="ec"), issuer.issue("other", key="ec")
    pem_files(tmp_path, leaf.pem(), leaf.key_pem())
    certificates = tuple(map(Certificate.of, (other.certificate, leaf.certificate, *leaf.chain)))
    key = _Elsewhere(certificates[1].public_key, tmp_path / "leaf.key")
    identity = load_identity(settings(_Source(key, certificates)))

    assert leaf.fingerprint == identity.fingerprint
    assert len(leaf.chain) == len(identity.intermediates)
    assert [identity.certificates_pem()] == key.loaded
    transfer(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), identity)
    assert [identity.certificates_pem()] * 2 == key.loaded


def test_a_key_elsewhere_without_its_certificate(tmp_path: Path, issuer: pki.Authority) -> None:
    """The twin: a certificate for another key is refused, and so is a key that tells nothing."""
    leaf, other = issuer.issue("client", key="ec"), issuer.issue("other", key="ec")
    certificate = Certificate.of(leaf.certificate)
    for public in (Certificate.of(other.certificate).public_key, None):
        key = _Elsewhere(public, tmp_path / "leaf.key")
        assert "the other place" in str(failure(settings(_Source(key, (certificate,)))))
        assert [] == key.loaded


def test_what_has_no_parts_is_opened_each_time(tmp_path: Path, issuer: pki.Authority) -> None:
    """A source whose bytes do not tell whether it has changed is asked again."""
    leaf = issuer.issue("client", key="ec")
    pem_files(tmp_path, leaf.pem(), leaf.key_pem())
    certificate = Certificate.of(leaf.certificate)
    source = _Source(_Elsewhere(certificate.public_key, tmp_path / "leaf.key"), (certificate,))

    first, second = (load_identity(settings(source)) for _ in range(2))
    assert first.opened is not second.opened


def test_a_key_file_of_a_tpm(tmp_path: Path, issuer: pki.Authority) -> None:
    """Only its TPM can read it; the error says how that is reached."""
    leaf = issuer.issue("client", key="ec")
    text = leaf.key_pem().replace(b" PRIVATE KEY", b" TSS2 PRIVATE KEY")
    error = failure(pem_files(tmp_path, leaf.pem(), text))
    assert IdentityProblem.UNSUPPORTED is error.problem
    assert "PKCS#11" in error.remedy


def test_a_public_half_of_another_key(tmp_path: Path, issuer: pki.Authority, reader: str) -> None:
    """What an EC key says of itself is not believed: its secret number decides whose it is."""
    own, other = pki.private_key("ec"), pki.private_key("ec")
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    assert isinstance(other, ec.EllipticCurvePrivateKey)
    mine, theirs = (
        each.private_numbers().private_value.to_bytes(32, "big") for each in (own, other)
    )
    leaf = issuer.issue("client", signing_key=own)
    key = base64.b64decode(b"".join(leaf.key_pem().splitlines()[1:-1]))
    forged = pem_text("PRIVATE KEY", Secret(key.replace(mine, theirs))).reveal()

    assert (
        leaf.fingerprint
        == load_identity(pem_files(tmp_path, leaf.pem(), leaf.key_pem())).fingerprint
    )
    error = failure(pem_files(tmp_path, leaf.pem(), forged))
    assert IdentityProblem.KEY_MISMATCH == error.problem
