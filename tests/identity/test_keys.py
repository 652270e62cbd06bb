"""Every key is asked the same few things, and material tells what it is made from."""

from __future__ import annotations

import base64
import contextlib
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identities, load_identity
from mxcert_runtime.identity.key import LoadArguments
from mxcert_runtime.identity.key_transfer import present as transfer
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.identity.material.pem import pem_text
from mxcert_runtime.identity.material.public_key import PublicKey
from mxcert_runtime.identity.opening import Content
from mxcert_runtime.identity.sources import MaterialFile, PemFiles, Pkcs12File, Pkcs12Inline
from tests.support import pki

from . import der, pfx
from .material import failure, inline, load_inline, pem_files, settings

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


def _ec_key(number: pki.PrivateKey, point: pki.PrivateKey) -> bytes:
    """The PKCS8 of an EC key with the secret number of the one and the public key of the other."""
    assert isinstance(number, ec.EllipticCurvePrivateKey)
    assert isinstance(point, ec.EllipticCurvePrivateKey)
    mine, theirs = (
        each.private_numbers().private_value.to_bytes(32, "big") for each in (number, point)
    )
    pem = pki.Leaf(pki.Authority().certificate, point).key_pem()
    return base64.b64decode(b"".join(pem.splitlines()[1:-1])).replace(theirs, mine)


@pytest.mark.parametrize("whose", ["number", "point"])
def test_two_halves_of_two_keys(
    tmp_path: Path, issuer: pki.Authority, reader: str, whose: str
) -> None:
    """An EC key that carries the public key of another is damaged, whichever is certified."""
    keys = {"number": pki.private_key("ec"), "point": pki.private_key("ec")}
    leaf = issuer.issue("client", signing_key=keys[whose])
    whole, forged = (
        pem_text("PRIVATE KEY", Secret(_ec_key(number, keys["point"]))).reveal()
        for number in (keys["point"], keys["number"])
    )
    twin = issuer.issue("client", signing_key=keys["point"])

    assert twin.fingerprint == load_identity(pem_files(tmp_path, twin.pem(), whole)).fingerprint
    error = failure(pem_files(tmp_path, leaf.pem(), forged))
    assert IdentityProblem.DAMAGED is error.problem
    assert "leaf.key' is damaged" in error.message


def test_a_damaged_key_beside_a_whole_one(issuer: pki.Authority, reader: str) -> None:
    """Of a PKCS12 file with two keys the one that is whole is taken."""
    first, second = issuer.issue("first"), issuer.issue("second")
    bags = (
        pfx.key_bag(_ec_key(first.key, second.key)),
        pfx.key_bag(_ec_key(second.key, second.key)),
        *(pfx.certificate_bag(each.der()) for each in (first, second)),
    )
    loaded = load_identities(inline(pfx.file_of(pfx.data(*bags))))

    assert [second.fingerprint] == [each.fingerprint for each in loaded]


def test_forms_of_a_point(tmp_path: Path, issuer: pki.Authority, reader: str) -> None:
    """A key may carry its point compressed, or none."""
    leaf = issuer.issue("client")
    assert isinstance(leaf.key, ec.EllipticCurvePrivateKey)
    number = leaf.key.private_numbers().private_value.to_bytes(32, "big")
    public = leaf.key.public_key()
    compressed = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    p_256 = der.identifier("1.2.840.10045.3.1.7")
    for carried in (b"", der.element(0xA1, der.element(0x03, b"\0", compressed))):
        curve = der.element(0xA0, p_256)
        own = der.sequence(der.integer(1), der.octets(number), curve, carried)
        key = pem_text("EC PRIVATE KEY", Secret(own)).reveal()
        assert leaf.fingerprint == load_identity(pem_files(tmp_path, leaf.pem(), key)).fingerprint


def test_the_number_of_a_key_is_in_no_frame(issuer: pki.Authority, reader: str) -> None:
    """No function that is called on the way, here or in cryptography, shows it as a variable."""
    leaf = issuer.issue("client")
    assert isinstance(leaf.key, ec.EllipticCurvePrivateKey)
    number, shown, calls = str(leaf.key.private_numbers().private_value), [], []

    def watch(frame: FrameType, event: str, argument: object) -> None:
        calls.append(frame.f_code.co_name)
        if any(isinstance(each, int) and number in repr(each) for each in frame.f_locals.values()):
            shown.append(frame.f_code.co_name)

    content, before = (
        inline(
            pfx.file_of(pfx.data(pfx.key_bag(pfx.pkcs8(leaf)), pfx.certificate_bag(leaf.der())))
        ),
        sys.getprofile(),
    )
    sys.setprofile(watch)
    try:
        load_identity(content)
    finally:
        sys.setprofile(before)

    assert "derive_private_key" in calls
    assert [] == shown


def test_an_odd_form_of_the_certified_key(
    tmp_path: Path, issuer: pki.Authority, reader: str
) -> None:
    """A certificate that cryptography reads and OpenSSL does not take is refused by both ways."""
    leaf = issuer.issue("client")
    p_256 = der.identifier("1.2.840.10045.3.1.7")
    odd = leaf.der().replace(p_256, der.identifier("1.2.840.10045.3.1.1")[:-1] + b"\x7f")
    pem = pem_text("CERTIFICATE", Secret(odd)).reveal()

    error = failure(pem_files(tmp_path, pem, leaf.key_pem()))
    assert IdentityProblem.DAMAGED is error.problem
