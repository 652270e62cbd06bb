"""The certificate that a caller loaded itself always wins; how it is found out changes nothing."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448

from mxcert_runtime.contexts.own_certificate import presents_certificate
from tests.contexts.ground import GOOD, Activation, Realm
from tests.contexts.verdicts import attempt
from tests.support.pki import Authority, Leaf, private_key
from tests.support.tls_server import TlsServer

ORDERS = (
    ("create", "load", "activate", "connect"),
    ("create", "activate", "load", "connect"),
    ("activate", "create", "load", "connect"),
    ("create", "connect", "load", "activate", "connect"),
    ("create", "activate", "connect", "load", "connect"),
    ("activate", "create", "connect", "load", "connect"),
)


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_wins(
    order: tuple[str, ...],
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    alpha: Leaf,
    beta: Leaf,
    tmp_path: Path,
) -> None:
    """Loaded before or after activation, or after a connection: from then on it is presented."""
    files = beta.write_pem(tmp_path)
    context = realm.trusting()
    active, loaded = False, False
    for step in order:
        if step == "create":
            context = realm.trusting()
        elif step == "activate":
            activate()
            active = True
        elif step == "load":
            context.load_cert_chain(*files)
            loaded = True
        else:
            expected = beta if loaded else alpha if active else None
            seen = attempt(context, server.port, GOOD)
            assert seen.accepted
            assert (expected and expected.fingerprint) == seen.fingerprint


KEYS: dict[str, Callable[[], Any]] = {
    "rsa": lambda: private_key("rsa"),
    "ec": lambda: private_key("ec"),
    "ed25519": lambda: private_key("ed25519"),
}
CIPHERS = (
    "DEFAULT",
    "ALL:@SECLEVEL=0",
    "DEFAULT:@SECLEVEL=3",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES256-GCM-SHA384",
    "DHE+AESGCM",
    "CHACHA20",
)
VERSIONS = {
    "default": (ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.MAXIMUM_SUPPORTED),
    "TLS 1.2": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    "TLS 1.3": (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
}


def _context(ciphers: str, version: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = VERSIONS[version]
    context.set_ciphers(ciphers)
    return context


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ciphers", CIPHERS)
@pytest.mark.parametrize("key", KEYS)
def test_probe_finds_a_certificate(
    key: str, ciphers: str, version: str, client_authority: Authority, tmp_path: Path
) -> None:
    """A certificate is found whatever its key, and whatever the context's ciphers are for."""
    if key == "rsa" and "SECLEVEL=3" in ciphers:
        ciphers = "DEFAULT:@SECLEVEL=2"  # a higher level does not take the key
    context = _context(ciphers, version)
    leaf = client_authority.issue("probed", server=False, signing_key=KEYS[key]())
    context.load_cert_chain(*leaf.write_pem(tmp_path))
    assert presents_certificate(context)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ciphers", CIPHERS)
def test_probe_finds_none(ciphers: str, version: str) -> None:
    """A context without a certificate is told apart, with the same ciphers and versions."""
    assert not presents_certificate(_context(ciphers, version))


def test_probe_finds_ed448(client_authority: Authority, tmp_path: Path) -> None:
    """Keys that few have are found too."""
    key: Any = ed448.Ed448PrivateKey.generate()
    leaf = _issue_ed448(client_authority, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(*leaf.write_pem(tmp_path))
    assert presents_certificate(context)


def _issue_ed448(authority: Authority, key: Any) -> Leaf:
    return authority.issue("ed448", server=False, signing_key=key)


def test_probe_of_a_loaded_key_above_a_raised_level(
    client_authority: Authority, tmp_path: Path
) -> None:
    """A certificate loaded before the level was raised above it is a certificate still."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(*client_authority.issue("rsa", key="rsa").write_pem(tmp_path))
    context.set_ciphers("DEFAULT:@SECLEVEL=3")
    assert presents_certificate(context)


@pytest.mark.parametrize("protocol", [ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER])
@pytest.mark.parametrize("loaded", [True, False])
def test_probe_changes_nothing(
    protocol: int, loaded: bool, realm: Realm, beta: Leaf, tmp_path: Path
) -> None:
    """Ciphers, store, callbacks: all is as it was, and nothing is called.

    Only OpenSSL's count of handshakes that the context accepted as a server tells of it, and a key
    log has the lines of a handshake in which nothing was said.
    """
    calls: list[Any] = []
    context = ssl.SSLContext(protocol)
    context.set_ciphers("ECDHE+AESGCM")
    context.load_verify_locations(cadata=realm.authority.der)
    context._msg_callback = lambda *message: calls.append(message)  # type: ignore[attr-defined]
    if protocol == ssl.PROTOCOL_TLS_SERVER:
        context.sni_callback = lambda *question: calls.append(question)
    key_log = tmp_path / "keys"
    context.keylog_filename = str(key_log)
    if loaded:
        context.load_cert_chain(*beta.write_pem(tmp_path))
    before = _state(context)
    assert loaded == presents_certificate(context)
    assert before == _state(context)
    assert not calls


def _state(context: Any) -> tuple[Any, ...]:
    return (
        context.get_ciphers(),
        context.cert_store_stats(),
        {**context.session_stats(), "accept": None, "accept_good": None},
        context._msg_callback,
        context.sni_callback,
        context.keylog_filename,
        context.verify_mode,
        context.check_hostname,
        context.options,
        context.verify_flags,
        context.minimum_version,
        context.maximum_version,
        getattr(context, "security_level", None),
    )


def test_adopted_context_with_ciphers_for_another_key(
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    client_authority: Authority,
    tmp_path: Path,
) -> None:
    """A caller's RSA certificate wins also where the ciphers are for servers with EC keys only."""
    own = client_authority.issue("own", server=False, key="rsa")
    context = realm.trusting()
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    context.load_cert_chain(*own.write_pem(tmp_path))
    activate()
    assert own.fingerprint == attempt(context, server.port, GOOD).fingerprint
