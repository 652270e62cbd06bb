"""What is inside PKCS12 files: several keys, odd names, armour around the whole."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identities
from tests.support import pki
from tests.support.odd_certificates import as_pem

from . import der, pfx
from .material import failure, inline, load_inline

pytestmark = pytest.mark.usefixtures("reader")


def _file(*leaves: pki.Leaf, others: tuple[bytes, ...] = ()) -> bytes:
    """All keys first, then all certificates the other way round."""
    keys = [pfx.key_bag(pfx.pkcs8(leaf)) for leaf in leaves]
    certificates = [pfx.certificate_bag(leaf.der()) for leaf in reversed(leaves)]
    chain = [pfx.certificate_bag(each) for leaf in leaves for each in map(_der, leaf.chain)]
    return pfx.file_of(pfx.data(*others, *keys, *certificates, *chain))


def _der(certificate):  # type: ignore[no-untyped-def]
    return certificate.public_bytes(Encoding.DER)


def test_several_keys(issuer: pki.Authority) -> None:
    """Each key with its certificate is an identity, in the order of the keys, with its chain."""
    leaves = [issuer.issue(name) for name in ("first", "second", "third")]
    found = load_identities(inline(_file(*leaves)))

    assert [leaf.fingerprint for leaf in leaves] == [each.fingerprint for each in found]
    assert ["billing", "billing (2)", "billing (3)"] == [each.name for each in found]
    assert [leaf.chain for leaf in leaves] == [each.chain for each in found]


def test_one_key_keeps_its_name(leaf: pki.Leaf) -> None:
    """The twin: one key is one identity, and the same key twice is one as well."""
    twice = pfx.key_bag(pfx.pkcs8(leaf))

    assert ["billing"] == [each.name for each in load_identities(inline(_file(leaf)))]
    assert 1 == len(load_identities(inline(_file(leaf, others=(twice,)))))


def test_keys_without_use(issuer: pki.Authority, leaf: pki.Leaf) -> None:
    """A key without a certificate, or of a kind that signs nothing, hinders no other."""
    lonely = pfx.key_bag(pfx.pkcs8(issuer.issue("lonely")))
    agreement = x25519.X25519PrivateKey.generate().private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    (found,) = load_identities(inline(_file(leaf, others=(lonely, pfx.key_bag(agreement)))))

    assert leaf.fingerprint == found.fingerprint
    alone = pfx.file_of(pfx.data(pfx.key_bag(agreement), pfx.certificate_bag(leaf.der())))
    assert IdentityProblem.UNSUPPORTED is failure(inline(alone)).problem


@pytest.mark.parametrize(
    "name",
    [
        der.element(0x0C, "Schlüssel".encode()),
        der.element(0x1E, "Schlüssel".encode("utf-16-be")),
        der.element(0x1E, b"\0a\0"),
        der.element(0x0C, b"\xff\xfe"),
        der.element(0x13, b"a_b&c"),
        der.element(0x02, b"\1"),
    ],
)
def test_friendly_names(leaf: pki.Leaf, name: bytes) -> None:
    """A friendly name is for people, whatever its string type; it opens and closes nothing."""
    bags = pfx.key_bag(pfx.pkcs8(leaf)), pfx.certificate_bag(leaf.der(), name)

    assert leaf.fingerprint == load_inline(pfx.file_of(pfx.data(*bags)), None).fingerprint


@pytest.mark.parametrize("label", ["PKCS12", "PFX"])
def test_armour(leaf: pki.Leaf, label: str) -> None:
    """A file in the armour of PEM opens, with comments around it."""
    content = b"# of the bank\n" + as_pem(leaf.pkcs12("x"), label)

    assert leaf.fingerprint == load_inline(content, "x").fingerprint


def test_bare_base64(leaf: pki.Leaf) -> None:
    """So does one in bare base64, in lines or in one; what only looks like it is damage."""
    for text in (base64.encodebytes(leaf.pkcs12("x")), base64.b64encode(leaf.pkcs12("x"))):
        assert leaf.fingerprint == load_inline(text, "x").fingerprint
    for text in (b"MIIabc", b"hello", base64.b64encode(b"hello world, hello")):
        assert IdentityProblem.DAMAGED is failure(inline(text, "x")).problem


def test_wrong_password_in_armour(leaf: pki.Leaf) -> None:
    """The twin: armour keeps no password from being asked for."""
    error = failure(inline(as_pem(leaf.pkcs12("x"), "PKCS12"), "y"))

    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is error.problem
