"""What is done to a context past every hook counts as without us: nothing more, nothing less."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.base.genuine_ssl import NativeContext
from tests.contexts.ground import FOREIGN, GOOD, REVOKED, RSA, Activation, Ground
from tests.contexts.loading import by_file, loaded
from tests.contexts.verdicts import attempt
from tests.support.tls_server import TlsServer

HOSTS = (GOOD, FOREIGN, REVOKED, RSA)


class Direct(ssl.SSLContext):
    """A program's subclass that goes straight to the class in C."""

    def load_verify_locations(self, *args: Any, **kwargs: Any) -> None:
        NativeContext.load_verify_locations(self, *args, **kwargs)

    def set_default_verify_paths(self) -> None:
        NativeContext.set_default_verify_paths(self)

    def set_ciphers(self, text: str, /) -> None:
        NativeContext.set_ciphers(self, text)


def _by_subclass(ground: Ground) -> ssl.SSLContext:
    context = Direct(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ground.realm.authority.der)
    return context


def _by_subclass_default(ground: Ground) -> ssl.SSLContext:
    ground.default_paths(ground.file(ground.realm.authority.pem))
    context = Direct(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


def _by_subclass_directory(ground: Ground) -> ssl.SSLContext:
    context = Direct(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(capath=str(ground.directory(ground.realm.authority)))
    return context


def _known_and_past(ground: Ground) -> ssl.SSLContext:
    ground.file(ground.realm.authority.pem)
    context = [by_file(ground) for _ in range(2)][1]
    NativeContext.load_verify_locations(context, cadata=ground.realm.foreign.der)
    return context


def _crl(ground: Ground) -> ssl.SSLContext:
    context = _known_and_past(ground)
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    crl = ground.file(ground.realm.crl, "crl.pem")
    NativeContext.load_verify_locations(context, cafile=str(crl))
    return context


def _ciphers(text: str) -> Callable[[Ground], ssl.SSLContext]:
    def make(ground: Ground) -> ssl.SSLContext:
        context = _known_and_past(ground)
        NativeContext.set_ciphers(context, text)
        return context

    return make


def _flags(ground: Ground) -> ssl.SSLContext:
    context = _known_and_past(ground)
    flags = NativeContext.verify_flags
    flags.__set__(context, flags.__get__(context) | ssl.VERIFY_CRL_CHECK_LEAF)
    return context


def _optional(ground: Ground) -> ssl.SSLContext:
    context = _known_and_past(ground)
    NativeContext.verify_mode.__set__(context, ssl.CERT_OPTIONAL)
    return context


def _no_host_names(ground: Ground) -> ssl.SSLContext:
    context = _known_and_past(ground)
    NativeContext.check_hostname.__set__(context, False)
    return context


WAYS: dict[str, Callable[[Ground], ssl.SSLContext]] = {
    "subclass": _by_subclass,
    "subclass with default paths": _by_subclass_default,
    "subclass with a directory": _by_subclass_directory,
    "pending load, and one past it": _known_and_past,
    "CRL": _crl,
    "ciphers": _ciphers("ECDHE-ECDSA-AES128-GCM-SHA256"),
    "security level raised": _ciphers("DEFAULT:@SECLEVEL=3"),
    "security level lowered": _ciphers("ALL:@SECLEVEL=0"),
    "flags": _flags,
    "mode": _optional,
    "no host names": _no_host_names,
}


def _verdicts(context: ssl.SSLContext, port: int) -> list[Any]:
    verdicts = [attempt(context, port, host) for host in HOSTS * 2]
    return [(each, each.answer.get("cipher"), each.answer.get("version")) for each in verdicts]


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hosts", [["*.test"], ["elsewhere.example"]], ids=["identity", "none"])
def test_verdicts(
    hosts: list[str], way: str, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """The same servers are accepted and refused, with the same ciphers."""
    plain = _verdicts(WAYS[way](ground), server.port)
    activate(*hosts)
    hooked = _verdicts(WAYS[way](ground), server.port)
    assert plain == hooked
    expected = activate.leaf.fingerprint if hosts == ["*.test"] else None
    assert {expected} >= {each.fingerprint for each, *_ in hooked if each.accepted}


def test_more_after_the_first_connection(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """An authority that is loaded past the hooks later counts for the next decision at the latest.

    A hooked change of anything makes the context be looked at again.
    """
    activate()
    context = _known_and_past(ground)
    assert attempt(context, server.port, GOOD).accepted
    NativeContext.load_verify_locations(context, cadata=ground.realm.foreign.der)
    context.set_ciphers("DEFAULT")
    assert attempt(context, server.port, FOREIGN).accepted
    assert attempt(context, server.port, GOOD).accepted


def test_a_context_that_verified_by_itself_stays_known(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """What OpenSSL has found in a directory is no load: extra authorities join default trust."""
    ground.default_paths(directory=str(ground.directory(ground.realm.authority)))
    activate()
    context = ssl.create_default_context()
    assert attempt(context, server.port, GOOD).accepted
    assert loaded(context) == 1
    activate(ca=[activate.path(ground.realm.foreign)])
    assert attempt(context, server.port, FOREIGN).accepted
    assert attempt(context, server.port, GOOD).accepted
    mxcert_runtime.deactivate()
    assert not attempt(context, server.port, FOREIGN).accepted


def test_an_authority_beside_default_trust(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """Where a context holds more than was seen, it verifies by itself: nobody joins it."""
    ground.default_paths(ground.file(ground.realm.crl))
    activate(ca=[activate.path(ground.realm.foreign)])
    context = ssl.create_default_context()
    NativeContext.load_verify_locations(context, cadata=ground.realm.authority.der)
    accepted = {host for host in HOSTS if attempt(context, server.port, host).accepted}
    assert {GOOD, REVOKED, RSA} == accepted
