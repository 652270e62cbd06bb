"""Which identity a request chooses, and why the others do not fit; without any connection."""

from __future__ import annotations

import datetime
import functools

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448

from mxcert_runtime.connections.request import CertificateRequest, choose
from mxcert_runtime.identity.identity import Identity
from tests.connections.messages import ECDSA_SIGN, RSA_SIGN, TLS_1_2, TLS_1_3
from tests.support.identities import identity_of
from tests.support.pki import Authority, Leaf, now

DAY = datetime.timedelta(days=1)


@functools.cache
def root() -> Authority:
    """The root of all identities here."""
    return Authority("Choice root")


def identity(name: str, leaf: Leaf) -> Identity:
    """An identity of a leaf."""
    return identity_of(leaf, name)


@functools.cache
def with_key(kind: str) -> Identity:
    """An identity with a key of this kind, which is its name too."""
    keys = {
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "k256": lambda: ec.generate_private_key(ec.SECP256K1()),
        "ed448": ed448.Ed448PrivateKey.generate,
    }
    if kind in keys:
        leaf = root().issue(kind, signing_key=keys[kind]())  # type: ignore[arg-type]
    else:
        leaf = root().issue(kind, key={"p256": "ec"}.get(kind, kind))
    return identity(kind, leaf)


KINDS = ["rsa", "p521", "p384", "p256", "k256", "ed25519", "ed448"]
EVERY_EC = {"p521", "p384", "p256", "k256"}

SCHEMES_1_3 = [
    (0x0804, {"rsa"}),
    (0x0805, {"rsa"}),
    (0x0806, {"rsa"}),
    (0x0401, set()),  # PKCS1 signs certificates only (RFC 8446, section 4.2.3)
    (0x0201, set()),
    (0x0403, {"p256"}),
    (0x0503, {"p384"}),
    (0x0603, {"p521"}),
    (0x0807, {"ed25519"}),
    (0x0808, {"ed448"}),
    (0xFFFF, set()),
]
SCHEMES_1_2 = [
    (0x0401, {"rsa"}),
    (0x0501, {"rsa"}),
    (0x0804, {"rsa"}),
    (0x0403, EVERY_EC),
    (0x0503, EVERY_EC),
    (0x0603, EVERY_EC),
    (0x0807, {"ed25519"}),
    (0x0808, {"ed448"}),
    (0xFFFF, set()),
]


def fitting(request: CertificateRequest) -> set[str]:
    """The kinds of key that fit a request when each is alone."""
    return {kind for kind in KINDS if choose(request, [with_key(kind)], now()).identity}


class TestKeys:
    @pytest.mark.parametrize(("scheme", "expected"), SCHEMES_1_3)
    def test_tls_1_3(self, scheme: int, expected: set[str]) -> None:
        """In TLS 1.3 each scheme is for one kind of key, a curve included."""
        assert expected == fitting(CertificateRequest(TLS_1_3, (), frozenset({scheme})))

    @pytest.mark.parametrize(("scheme", "expected"), SCHEMES_1_2)
    def test_tls_1_2(self, scheme: int, expected: set[str]) -> None:
        """In TLS 1.2 ECDSA is bound to no curve."""
        types = frozenset({RSA_SIGN, ECDSA_SIGN})
        assert expected == fitting(CertificateRequest(TLS_1_2, (), frozenset({scheme}), types))

    @pytest.mark.parametrize(
        ("types", "expected"),
        [
            ({RSA_SIGN}, {"rsa"}),
            ({ECDSA_SIGN}, set(KINDS) - {"rsa"}),
            ({RSA_SIGN, ECDSA_SIGN}, set(KINDS)),
            ({2}, set()),
            (set(), set(KINDS)),
        ],
    )
    def test_types(self, types: set[int], expected: set[str]) -> None:
        """The certificate types of TLS 1.2 count as well; Edwards keys are under ECDSA."""
        schemes = frozenset({0x0401, 0x0403, 0x0807, 0x0808})
        assert expected == fitting(CertificateRequest(TLS_1_2, (), schemes, frozenset(types)))

    @pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
    def test_nothing_said(self, version: int) -> None:
        """A request without any scheme fits every key that the version knows."""
        assert set(KINDS) == fitting(CertificateRequest(version, (), frozenset()))


class TestOrder:
    def test_first_that_fits(self) -> None:
        """The settings' order decides, and those before are told with their reasons."""
        candidates = [with_key("rsa"), with_key("p384"), with_key("p256"), with_key("ed25519")]
        request = CertificateRequest(TLS_1_3, (), frozenset({0x0403, 0x0807}))
        choice = choose(request, candidates, now())
        assert with_key("p256") is choice.identity
        assert ["rsa", "p384"] == [name for name, _ in choice.refused]
        assert ["key" in reason for _, reason in choice.refused] == [True, True]

    def test_none(self) -> None:
        """Where nothing fits, each identity has its reason."""
        request = CertificateRequest(TLS_1_3, (b"stranger",), frozenset({0x0403}))
        choice = choose(request, [with_key("rsa"), with_key("p256")], now())
        assert choice.identity is None
        reasons = dict(choice.refused)
        assert {"rsa", "p256"} == set(reasons)
        assert [root().subject in reason for reason in reasons.values()] == [True, True]

    def test_nobody(self) -> None:
        """Without candidates there is nothing."""
        choice = choose(CertificateRequest(TLS_1_3, (), frozenset()), [], now())
        assert (None, ()) == (choice.identity, choice.refused)


class TestIssuers:
    @pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
    def test_along_the_chain(self, version: int) -> None:
        """Each issuer of the chain counts, the root that is not in it included; the leaf not."""
        upper = root().intermediate("Upper")
        lower = upper.intermediate("Lower")
        deep = identity("deep", lower.issue("deep"))
        names = {
            "root": root().certificate.subject,
            "upper": upper.certificate.subject,
            "lower": lower.certificate.subject,
            "leaf": deep.certificate.subject,
            "stranger": Authority("Stranger").certificate.subject,
        }
        fits = {
            label: choose(
                CertificateRequest(version, (name.public_bytes(),), frozenset()), [deep], now()
            ).identity
            is deep
            for label, name in names.items()
        }
        expected = {"root": True, "upper": True, "lower": True, "leaf": False, "stranger": False}
        assert expected == fits

    def test_without_its_chain(self) -> None:
        """A leaf whose intermediates are missing is known by its own issuer only."""
        upper = root().intermediate("Upper")
        leaf = upper.issue("short")
        short = identity("short", Leaf(leaf.certificate, leaf.key))
        root_name = root().certificate.subject.public_bytes()
        upper_name = upper.certificate.subject.public_bytes()
        found = [
            choose(CertificateRequest(TLS_1_3, (name,), frozenset()), [short], now()).identity
            for name in (root_name, upper_name)
        ]
        assert [None, short] == found


class TestValidity:
    @pytest.mark.parametrize(
        ("moment", "word"),
        [(-10 * DAY, "not yet valid"), (0 * DAY, None), (10 * DAY, "expired")],
    )
    def test_moment(self, moment: datetime.timedelta, word: str | None) -> None:
        """Only an identity that is valid at the moment fits, and the reason says which."""
        leaf = root().issue("short", not_before=now() - DAY, not_after=now() + DAY)
        short = identity("short", leaf)
        choice = choose(CertificateRequest(TLS_1_3, (), frozenset()), [short], now() + moment)
        assert (word is None) == (choice.identity is short)
        assert all(word is not None and word in reason for _, reason in choice.refused)
