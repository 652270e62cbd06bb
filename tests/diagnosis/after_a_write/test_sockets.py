"""A write that fails because the server has refused: its alert is found, and nothing is lost."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import select
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.hooks import unread_answer
from mxcert_runtime.hooks.stdlib import explanation
from mxcert_runtime.monitoring import counters
from tests.support.pki import Authority
from tests.support.server_tls import Demand, ServerTls, TlsVersion

from ..abrupt_server import AbruptServer, EndsWithAlert
from ..conftest import EXPIRED, GOOD, NOBODY, UNKNOWN, Refusals
from ..exchanges import TIMEOUT, client_context
from ..told import HAS_NOTES, as_it_is, facts_of, notes_of, told_of, warnings_of
from .resets import REQUEST, RESET, idle, on_linux, refused, wait_until

pytestmark = on_linux


def _sendall(connection: ssl.SSLSocket) -> None:
    connection.sendall(REQUEST)


def _send(connection: ssl.SSLSocket) -> None:
    connection.send(REQUEST)


def _write(connection: ssl.SSLSocket) -> None:
    connection.write(REQUEST)


def _sendfile(connection: ssl.SSLSocket) -> None:
    with open(__file__, "rb") as file:
        connection.sendfile(file)


def _makefile(connection: ssl.SSLSocket) -> None:
    writer = connection.makefile("wb", buffering=0)
    with contextlib.closing(writer):
        writer.write(REQUEST)


def _http_client(connection: ssl.SSLSocket) -> None:
    client = http.client.HTTPConnection("unknown.test")
    client.sock = connection
    client.request("POST", "/", body=io.BytesIO(b"x" * 100))


WRITES = (_sendall, _send, _write, _sendfile, _makefile, _http_client)
Write = Callable[[ssl.SSLSocket], None]


def failure_of_write(connection: ssl.SSLSocket, write: Write) -> OSError:
    """The error of a write after the one that the server has answered with a reset."""
    for _ in range(10):
        try:
            write(connection)
        except OSError as error:
            return error
        wait_until(connection, RESET)
    raise AssertionError("no write fails")


def outcome_of_read(connection: ssl.SSLSocket) -> Any:
    """What a read comes to: bytes, or an error as it is."""
    try:
        return connection.recv(100)
    except OSError as error:
        return as_it_is(error)


def told_by(
    refusals: Refusals, host: str, context: ssl.SSLContext, write: Write, timeout: Any = TIMEOUT
) -> tuple[OSError, list[Any]]:
    """The error of a write, and what the reads behind it come to."""
    with refused(refusals, host, context) as connection:
        connection.settimeout(timeout)
        error = failure_of_write(connection, write)
        return error, [outcome_of_read(connection) for _ in range(3)]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_every_write(
    write: Write, refusals: Refusals, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """The note says what the server said; writes and reads come to what they do without us."""
    native = client_context(refusals.authority, refusals.leaves[UNKNOWN], tmp_path)
    plain, reads = told_by(refusals, UNKNOWN, native, write)
    expected = as_it_is(plain), reads
    refusals.activate()
    caplog.clear()
    before = counters.refusals().get("unknown_ca", 0)
    error, reads = told_by(refusals, UNKNOWN, client_context(refusals.authority), write)
    told = told_of(error, caplog)
    assert expected == (as_it_is(error), reads)
    assert told[""].endswith("(unknown_ca)")
    assert refusals.leaves[UNKNOWN].subject in told["presented"]
    assert 1 == counters.refusals()["unknown_ca"] - before


@pytest.mark.parametrize("timeout", [None, 0.0, TIMEOUT])
@pytest.mark.parametrize(
    ("host", "alert"), [(EXPIRED, "certificate_expired"), (NOBODY, "certificate_required")]
)
def test_every_alert_and_timeout(
    host: str,
    alert: str,
    timeout: float | None,
    refusals: Refusals,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Sockets that block, do not, or wait for so long; with and without a certificate."""
    refusals.activate()
    caplog.clear()
    context = client_context(refusals.authority)
    error, _ = told_by(refusals, host, context, _sendall, timeout)
    assert told_of(error, caplog)[""].endswith(f"({alert})")


def test_the_error_of_the_read_has_the_note_too(
    refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """Clients that pass over the error of the write show that of the read: once more, no record."""
    refusals.activate()
    caplog.clear()
    with refused(refusals, UNKNOWN, client_context(refusals.authority)) as connection:
        written = failure_of_write(connection, _sendall)
        with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_UNKNOWN_CA") as caught:
            connection.recv(1)
    assert 1 == len(warnings_of(caplog))
    assert notes_of(written) == notes_of(caught.value)
    assert HAS_NOTES == bool(notes_of(written))


def test_data_before_the_end_is_the_programs(
    early: AbruptServer, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """What the server has answered is read whole; and who has answered has refused nobody."""
    refusals.activate()
    caplog.clear()
    plain = socket.create_connection(("127.0.0.1", early.port), TIMEOUT)
    with client_context(refusals.authority).wrap_socket(plain, server_hostname=GOOD) as connection:
        wait_until(connection, select.POLLRDHUP)
        failure_of_write(connection, _sendall)
        counts = connection.pending()
        buffer = bytearray(5)
        received = b""
        with contextlib.suppress(OSError):
            assert b"" == connection.recv(0)
            received = bytes(buffer[: connection.recv_into(buffer)])
            while chunk := connection.recv(7):
                received += chunk
    assert early._answer == received
    assert bool(early._answer) == bool(counts)
    if early._answer:
        assert [] == warnings_of(caplog)
    else:
        assert facts_of(warnings_of(caplog)[0])[""].endswith("(connection_closed)")


def test_no_fault_of_ours_reaches_the_program(
    refusals: Refusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where looking fails, the program has its own error, and what it reads afterwards."""

    def fail(*arguments: Any) -> Any:
        raise RuntimeError("a look that fails")

    monkeypatch.setattr(explanation, "read_unread", fail)
    refusals.activate()
    error, reads = told_by(refusals, UNKNOWN, client_context(refusals.authority), _sendall)
    assert isinstance(error, OSError)
    assert "TLSV1_ALERT_UNKNOWN_CA" in str(reads[0])


def test_without_poll(
    refusals: Refusals, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """eventlet takes ``select.poll`` away after us: the alert is told all the same."""
    # The waiting of this test needs it.
    monkeypatch.setattr(unread_answer, "select", object())
    refusals.activate()
    caplog.clear()
    told_by(refusals, UNKNOWN, client_context(refusals.authority), _sendall)
    assert "unknown_ca" in warnings_of(caplog)[0]


def test_no_read_where_it_would_wait(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    """Where the other side is there still, a failed write waits for nothing."""
    refusals.activate()
    caplog.clear()
    errors: list[OSError] = []
    with contextlib.ExitStack() as stack:
        connection = idle(refusals, stack)
        connection.settimeout(None)
        with socket.socket(fileno=os.dup(connection.fileno())) as twin:
            twin.shutdown(socket.SHUT_WR)

        def work() -> None:
            errors.append(failure_of_write(connection, _sendall))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(TIMEOUT)
    assert 1 == len(errors)


def test_whoever_reads_hears_it(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    """A thread that reads at that moment gets the alert: nobody reads beside it."""
    refusals.activate()
    caplog.clear()
    with refused(refusals, UNKNOWN, client_context(refusals.authority)) as connection:
        inner: Any = connection._sslobj  # type: ignore[attr-defined]
        reads, ends = threading.Event(), threading.Event()

        def read() -> None:
            with inner._mxcert_reading:
                reads.set()
                ends.wait(TIMEOUT)

        thread = threading.Thread(target=read)
        thread.start()
        reads.wait(TIMEOUT)
        failure_of_write(connection, _sendall)
        between = warnings_of(caplog)
        ends.set()
        thread.join(TIMEOUT)
        with pytest.raises(ssl.SSLError) as caught:
            connection.recv(1)
    assert [] == between
    assert told_of(caught.value, caplog)[""].endswith("(unknown_ca)")


def test_a_write_that_waits_too_long_is_no_end(refusals: Refusals) -> None:
    """After a timeout the next read may bring the refusal: it is still watched for."""
    refusals.activate()
    with contextlib.ExitStack() as stack:
        connection = idle(refusals, stack)
        connection.settimeout(0.001)
        with pytest.raises(socket.timeout):
            connection.recv(1)
        assert type(connection._sslobj).__module__ != "_ssl"  # type: ignore[attr-defined]


def _failure_of_handshake(connection: ssl.SSLSocket) -> OSError:
    """The error of a handshake that goes on when the server has gone."""
    for _ in range(10):
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            wait_until(connection, RESET)
        except OSError as error:
            return error
    raise AssertionError("the handshake does not fail")


@pytest.mark.parametrize(
    ("number", "name"), [(48, "unknown_ca"), (42, "bad_certificate"), (0, "connection_closed")]
)
def test_a_write_within_the_handshake(
    number: int,
    name: str,
    refusals: Refusals,
    client_authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """TLS 1.2: the alert is found as well, and stays where it is; else none is made up."""
    leaf = refusals.authority.issue("server", hosts=[GOOD])
    tls = ServerTls(leaf, (client_authority,), demand=Demand.DEMAND, version=TlsVersion.TLS12)
    alert = bytes([21, 3, 3, 0, 2, 2, number]) if number else b""
    refusals.activate()
    caplog.clear()
    context = client_context(refusals.authority)
    with EndsWithAlert(tls, alert) as server:
        plain = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
        with context.wrap_socket(
            plain, server_hostname=GOOD, do_handshake_on_connect=False
        ) as connection:
            connection.settimeout(0)
            error = _failure_of_handshake(connection)
            left = b""
            with contextlib.suppress(ConnectionResetError):
                left = socket.socket.recv(connection, 100)
    assert told_of(error, caplog)[""].endswith(f"({name})")
    assert bool(number) == (left[:1] == b"\x15")


def test_undo(refusals: Refusals) -> None:
    """A connection that was made before it goes on, whatever its writes and reads come to."""
    refusals.activate()
    with refused(refusals, UNKNOWN, client_context(refusals.authority)) as connection:
        mxcert_runtime.deactivate()
        failure_of_write(connection, _sendall)
        with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_UNKNOWN_CA"):
            connection.recv(1)
        assert b"" == connection.recv(1)
