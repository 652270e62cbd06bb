"""What an exception of a failed handshake is told as: made by hand, and by OpenSSL itself."""

from __future__ import annotations

import socket
import ssl

import pytest
from OpenSSL import SSL

from mxcert_runtime.diagnosis.alert_table import AlertKind, alert_numbered
from mxcert_runtime.diagnosis.alerts import alert_of
from tests.clients.openssl_calls import give_certificate
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

#: as OpenSSL 3.0 names what a server sent
REASONS = {
    "SSLV3_ALERT_HANDSHAKE_FAILURE": ("handshake_failure", 40),
    "SSLV3_ALERT_BAD_CERTIFICATE": ("bad_certificate", 42),
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": ("unsupported_certificate", 43),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": ("certificate_revoked", 44),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": ("certificate_expired", 45),
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": ("certificate_unknown", 46),
    "TLSV1_ALERT_UNKNOWN_CA": ("unknown_ca", 48),
    "TLSV1_ALERT_ACCESS_DENIED": ("access_denied", 49),
    "TLSV1_ALERT_DECRYPT_ERROR": ("decrypt_error", 51),
    "TLSV1_ALERT_PROTOCOL_VERSION": ("protocol_version", 70),
    "TLSV1_UNRECOGNIZED_NAME": ("unrecognized_name", 112),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": ("certificate_required", 116),
    # what OpenSSL finds itself
    "WRONG_VERSION_NUMBER": ("wrong_version_number", None),
    "UNEXPECTED_EOF_WHILE_READING": ("connection_closed", None),
}


def _ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] some words (_ssl.c:1000)")
    error.reason = reason
    return error


def _told(error: BaseException) -> tuple[str, int | None] | None:
    alert = alert_of(error)
    return None if alert is None else (alert.name, alert.number)


@pytest.mark.parametrize("reason", REASONS)
def test_reasons_of_ssl(reason: str) -> None:
    """Each reason is told by the name and number that the RFCs have for it."""
    assert REASONS[reason] == _told(_ssl_error(reason))


@pytest.mark.parametrize("reason", REASONS)
def test_reasons_of_pyopenssl(reason: str) -> None:
    """The same for pyOpenSSL, whose reasons are texts."""
    error = SSL.Error([("SSL routines", "", reason.lower().replace("_", " "))])

    assert REASONS[reason] == _told(error)


@pytest.mark.parametrize("reason", REASONS)
def test_reasons_that_only_the_text_has(reason: str) -> None:
    """A Python that does not know a reason leaves OpenSSL's words in the text."""
    text = f"[SSL] {reason.lower().replace('_', ' ')} (_ssl.c:1000)"

    assert REASONS[reason] == _told(ssl.SSLError(1, text))


def test_newer_openssl_names_no_version() -> None:
    """OpenSSL 3.2 writes "ssl/tls alert" for what was "sslv3 alert"."""
    error = SSL.Error([("SSL routines", "", "ssl/tls alert handshake failure")])

    assert ("handshake_failure", 40) == _told(error)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(104, "reset"),
        BrokenPipeError(32, "broken"),
        ssl.SSLEOFError(8, "EOF occurred"),
        ssl.SSLZeroReturnError(6, "closed"),
        SSL.SysCallError(-1, "Unexpected EOF"),
        SSL.ZeroReturnError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_connections_that_end_without_a_word(error: Exception) -> None:
    """A closed connection is told as one, whichever library says so."""
    alert = alert_of(error)

    assert alert is not None
    assert AlertKind.CONNECTION_CLOSED is alert.kind


@pytest.mark.parametrize(
    "error",
    [
        ValueError("tlsv1 alert unknown ca"),
        OSError(1, "sslv3 alert bad certificate"),
        ssl.SSLError(1, "the library is out of memory"),
        _ssl_error("TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE"),
        SSL.Error(),
        SSL.Error([]),
        SSL.WantReadError(),
    ],
    ids=repr,
)
def test_other_errors_are_no_alert(error: Exception) -> None:
    """The twin: what is no refusal of a handshake is not told as one."""
    assert alert_of(error) is None


def test_numbers() -> None:
    """An alert is found by its number; one that says nothing to people is not."""
    found = alert_numbered(116)

    assert found is not None
    assert ("certificate_required", None) == (found.name, alert_numbered(0))


def test_the_remedy_depends_on_what_was_presented() -> None:
    """With an identity the remedy names it; without one it does not."""
    alert = alert_numbered(48)

    assert alert is not None
    assert "`billing`" in alert.remedy("billing")
    assert "{" not in alert.remedy("billing") + alert.remedy(None)


def _connect(server: TlsServer, authority: Authority | None) -> ssl.SSLError:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority is not None:
        context.load_verify_locations(cadata=authority.pem.decode("ascii"))
    with pytest.raises(ssl.SSLError) as raised:
        _read_from(server, context)
    return raised.value


def _read_from(server: TlsServer, context: ssl.SSLContext) -> None:
    plain = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
    with plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.recv(1)


def test_a_real_refusal(
    tls_server: ServerFactory[TlsServer], authority: Authority, tls_version: TlsVersion
) -> None:
    """Without a certificate: TLS 1.3 has an alert for it, TLS 1.2 only a general one."""
    server = tls_server(demand=Demand.DEMAND, version=tls_version)
    is_new = tls_version is TlsVersion.TLS13
    expected = ("certificate_required", 116) if is_new else ("handshake_failure", 40)

    assert expected == _told(_connect(server, authority))


def test_a_real_server_that_is_not_trusted(tls_server: ServerFactory[TlsServer]) -> None:
    """Refused by this side: a kind of its own, with what OpenSSL disliked."""
    alert = alert_of(_connect(tls_server(), None))

    assert alert is not None
    assert AlertKind.SERVER_REFUSED is alert.kind
    assert "no CA that this side trusts" in alert.meaning


def test_a_real_refusal_by_pyopenssl(
    tls_server: ServerFactory[TlsServer], tls_version: TlsVersion, beta: Leaf
) -> None:
    """The same from pyOpenSSL's own errors, for a certificate of an unknown CA."""
    server = tls_server(
        demand=Demand.DEMAND, version=tls_version, client_authorities=[Authority("Other root")]
    )
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    give_certificate(context, beta)

    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        connection = SSL.Connection(context, plain)
        connection.set_connect_state()
        with pytest.raises(SSL.Error) as raised:
            connection.recv(1)  # the handshake first

    assert ("unknown_ca", 48) == _told(raised.value)
