"""pyOpenSSL: pinned CAs of a rule verify, also where the program has a certificate of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("OpenSSL")

from OpenSSL import SSL

from mxcert_runtime.hooks.pyopenssl.connections import UnenforceableAuthoritiesError
from tests.clients import openssl_calls
from tests.clients.calls import endpoint_of
from tests.clients.openssl_calls import OpensslCall, trusting
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf

HOST = HOSTS[0]
each_call = pytest.mark.parametrize(
    "call",
    [openssl_calls.over_socket, openssl_calls.over_memory_named_at_handshake],
    ids=lambda call: call.__name__,
)


def _with_certificate(context: Any, leaf: Leaf) -> Any:
    openssl_calls.give_certificate(context, leaf)
    return context


def _activate(stage: Stage, client_files: ClientFiles, alpha: Leaf, authority: Authority) -> None:
    rule = client_files.identity("alpha", alpha, hosts=[HOST], authorities=[authority])
    stage.activate(identity=[rule])


@each_call
def test_own_certificate_of_the_context(
    stage: Stage,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
    authority: Authority,
    client_authority: Authority,
    call: OpensslCall,
) -> None:
    """The rule's authorities verify, whatever the program trusts, and its certificate is shown."""
    _activate(stage, client_files, alpha, authority)
    context = trusting(str(client_files.authority(client_authority)))
    answer = call(stage.url(HOST), _with_certificate(context, beta))
    assert beta.fingerprint == answer["fingerprint"]


def test_own_certificate_and_a_class_of_the_program(
    stage: Stage, client_files: ClientFiles, alpha: Leaf, beta: Leaf, authority: Authority
) -> None:
    """A program's class of connections may be made by other arguments."""

    class Tunnel(SSL.Connection):
        def __init__(self, purpose: str, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.purpose = purpose

    _activate(stage, client_files, alpha, authority)
    context = _with_certificate(trusting(stage.ca_file), beta)
    url = stage.url(HOST)
    with socket.create_connection(endpoint_of(url), TIMEOUT) as plain:
        connection = Tunnel("to test", context, plain)
        connection.set_tlsext_host_name(HOST.encode("ascii"))
        connection.set_connect_state()
        assert beta.fingerprint == openssl_calls.get_from(connection, url)["fingerprint"]


def test_own_certificate_of_a_context_that_threads_share(
    stage: Stage, client_files: ClientFiles, alpha: Leaf, beta: Leaf, authority: Authority
) -> None:
    """Of threads that use a Context for the first time at once, each shows its certificate."""
    seen = set()
    for _ in range(8):
        _activate(stage, client_files, alpha, authority)
        context = _with_certificate(trusting(stage.ca_file), beta)
        ready = threading.Barrier(4)

        def ask(context: Any = context, ready: threading.Barrier = ready) -> object:
            ready.wait(TIMEOUT)
            return openssl_calls.over_socket(stage.url(HOST), context)["fingerprint"]

        with ThreadPoolExecutor(4) as threads:
            seen |= {future.result() for future in [threads.submit(ask) for _ in range(4)]}
    assert {beta.fingerprint} == seen


@each_call
def test_own_certificate_and_a_server_that_the_rule_does_not_trust(
    stage: Stage,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
    client_authority: Authority,
    call: OpensslCall,
) -> None:
    """The twin: a server that only the program trusts is refused."""
    _activate(stage, client_files, alpha, client_authority)
    context = _with_certificate(trusting(stage.ca_file), beta)
    with pytest.raises(SSL.Error):
        call(stage.url(HOST), context)
    assert [] == stage.seen


@pytest.mark.parametrize("early", [True, False], ids=["before the name", "after the name"])
def test_own_certificate_of_the_connection(
    stage: Stage,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
    authority: Authority,
    early: bool,
) -> None:
    """A certificate that is on the connection alone cannot be kept: refused, with the remedy."""
    _activate(stage, client_files, alpha, authority)
    with socket.create_connection((HOST, stage.server.port)) as plain:
        connection = SSL.Connection(trusting(stage.ca_file), plain)
        first, second = _steps(connection, beta) if early else _steps(connection, beta)[::-1]
        first()
        with pytest.raises(UnenforceableAuthoritiesError, match="load it there"):
            second()


def _steps(connection: Any, leaf: Leaf) -> list[Callable[[], Any]]:
    return [
        lambda: _with_certificate(connection, leaf),
        lambda: connection.set_tlsext_host_name(HOST.encode("ascii")),
    ]
