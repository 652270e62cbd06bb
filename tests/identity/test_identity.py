"""What an identity says of itself, and that it does not leave the process."""

from __future__ import annotations

import copy
import datetime
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mxcert_runtime.identity.identity import Validity, load_identity
from tests.support import pki
from tests.support.identities import identity_of

from .material import ORIGIN, load_inline, pem_files

pytestmark = pytest.mark.usefixtures("reader")

SECOND = datetime.timedelta(seconds=1)


def test_facts_are_those_of_the_leaf(leaf: pki.Leaf) -> None:
    """Name, subject, issuer, fingerprint, serial number and chain are there without parsing."""
    identity = load_inline(leaf.pkcs12("secret"), "secret")

    assert "billing" == identity.name
    assert ORIGIN == identity.origin
    assert leaf.certificate == identity.certificate
    assert leaf.subject == identity.subject
    assert "CN=Second intermediate,O=mxcert tests" == identity.issuer
    assert leaf.fingerprint == identity.fingerprint
    assert leaf.certificate.serial_number == identity.serial
    assert leaf.chain == identity.chain


@pytest.mark.parametrize(
    ("kind", "expected"), [("rsa", "RSA-2048"), ("ec", "EC-secp256r1"), ("ed25519", "Ed25519")]
)
def test_key_type(issuer: pki.Authority, kind: str, expected: str) -> None:
    """The key type names the algorithm with its size or curve."""
    leaf = issuer.issue("client", key=kind)

    assert expected == load_inline(leaf.pkcs12("x"), "x").key_type


def test_other_curve(issuer: pki.Authority) -> None:
    """The curve is the key's own, not always P-256."""
    leaf = issuer.issue("client", signing_key=ec.generate_private_key(ec.SECP384R1()))

    assert "EC-secp384r1" == load_inline(leaf.pkcs12("x"), "x").key_type


def test_validity_has_both_ends(issuer: pki.Authority) -> None:
    """The first and the last second are valid, the ones beyond are not (RFC 5280, 4.1.2.5)."""
    begin, end = pki.now(), pki.now() + datetime.timedelta(hours=1)
    identity = load_inline(issuer.issue("a", not_before=begin, not_after=end).pkcs12("x"), "x")

    assert (begin, end) == (identity.not_before, identity.not_after)
    assert datetime.timedelta(0) == identity.not_after.utcoffset()
    assert Validity.NOT_YET_VALID is identity.validity_at(begin - SECOND)
    assert Validity.VALID is identity.validity_at(begin)
    assert Validity.VALID is identity.validity_at(end)
    assert Validity.EXPIRED is identity.validity_at(end + SECOND)


def test_an_expired_certificate_loads(issuer: pki.Authority) -> None:
    """Whether an expired identity may serve is for others to decide; loading it is no error."""
    leaf = issuer.issue("old", not_before=pki.now() - 9 * SECOND, not_after=pki.now() - SECOND)

    assert Validity.EXPIRED is load_inline(leaf.pkcs12("x"), "x").validity_at(pki.now())


def test_digest_is_of_the_material(tmp_path, leaf: pki.Leaf) -> None:  # type: ignore[no-untyped-def]
    """The same key and certificates have one digest, in whatever file they stand."""
    first = load_inline(leaf.pkcs12("x"), "x")
    second = load_identity(pem_files(tmp_path, leaf.pem(), leaf.key_pem()))

    assert first.digest == second.digest
    assert first is not second
    assert first != second


def test_digest_differs_with_the_chain_and_with_the_leaf(
    issuer: pki.Authority, leaf: pki.Leaf
) -> None:
    """Another chain or a renewed leaf for the same key is other material."""
    renewed = issuer.issue("client", signing_key=leaf.key)
    contents = (leaf.pkcs12("x"), leaf.pkcs12("x", chain=()), renewed.pkcs12("x"))

    assert 3 == len({load_inline(content, "x").digest for content in contents})


def test_repr_names_it_without_its_key(leaf: pki.Leaf) -> None:
    """A repr helps in a log and shows no object that could show a key."""
    identity = load_inline(leaf.pkcs12("x"), "x")

    assert f"<Identity 'billing': {leaf.subject}, SHA-256 {leaf.fingerprint[:16]}...>" == repr(
        identity
    )
    assert "key" not in repr(identity).lower()


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_does_not_leave_the_process(take, leaf: pki.Leaf) -> None:  # type: ignore[no-untyped-def]
    """Pickling and copying would spread a key; both are refused."""
    identity = load_inline(leaf.pkcs12("x"), "x")

    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        take(identity)


def test_it_is_frozen(leaf: pki.Leaf) -> None:
    """An identity that is in use cannot change."""
    identity = load_inline(leaf.pkcs12("x"), "x")

    with pytest.raises(AttributeError):
        identity.name = "other"  # type: ignore[misc]


def test_it_can_be_made_from_its_parts(leaf: pki.Leaf) -> None:
    """The facts come from the certificate, not from the loader."""
    identity = identity_of(leaf, "a")

    assert leaf.fingerprint == identity.fingerprint
