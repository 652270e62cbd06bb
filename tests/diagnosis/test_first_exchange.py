"""TLS 1.3: what watches for a refusal is there until the first read, and no longer."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import select
import socket
import ssl
import sys
import traceback
import weakref
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

import mxcert_runtime
from tests.support.pki import Authority
from tests.support.server_tls import Demand, ServerTls, TlsVersion
from tests.support.subprocesses import run_client

from .conftest import GOOD, NOBODY, UNKNOWN, Refusals
from .exchanges import TIMEOUT, client_context, exchange, failure_of
from .reset_server import ResetServer
from .told import notes_of, told_of, warnings_of

REQUEST = b"GET / HTTP/1.1\r\nHost: good.test\r\n\r\n"
TLS13 = TlsVersion.TLS13
_STAND_IN = "mxcert_runtime.hooks.stdlib.failures"


@pytest.fixture
def connection(refusals: Refusals) -> Iterator[ssl.SSLSocket]:
    """A connection behind its handshake, made while the settings are in force."""
    refusals.activate()
    plain = socket.create_connection(("127.0.0.1", refusals.port(TLS13)), TIMEOUT)
    context = client_context(refusals.authority)
    with plain, context.wrap_socket(plain, server_hostname=GOOD) as connection:
        yield connection


def _inner(connection: Any) -> Any:
    return connection._sslobj


def _is_genuine(connection: Any) -> bool:
    return type(_inner(connection)).__module__ == "_ssl"


def test_the_first_read_ends_it(connection: ssl.SSLSocket) -> None:
    """Behind the first read the connection is CPython's own, and nothing else was changed."""
    before = _is_genuine(connection)
    attributes = set(vars(connection))
    connection.sendall(REQUEST)
    between = _is_genuine(connection)
    connection.recv(1)
    assert (False, False, True) == (before, between, _is_genuine(connection))
    assert attributes == set(vars(connection))


def test_a_read_that_has_to_wait_does_not(connection: ssl.SSLSocket) -> None:
    """A read without an outcome is none: the next one may bring the refusal."""
    connection.settimeout(0)
    with pytest.raises(ssl.SSLWantReadError):
        connection.recv(1)
    assert not _is_genuine(connection)


def test_no_watch_where_nothing_can_come(refusals: Refusals) -> None:
    """TLS 1.2 refuses within the handshake, and an inactive plugin watches nothing."""
    context = client_context(refusals.authority)
    for version, active in ((TlsVersion.TLS12, True), (TLS13, False)):
        refusals.activate() if active else mxcert_runtime.deactivate()
        plain = socket.create_connection(("127.0.0.1", refusals.port(version)), TIMEOUT)
        host = GOOD if active else NOBODY
        with plain, context.wrap_socket(plain, server_hostname=host) as connection:
            assert _is_genuine(connection)


def test_attributes_are_those_of_the_connection(connection: ssl.SSLSocket) -> None:
    """All that an application asks meanwhile has its answer, and what it sets arrives."""
    watched = (
        connection.version(),
        connection.cipher(),
        connection.getpeercert(binary_form=True),
        connection.pending(),
        connection.session_reused,
        connection.get_channel_binding("tls-unique"),
        _inner(connection).owner is connection,
    )
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _inner(connection).context = other
    changed = _inner(connection).context
    connection.sendall(REQUEST)
    connection.recv(1)
    genuine = (
        connection.version(),
        connection.cipher(),
        connection.getpeercert(binary_form=True),
        0,
        connection.session_reused,
        connection.get_channel_binding("tls-unique"),
        _inner(connection).owner is connection,
    )
    assert genuine == watched
    assert changed is other is _inner(connection).context


def test_nothing_is_kept_alive(refusals: Refusals) -> None:
    """A connection that is closed before its first read goes at once, without the collector."""
    refusals.activate()
    context = client_context(refusals.authority)
    gc.disable()
    try:
        plain = socket.create_connection(("127.0.0.1", refusals.port(TLS13)), TIMEOUT)
        connection = context.wrap_socket(plain, server_hostname=GOOD)
        reference, watched = weakref.ref(connection), not _is_genuine(connection)
        connection.close()
        del connection
        assert (True, None) == (watched, reference())
    finally:
        gc.enable()


def test_an_error_keeps_no_connection(tls_version: TlsVersion, refusals: Refusals) -> None:
    """An exception that is kept does not keep what OpenSSL has of a connection that is closed."""
    refusals.activate()
    error = failure_of(client_context(refusals.authority), UNKNOWN, refusals.port(tls_version))
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]
    kept = [value for each in frames for value in each.values()]
    assert not [each for each in kept if type(each).__module__ in ("_ssl", _STAND_IN)]


@pytest.mark.filterwarnings("default::ResourceWarning")
def test_the_warning_of_python_stays(refusals: Refusals) -> None:
    """A connection that is dropped without being closed warns, as it does without the plugin."""
    refusals.activate()
    context = client_context(refusals.authority)
    plain = socket.create_connection(("127.0.0.1", refusals.port(TLS13)), TIMEOUT)
    connection = context.wrap_socket(plain, server_hostname=GOOD)
    with pytest.warns(ResourceWarning, match="unclosed <ssl.SSLSocket"):
        del connection


def test_undo_restores(refusals: Refusals) -> None:
    """Deactivation leaves CPython's own handshake."""
    original = [ssl.SSLSocket.do_handshake, ssl.SSLObject.do_handshake]
    refusals.activate()
    patched = [ssl.SSLSocket.do_handshake, ssl.SSLObject.do_handshake]
    mxcert_runtime.deactivate()
    assert original == [ssl.SSLSocket.do_handshake, ssl.SSLObject.do_handshake]
    assert set(original).isdisjoint(patched)


@pytest.fixture
def reset_server(refusals: Refusals, client_authority: Authority) -> Iterator[ResetServer]:
    """A server that resets the connection when it has read a byte."""
    leaf = refusals.authority.issue("server", hosts=[GOOD, NOBODY])
    tls = ServerTls(leaf, (client_authority,), demand=Demand.ACCEPT, version=TLS13, tickets=0)
    with ResetServer(tls) as server:
        yield server


@pytest.mark.parametrize("host", [GOOD, NOBODY])
def test_a_read_that_is_reset(
    host: str, refusals: Refusals, reset_server: ResetServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that ends at once is explained with care, and only where one was presented."""
    refusals.activate()
    caplog.clear()
    context = client_context(refusals.authority)
    try:
        answer = exchange(context, host, reset_server.port)
    except ConnectionResetError as error:
        _look_at_reset(error, host, caplog)
    else:
        # Python 3.11 takes a reset for the end of the stream, which is no error to explain.
        assert (b"", []) == (answer, warnings_of(caplog))


def _look_at_reset(error: OSError, host: str, caplog: pytest.LogCaptureFixture) -> None:
    if host == NOBODY:
        assert ([], []) == (warnings_of(caplog), notes_of(error))
        return
    told = told_of(error, caplog)
    assert told[""].endswith("closed the connection without a word (connection_closed)")
    assert "Some servers and firewalls refuse a client certificate in this way" in told["remedy"]


def _send_twice(connection: ssl.SSLSocket) -> None:
    connection.sendall(REQUEST)
    connection.sendall(REQUEST)


@pytest.mark.parametrize("host", [GOOD, NOBODY])
def test_a_write_that_is_reset(
    host: str, refusals: Refusals, reset_server: ResetServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Large requests find the connection reset while they are still writing."""
    refusals.activate()
    caplog.clear()
    plain = socket.create_connection(("127.0.0.1", reset_server.port), TIMEOUT)
    context = client_context(refusals.authority)
    with plain, context.wrap_socket(plain, server_hostname=host) as connection:
        connection.sendall(REQUEST)
        select.select([connection], [], [], TIMEOUT)
        with pytest.raises(OSError) as caught:  # noqa: PT011 - which one is the platform's affair
            _send_twice(connection)
        # What was found unread is fetched, and then the connection is CPython's own.
        with contextlib.suppress(OSError):
            connection.recv(1)
        assert _is_genuine(connection)
    _look_at_reset(caught.value, host, caplog)


def test_asyncio_streams(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    """asyncio's transport is told too, and its good connection is bare behind the first read."""
    refusals.activate()
    caplog.clear()
    context, port = client_context(refusals.authority), refusals.port(TLS13)

    async def get(host: str) -> Any:
        opened = asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
        reader, writer = await opened
        try:
            writer.write(REQUEST)
            await reader.readline()
            return writer.get_extra_info("ssl_object")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    assert _is_genuine(asyncio.run(get(GOOD)))
    with pytest.raises(ssl.SSLError) as caught:
        asyncio.run(get(UNKNOWN))
    assert told_of(caught.value, caplog)[""].endswith("(unknown_ca)")


_UVLOOP = """
import asyncio, json, logging, ssl, sys
import uvloop
import mxcert_runtime
settings, ca, port = json.loads(sys.argv[1])
logging.disable(logging.CRITICAL)
mxcert_runtime.activate(settings=settings)
context = ssl.create_default_context(cafile=ca)

async def get(host):
    opened = asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
    reader, writer = await opened
    try:
        writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
        await reader.readline()
        return type(writer.get_extra_info("ssl_object")._sslobj).__module__
    except ssl.SSLError as error:
        return [error.reason, *getattr(error, "__notes__", [])]
    finally:
        writer.close()
        try:
            await writer.wait_closed()
        except OSError:
            pass

async def both():
    return [await get("good.test"), await get("unknown.test")]

loop = uvloop.new_event_loop()
print(json.dumps(loop.run_until_complete(both())))
"""


def test_uvloop(refusals: Refusals) -> None:
    """uvloop, which binds the methods of the object before its handshake, is served alike."""
    pytest.importorskip("uvloop")
    files = refusals.files
    identities = [
        files.identity(host, leaf, hosts=[host]) for host, leaf in refusals.leaves.items()
    ]
    settings = {"unlisted_hosts": "none", "identity": identities}
    port, ca_file = refusals.port(TLS13), str(files.authority(refusals.authority))
    good, refused = run_client(_UVLOOP, json.dumps([settings, ca_file, port])).json()
    assert good == "_ssl"
    assert refused[0] == "TLSV1_ALERT_UNKNOWN_CA"
    if sys.version_info >= (3, 11):
        assert "(unknown_ca)" in refused[1]


def test_a_thread_may_close_meanwhile(connection: ssl.SSLSocket) -> None:
    """A connection that another closes during the first read stays closed."""
    inner = _inner(connection)
    with closing(connection):
        connection.sendall(REQUEST)
    inner._end()
    assert _inner(connection) is None
