"""A load of a certificate that fails counts by what it leaves in the context, and nothing else."""

from __future__ import annotations

import contextlib
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.base.genuine_ssl import NativeContext
from tests.contexts.ground import GOOD, Activation, Realm
from tests.contexts.verdicts import attempt
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


@dataclass(frozen=True)
class Material:
    """Files of a leaf that is not the rule's, sound and unsound."""

    certificate: Path
    key: Path
    encrypted: Path
    other_key: Path
    prose: Path
    missing: Path


@pytest.fixture
def material(beta: Leaf, gamma: Leaf, tmp_path: Path) -> Material:
    certificate, key = beta.write_pem(tmp_path)
    encrypted, other = tmp_path / "encrypted.key", gamma.write_pem(tmp_path, "other")[1]
    encrypted.write_bytes(beta.key_pem("right"))
    prose = tmp_path / "prose.pem"
    prose.write_text("nothing of the kind\n")
    return Material(certificate, key, encrypted, other, prose, tmp_path / "missing.pem")


Load = Callable[[ssl.SSLContext, Material], object]

FAILURES: dict[str, Load] = {
    # asyncpg does this for every `sslmode`.
    "no file": lambda context, own: context.load_cert_chain(own.missing),
    "no file for the key": lambda context, own: context.load_cert_chain(
        own.certificate, own.missing
    ),
    "no key in the file": lambda context, own: context.load_cert_chain(own.certificate),
    "wrong password": lambda context, own: context.load_cert_chain(
        own.certificate, own.encrypted, "wrong"
    ),
    "password that raises": lambda context, own: context.load_cert_chain(
        own.certificate,
        own.encrypted,
        lambda: 1 / 0,  # type: ignore[arg-type, return-value]
    ),
    "another key": lambda context, own: context.load_cert_chain(own.certificate, own.other_key),
    "prose": lambda context, own: context.load_cert_chain(own.prose),
    "wrong type": lambda context, own: context.load_cert_chain(7),  # type: ignore[arg-type]
    "nothing": lambda context, own: context.load_cert_chain(),  # type: ignore[call-arg]
}


def _try(load: Load, context: ssl.SSLContext, material: Material) -> None:
    with contextlib.suppress(OSError, TypeError, ZeroDivisionError):
        load(context, material)
        pytest.fail("it did not fail")


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("begun", ["before", "after"])
def test_a_load_that_fails_is_no_certificate(
    begun: str,
    failure: str,
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    material: Material,
) -> None:
    """Without a certificate of its own a context presents the identity of the rule."""
    context = realm.trusting()
    if begun == "after":
        activate()
        context = realm.trusting()
        assert attempt(context, server.port, GOOD).accepted
    _try(FAILURES[failure], context, material)
    activate()
    expected = [activate.leaf.fingerprint] * 2
    assert expected == [attempt(context, server.port, GOOD).fingerprint for _ in range(2)]


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("failure", FAILURES)
def test_a_load_that_fails_after_one_that_did_not(
    failure: str,
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    material: Material,
    beta: Leaf,
) -> None:
    """Where the own certificate is still there it wins; where OpenSSL has let it go, the rule."""

    def loaded() -> ssl.SSLContext:
        context = realm.trusting()
        context.load_cert_chain(material.certificate, material.key)
        _try(FAILURES[failure], context, material)
        return context

    plain = attempt(loaded(), server.port, GOOD).fingerprint
    activate()
    expected = activate.leaf.fingerprint if plain is None else beta.fingerprint
    assert expected == attempt(loaded(), server.port, GOOD).fingerprint


def test_a_load_that_fails_and_one_that_does_not(
    realm: Realm, server: TlsServer, activate: Activation, material: Material, beta: Leaf
) -> None:
    """A later load counts at once."""
    activate()
    context = realm.trusting()
    _try(FAILURES["no file"], context, material)
    assert activate.leaf.fingerprint == attempt(context, server.port, GOOD).fingerprint
    context.load_cert_chain(material.certificate, material.key)
    assert beta.fingerprint == attempt(context, server.port, GOOD).fingerprint


@pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="CPython itself holds the context's lock in the callback"
)
def test_a_password_callback_that_connects(
    realm: Realm, server: TlsServer, activate: Activation, material: Material, beta: Leaf
) -> None:
    """A connection that is made while a certificate is being loaded leaves nothing behind."""
    activate()
    context = realm.trusting()

    def ask() -> str:
        assert attempt(context, server.port, GOOD).accepted
        return "right"

    context.load_cert_chain(material.certificate, material.encrypted, ask)
    assert beta.fingerprint == attempt(context, server.port, GOOD).fingerprint


PAST: dict[str, Load] = {
    "method of _ssl": lambda context, own: NativeContext.load_cert_chain(
        context, own.certificate, own.key
    ),
    "method of the next class": lambda context, own: super(ssl.SSLContext, context).load_cert_chain(
        own.certificate, own.key
    ),
}


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("way", PAST)
@pytest.mark.parametrize("warm", [True, False], ids=["known trust", "new trust"])
def test_a_certificate_loaded_past_the_hooks(
    warm: bool,
    way: str,
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    material: Material,
    beta: Leaf,
) -> None:
    """It wins as any other, and verification is what it was."""
    activate()
    contexts = [realm.trusting() for _ in range(1 + warm)]
    PAST[way](contexts[-1], material)
    seen = [attempt(contexts[-1], server.port, GOOD).fingerprint for _ in range(2)]
    assert [beta.fingerprint] * 2 == seen


class _Direct(ssl.SSLContext):
    """A program's subclass that goes straight to the class in C."""

    def load_cert_chain(self, *args: Any) -> None:
        NativeContext.load_cert_chain(self, *args)


def test_a_subclass_that_loads_past_the_hooks_later(
    realm: Realm, server: TlsServer, activate: Activation, material: Material, beta: Leaf
) -> None:
    """Also between two connections to the same host."""
    activate()
    context = _Direct(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=realm.authority.der)
    assert activate.leaf.fingerprint == attempt(context, server.port, GOOD).fingerprint
    context.load_cert_chain(material.certificate, material.key)
    assert beta.fingerprint == attempt(context, server.port, GOOD).fingerprint
