"""A decrypted key goes with the settings that named it, whatever was done with it."""

from __future__ import annotations

import gc
import ssl
import weakref
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.decisions import in_force
from tests.clients.openssl_calls import over_memory, trusting
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch_text
from tests.support.tls_server import TlsServer


def _keys() -> list[weakref.ref[Any]]:
    """The keys in force, held by nobody here."""
    assert in_force.current is not None
    return [weakref.ref(each.key) for each in in_force.current.identities]


def _alive(references: list[weakref.ref[Any]]) -> int:
    gc.collect()
    return sum(each() is not None for each in references)


@pytest.fixture
def used(
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    authority: Authority,
    client_authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Any:
    """Connections of contexts that live on, under two identities in force."""
    server = tls_server(client_authorities=[client_authority])
    context = ssl.create_default_context(cadata=authority.pem.decode())
    other = trusting(str(client_files.authority(authority)))
    one = client_files.identity("one", alpha, hosts=["localhost"])
    two = client_files.identity("two", beta, hosts=["elsewhere.test"])
    mxcert_runtime.activate(settings={"identity": [one, two]})
    assert alpha.fingerprint in fetch_text(server.url("localhost"), context)
    assert alpha.fingerprint == over_memory(server.url("localhost"), other)["fingerprint"]
    return context, other


def test_nothing_after_deactivate(used: Any) -> None:
    """After ``deactivate`` no key is left, although the contexts that used it are."""
    keys = _keys()
    assert 2 == _alive(keys)
    mxcert_runtime.deactivate()
    assert 0 == _alive(keys)


def test_only_what_is_named_after_another_activation(
    used: Any, client_files: ClientFiles, beta: Leaf
) -> None:
    """Other settings keep the key that they name too, without decrypting it, and no other."""
    keys = _keys()
    two = client_files.identity("two", beta, hosts=["elsewhere.test"])
    mxcert_runtime.activate(settings={"identity": [two]})
    assert [False, True] == [_alive([each]) == 1 for each in keys]
    assert in_force.current is not None
    assert in_force.current.identities[0].key is keys[1]()
