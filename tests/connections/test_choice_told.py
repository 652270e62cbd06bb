"""What the request named and who was passed over is one line of debugging, where nothing fits."""

from __future__ import annotations

import logging
import ssl

import pytest
from cryptography import x509

from tests.connections.candidates import Candidates
from tests.connections.issuer_servers import OpensslServers
from tests.support.pki import Authority
from tests.support.server_tls import TlsVersion


def _debug_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [each.getMessage() for each in caplog.records if each.levelno == logging.DEBUG]
    return [line for line in lines if "asks for a certificate" in line]


class TestDebugLine:
    def test_nothing_fits(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        context: ssl.SSLContext,
        candidates: Candidates,
        named: dict[str, Authority],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """One line says what the server accepts, and of each identity why it does not fit."""
        server = openssl_server(version=tls_version, client_authorities=[named["unknown"]])
        candidates.activate()
        with caplog.at_level(logging.DEBUG, "mxcert_runtime"):
            assert candidates.presented_to(server, context) is None
        (line,) = _debug_lines(caplog)
        parts = ["localhost", "nothing", "CN=Unknown", "0403"]
        parts += [f"{name}: no issuer" for name in candidates.leaves]
        parts += [each.issuer.rfc4514_string() for each in _certificates(candidates)]
        assert [] == [part for part in parts if part not in line]

    def test_something_fits(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        context: ssl.SSLContext,
        candidates: Candidates,
        root_c: Authority,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The line names the identity, and why those before it did not fit; not those behind it."""
        server = openssl_server(version=tls_version, client_authorities=[root_c])
        candidates.activate()
        with caplog.at_level(logging.DEBUG, "mxcert_runtime"):
            assert "c" == candidates.presented_to(server, context)
        (line,) = _debug_lines(caplog)
        assert "gets c " in line
        assert ["a: no issuer" in line, "b: no issuer" in line, "c2" in line] == [True, True, False]

    def test_silent_otherwise(
        self,
        openssl_server: OpensslServers,
        context: ssl.SSLContext,
        candidates: Candidates,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Without debug logging nothing is said: a server may well ask in vain."""
        server = openssl_server(client_authorities=[Authority("Stranger")])
        candidates.activate()
        with caplog.at_level(logging.INFO, "mxcert_runtime"):
            caplog.clear()
            assert candidates.presented_to(server, context) is None
        assert [] == caplog.records


def _certificates(candidates: Candidates) -> list[x509.Certificate]:
    return [leaf.certificate for leaf in candidates.leaves.values()]
