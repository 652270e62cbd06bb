"""What the hooks of pyOpenSSL's connections and stores replace, and how it comes back."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

from tests.support.hook_contract import HookContract


class TestPyopensslSessions(HookContract):
    targets = ("OpenSSL.SSL:Connection.get_session", "OpenSSL.SSL:Connection.set_session")

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import socket
        from urllib.parse import urlsplit

        from OpenSSL import SSL

        from tests.clients.openssl_calls import get_from, trusting

        parts = urlsplit(url)
        assert parts.hostname is not None
        context = trusting(ca_file)
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", parts.port or 0)) as plain:
                connection = SSL.Connection(context, plain)
                connection.set_tlsext_host_name(parts.hostname.encode("ascii"))
                connection.set_connect_state()
                answer = get_from(connection, url)
                session = connection.get_session()
                connection.set_session(session)
        return answer


class TestPyopensslSteps(HookContract):
    targets = tuple(
        f"OpenSSL.SSL:Connection.{name}"
        for name in ("do_handshake", "recv", "recv_into", "read", "send", "sendall", "write")
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import socket
        from urllib.parse import urlsplit

        from OpenSSL import SSL

        from tests.clients.calls import request_for
        from tests.clients.openssl_calls import trusting
        from tests.support.raw_http import body_of

        parts = urlsplit(url)
        assert parts.hostname is not None
        with socket.create_connection(("127.0.0.1", parts.port or 0)) as plain:
            connection = SSL.Connection(trusting(ca_file), plain)
            connection.set_tlsext_host_name(parts.hostname.encode("ascii"))
            connection.set_connect_state()
            connection.do_handshake()
            request, answer, room = request_for(url), b"", bytearray(1)
            sent = connection.send(request[:1]) + connection.write(request[1:2])
            connection.sendall(request[sent:])
            try:
                while True:
                    answer += connection.recv(1) + connection.read(1)
                    answer += bytes(room[: connection.recv_into(room)])
            except SSL.ZeroReturnError:
                return body_of(answer)


#: pyOpenSSL has it from 25.2 on
_SUITES = tuple(
    f"OpenSSL.SSL:Context.{name}"
    for name in ("set_tls13_ciphersuites",)
    if hasattr(SSL.Context, name)
)


class TestPyopensslStores(HookContract):
    targets = (
        "OpenSSL.SSL:Connection.set_context",
        "OpenSSL.SSL:Connection.connect_ex",
        "OpenSSL.SSL:Context.get_cert_store",
        *_SUITES,
        "OpenSSL.crypto:X509Store.set_flags",
        "OpenSSL.crypto:X509Store.set_time",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import socket
        from urllib.parse import urlsplit

        from OpenSSL import SSL

        from tests.clients.openssl_calls import get_from, trusting

        parts = urlsplit(url)
        assert parts.hostname is not None
        context = trusting(ca_file)
        store = context.get_cert_store()
        store.set_flags(0)
        with socket.create_connection(("127.0.0.1", parts.port or 0)) as plain:
            connection = SSL.Connection(trusting(ca_file), plain)
            connection.set_context(context)
            connection.set_tlsext_host_name(parts.hostname.encode("ascii"))
            connection.set_connect_state()
            return get_from(connection, url)
