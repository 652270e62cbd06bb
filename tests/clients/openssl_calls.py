"""GETs by ``OpenSSL.SSL.Connection`` itself: over sockets and memory BIOs, with and without SNI."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL, crypto

from tests.clients.calls import TIMEOUT, endpoint_of, request_for
from tests.support.pki import Leaf
from tests.support.raw_http import body_of

OpensslCall = Callable[[str, Any], Any]


def give_certificate(target: Any, leaf: Leaf) -> None:
    """Load a leaf and its key, in the types that every supported pyOpenSSL takes."""
    with warnings.catch_warnings():
        # From 24.3 on its own types are deprecated; before, it takes no others.
        warnings.simplefilter("ignore", DeprecationWarning)
        target.use_certificate(crypto.X509.from_cryptography(leaf.certificate))
        target.use_privatekey(crypto.PKey.from_cryptography_key(leaf.key))


def trusting(ca_file: str) -> Any:
    """A context that verifies the server by this file alone."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.load_verify_locations(ca_file)
    context.set_verify(SSL.VERIFY_PEER, lambda *arguments: bool(arguments[-1]))
    # Here since pyOpenSSL lets nobody change a context that has made a connection.
    context.set_info_callback(_name_host)
    return context


def _name_host(connection: Any, where: int, _: int) -> None:
    host = connection.get_app_data()
    if host is not None and where & SSL.SSL_CB_HANDSHAKE_START:
        connection.set_tlsext_host_name(host.encode("ascii"))


def over_socket(url: str, context: Any) -> Any:
    """A socket that is connected already, and SNI."""
    host, port = endpoint_of(url)
    with socket.create_connection((host, port)) as plain:
        connection = SSL.Connection(context, plain)
        connection.set_tlsext_host_name(host.encode("ascii"))
        connection.set_connect_state()
        return get_from(connection, url)


def over_socket_named_late(url: str, context: Any) -> Any:
    """``set_connect_state`` first, and SNI after it."""
    host, port = endpoint_of(url)
    with socket.create_connection((host, port)) as plain:
        connection = SSL.Connection(context, plain)
        connection.set_connect_state()
        connection.set_tlsext_host_name(host.encode("ascii"))
        return get_from(connection, url)


def by_connect(url: str, context: Any) -> Any:
    """``Connection.connect`` to 127.0.0.1 without SNI: the address is all there is."""
    with socket.socket() as plain:
        connection = SSL.Connection(context, plain)
        connection.connect(("127.0.0.1", endpoint_of(url)[1]))
        return get_from(connection, url)


def over_connected_socket_without_name(url: str, context: Any) -> Any:
    """A connected socket without SNI: its peer is all there is."""
    with socket.create_connection(endpoint_of(url)) as plain:
        connection = SSL.Connection(context, plain)
        connection.set_connect_state()
        return get_from(connection, url)


def over_memory(url: str, context: Any) -> Any:
    """Memory BIOs, and SNI."""
    host, _ = endpoint_of(url)
    connection = SSL.Connection(context, None)
    connection.set_tlsext_host_name(host.encode("ascii"))
    connection.set_connect_state()
    return pump(connection, url)


def over_memory_named_at_handshake(url: str, context: Any) -> Any:
    """As Twisted does it: memory BIOs, and SNI set in the info callback at handshake start."""
    host, _ = endpoint_of(url)
    connection = SSL.Connection(context, None)
    connection.set_app_data(host)
    connection.set_connect_state()
    return pump(connection, url)


def get_from(connection: Any, url: str) -> Any:
    """A GET over a connection with a blocking socket; the JSON of the answer."""
    plain = connection._socket
    if plain is not None:
        plain.settimeout(None)
    connection.do_handshake()
    connection.sendall(request_for(url))
    answer = b""
    try:
        while True:
            answer += connection.recv(65536)
    except SSL.ZeroReturnError:
        return body_of(answer)


def pump(connection: Any, url: str) -> Any:
    """A GET over a connection with memory BIOs; the JSON of the answer."""
    with socket.create_connection(endpoint_of(url), TIMEOUT) as plain:

        def pumped(step: Callable[[], Any]) -> Any:
            while True:
                try:
                    result = step()
                except SSL.WantReadError:
                    _flush(connection, plain)
                    received = plain.recv(65536)
                    connection.bio_write(received) if received else connection.bio_shutdown()
                else:
                    _flush(connection, plain)
                    return result

        pumped(connection.do_handshake)
        pumped(lambda: connection.send(request_for(url)))
        answer = b""
        try:
            while True:
                answer += pumped(lambda: connection.recv(65536))
        except SSL.ZeroReturnError:
            return body_of(answer)


def _flush(connection: Any, plain: socket.socket) -> None:
    try:
        while True:
            plain.sendall(connection.bio_read(65536))
    except SSL.WantReadError:
        return
