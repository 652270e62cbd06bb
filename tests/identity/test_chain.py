"""Which certificate is the leaf, and which of the others are its chain."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path

import pytest
from cryptography import x509

from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.identity import load_identity
from tests.support import pki

from .material import failure, load_inline, pem_files

pytestmark = pytest.mark.usefixtures("reader")


def _orders(leaf: pki.Leaf) -> list[tuple[x509.Certificate, ...]]:
    return list(itertools.permutations((leaf.certificate, *leaf.chain)))


@pytest.mark.parametrize("number", range(6))
def test_any_order_in_pem(tmp_path: Path, leaf: pki.Leaf, number: int) -> None:
    """The leaf is the certificate that fits the key, the chain is put in order."""
    content = pki.pem(*_orders(leaf)[number])
    identity = load_identity(pem_files(tmp_path, content, leaf.key_pem()))

    assert (leaf.certificate, leaf.chain) == (identity.certificate, identity.chain)


def test_any_order_in_pkcs12(leaf: pki.Leaf) -> None:
    """The same for the certificates of a PKCS12 file."""
    backwards = load_inline(leaf.pkcs12("x", chain=leaf.chain[::-1]), "x")

    assert leaf.chain == backwards.chain


def test_root_is_left_out(root: pki.Authority, leaf: pki.Leaf) -> None:
    """A server trusts its own copy of the root or none (RFC 8446, 4.4.2)."""
    content = leaf.pkcs12("x", chain=(root.certificate, *leaf.chain))

    assert leaf.chain == load_inline(content, "x").chain


def test_foreign_certificates_are_left_out(issuer: pki.Authority, leaf: pki.Leaf) -> None:
    """What is not on the path from the leaf upwards is not sent."""
    foreign = pki.Authority("Other root").intermediate("Second intermediate")
    others = (foreign.certificate, issuer.issue("other").certificate)
    content = leaf.pkcs12("x", chain=(*others, *leaf.chain))

    assert leaf.chain == load_inline(content, "x").chain


def test_an_issuer_of_the_same_name_with_another_key_is_no_issuer(leaf: pki.Leaf) -> None:
    """The signature decides about the path, not the name."""
    impostor = pki.Authority("Impostor").intermediate("Second intermediate")
    content = leaf.pkcs12("x", chain=(impostor.certificate, *leaf.chain))

    assert leaf.chain == load_inline(content, "x").chain
    assert () == load_inline(leaf.pkcs12("x", chain=(impostor.certificate,)), "x").chain


def test_a_gap_ends_the_chain(leaf: pki.Leaf) -> None:
    """Without the leaf's issuer nothing above it belongs to the path."""
    content = leaf.pkcs12("x", chain=leaf.chain[1:])

    assert () == load_inline(content, "x").chain


@pytest.mark.parametrize("number", range(2))
def test_of_two_roots_of_a_name_the_issuer_counts(number: int) -> None:
    """A root that was renewed with another key stands beside the one that issued the leaf."""
    root, renewed = pki.Authority("A root"), pki.Authority("A root")
    roots = [root.certificate, renewed.certificate]
    leaf = root.issue("leaf")
    identity = load_inline(leaf.pkcs12("x", chain=roots[number:] + roots[:number]), "x")

    assert identity.root is not None
    assert root.certificate == identity.root.parsed
    assert () == identity.chain


def test_of_two_issuers_the_later_one_counts(root: pki.Authority) -> None:
    """An intermediate and its renewal have one key; the one that lasts longer is sent."""
    old = pki.Authority("Renewed", parent=root)
    end = pki.now() + datetime.timedelta(days=900)
    new = pki.Authority("Renewed", parent=root, signing_key=old.key, not_after=end)
    leaf = old.issue("client")
    for both in itertools.permutations((old.certificate, new.certificate)):
        chain = load_inline(leaf.pkcs12("x", chain=both), "x").chain
        assert (new.certificate,) == chain


def test_a_cross_signed_authority_is_an_intermediate(root: pki.Authority) -> None:
    """Of a root and its cross-signed twin only the self-signed one is a root."""
    young = pki.Authority("Young root")
    crossed = pki.Authority("Young root", parent=root, signing_key=young.key)
    leaf = young.issue("client")
    content = leaf.pkcs12("x", chain=(young.certificate, crossed.certificate))

    assert (crossed.certificate,) == load_inline(content, "x").chain


def test_two_authorities_that_signed_each_other_end() -> None:
    """A circle of cross-signatures is walked once."""
    one, two = pki.Authority("One"), pki.Authority("Two")
    one_by_two = pki.Authority("One", parent=two, signing_key=one.key)
    two_by_one = pki.Authority("Two", parent=one, signing_key=two.key)
    circle = (two_by_one.certificate, one_by_two.certificate)
    leaf = one.issue("client")

    assert circle[::-1] == load_inline(leaf.pkcs12("x", chain=circle), "x").chain


def test_a_self_signed_leaf_has_no_chain() -> None:
    """A leaf that signed itself is a leaf all the same."""
    alone = pki.Authority("Alone")
    leaf = pki.Leaf(alone.certificate, alone.key)
    identity = load_inline(leaf.pkcs12("x"), "x")

    assert (alone.certificate, ()) == (identity.certificate, identity.chain)


def test_a_leaf_twice_in_the_file_is_sent_once(leaf: pki.Leaf) -> None:
    """A certificate that stands twice counts once."""
    content = leaf.pkcs12("x", chain=(leaf.certificate, *leaf.chain))

    assert leaf.chain == load_inline(content, "x").chain


def test_a_key_that_fits_none_is_refused(
    tmp_path: Path, issuer: pki.Authority, leaf: pki.Leaf
) -> None:
    """A key and certificates that do not belong together are named, with their subjects."""
    other = issuer.issue("other")
    error = failure(pem_files(tmp_path, leaf.pem(), other.key_pem()))

    assert IdentityProblem.KEY_MISMATCH is error.problem
    assert "leaf.key" in str(error)
    assert "leaf.crt" in str(error)
    assert leaf.subject in str(error)


def test_keys_of_other_kinds_do_not_fit(
    tmp_path: Path, issuer: pki.Authority, leaf: pki.Leaf
) -> None:
    """An RSA key beside an EC certificate is a mismatch, not a crash."""
    error = failure(pem_files(tmp_path, leaf.pem(), issuer.issue("b", key="rsa").key_pem()))

    assert IdentityProblem.KEY_MISMATCH is error.problem
