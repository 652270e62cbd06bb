"""A client of each engine, driven in the same way: a context, a GET, a first flight."""

from __future__ import annotations

import contextlib
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.calls import TIMEOUT, endpoint_of, request_for
from tests.support.pki import Leaf
from tests.support.raw_http import body_of


@dataclass(frozen=True)
class Exchange:
    """What the server says of one GET, and the session that the client may keep."""

    answer: dict[str, Any]
    session: Any

    @property
    def presented(self) -> str | None:
        """The fingerprint of the client's leaf, as the server saw it."""
        fingerprint: str | None = self.answer["fingerprint"]
        return fingerprint


class Driver(ABC):
    """A client of one engine; its own exceptions are ``errors``."""

    name: str
    errors: tuple[type[Exception], ...]

    def __str__(self) -> str:
        return self.name

    def get(
        self,
        url: str,
        context: Any,
        *,
        session: Any = None,
        port: int | None = None,
        is_named: bool = True,
    ) -> Exchange:
        """A handshake and a GET over a socket, without a name in TLS unless ``is_named``."""
        host, known_port = endpoint_of(url)
        address = "127.0.0.1", port or known_port
        with socket.create_connection(address, TIMEOUT) as plain:
            name = host if is_named else None
            with self.connected(context, plain, name, session) as connection:
                connection.sendall(request_for(url))
                answer = body_of(self.read_all(connection))
                return Exchange(answer, self.session_of(connection))

    def presented(self, url: str, context: Any) -> str | None:
        """What a server sees of one GET."""
        return self.get(url, context).presented

    def shake_hands(self, context: Any, plain: socket.socket, name: str) -> None:
        """A handshake, and no more."""
        with self.connected(context, plain, name):
            pass

    @abstractmethod
    def context(self, ca_file: str | None = None) -> Any:
        """A context that verifies servers by a file, or by default trust."""

    @abstractmethod
    def give_certificate(self, context: Any, leaf: Leaf, folder: Path) -> None:
        """Load a certificate of the program's own."""

    @abstractmethod
    def set_ciphers(self, context: Any, ciphers: str) -> None:
        """Choose ciphers by OpenSSL's list."""

    @abstractmethod
    def connected(
        self, context: Any, plain: socket.socket, name: str | None, session: Any = None
    ) -> contextlib.AbstractContextManager[Any]:
        """A connection after its handshake; it says goodbye at its end."""

    @abstractmethod
    def make(self, context: Any, host: str) -> Any:
        """A connection in memory, where nobody knows a port."""

    @abstractmethod
    def first_flight(self, context: Any, host: str) -> None:
        """Begin a handshake in memory."""

    @abstractmethod
    def read_all(self, connection: Any) -> bytes:
        """Read until the server closes."""

    @abstractmethod
    def session_of(self, connection: Any) -> Any:
        """The session that a program may keep."""


class SslDriver(Driver):
    """The standard library's."""

    name = "ssl"
    errors = (OSError,)

    def context(self, ca_file: str | None = None) -> Any:
        return ssl.create_default_context(cafile=ca_file)

    def give_certificate(self, context: Any, leaf: Leaf, folder: Path) -> None:
        context.load_cert_chain(*leaf.write_pem(folder, "own"))

    def set_ciphers(self, context: Any, ciphers: str) -> None:
        context.set_ciphers(ciphers)

    @contextlib.contextmanager
    def connected(
        self, context: Any, plain: socket.socket, name: str | None, session: Any = None
    ) -> Iterator[Any]:
        context.check_hostname = name is not None
        with context.wrap_socket(plain, server_hostname=name, session=session) as connection:
            yield connection
            with contextlib.suppress(OSError):
                connection.unwrap()

    def make(self, context: Any, host: str) -> Any:
        return context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host)

    def first_flight(self, context: Any, host: str) -> None:
        connection = self.make(context, host)
        with pytest.raises(ssl.SSLWantReadError):
            connection.do_handshake()

    def read_all(self, connection: Any) -> bytes:
        with connection.makefile("rb") as answer:
            content: bytes = answer.read()
        return content

    def session_of(self, connection: Any) -> Any:
        return connection.session


class PyopensslDriver(Driver):
    """pyOpenSSL's."""

    name = "pyopenssl"

    @property
    def errors(self) -> tuple[type[Exception], ...]:  # type: ignore[override]
        from OpenSSL import SSL

        return SSL.Error, OSError

    def context(self, ca_file: str | None = None) -> Any:
        from OpenSSL import SSL

        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        if ca_file is None:
            context.set_default_verify_paths()
        else:
            context.load_verify_locations(ca_file)
        context.set_verify(SSL.VERIFY_PEER, lambda *arguments: bool(arguments[-1]))
        return context

    def give_certificate(self, context: Any, leaf: Leaf, folder: Path) -> None:
        from tests.clients.openssl_calls import give_certificate

        give_certificate(context, leaf)

    def set_ciphers(self, context: Any, ciphers: str) -> None:
        context.set_cipher_list(ciphers.encode("ascii"))

    @contextlib.contextmanager
    def connected(
        self, context: Any, plain: socket.socket, name: str | None, session: Any = None
    ) -> Iterator[Any]:
        from OpenSSL import SSL

        plain.settimeout(None)
        connection = SSL.Connection(context, plain)
        if session is not None:
            connection.set_session(session)
        if name is not None:
            connection.set_tlsext_host_name(name.encode("ascii"))
        connection.set_connect_state()
        connection.do_handshake()
        yield connection
        with contextlib.suppress(SSL.Error):
            # OpenSSL does not resume a session whose connection ended without this.
            connection.shutdown()

    def make(self, context: Any, host: str) -> Any:
        from OpenSSL import SSL

        connection = SSL.Connection(context, None)
        connection.set_tlsext_host_name(host.encode("ascii"))
        connection.set_connect_state()
        return connection

    def first_flight(self, context: Any, host: str) -> None:
        from OpenSSL import SSL

        connection = self.make(context, host)
        with pytest.raises(SSL.WantReadError):
            connection.do_handshake()

    def read_all(self, connection: Any) -> bytes:
        from OpenSSL import SSL

        answer = b""
        try:
            while True:
                answer += connection.recv(65536)
        except SSL.ZeroReturnError:
            return answer

    def session_of(self, connection: Any) -> Any:
        return connection.get_session()


DRIVERS = (SslDriver(), PyopensslDriver())
