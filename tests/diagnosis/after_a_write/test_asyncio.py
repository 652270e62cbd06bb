"""asyncio: a transport that is lost in a write because the server has refused tells its alert."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.pki import Authority
from tests.support.server_tls import Demand, ServerTls, TlsVersion

from ..abrupt_server import AbruptServer, EndsWithAlert
from ..conftest import GOOD, NOBODY, UNKNOWN, Refusals
from ..exchanges import TIMEOUT, client_context
from ..told import as_it_is, told_of, warnings_of
from .resets import REQUEST, RESET, TLS13, on_linux, wait_until

pytestmark = on_linux


async def _lose(refusals: Refusals, host: str, port: int, context: ssl.SSLContext) -> Any:
    """The error of a read behind writes that a reset has answered, with asyncio's streams."""
    opened = asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
    reader, writer = await opened
    plain = writer.get_extra_info("socket")
    # Waits without the loop, which would read the alert meanwhile.
    for events in (select.POLLRDHUP, RESET):
        wait_until(plain, events)
        writer.write(REQUEST)
    try:
        return await reader.read(100)
    except OSError as error:
        return error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    ("host", "alert"), [(UNKNOWN, "unknown_ca"), (NOBODY, "certificate_required")]
)
def test_asyncio(
    host: str, alert: str, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """A transport that is lost in a write: the same error as without us, which tells the alert."""
    context, port = client_context(refusals.authority), refusals.port(TLS13)
    expected = as_it_is(asyncio.run(_lose(refusals, NOBODY, port, context)))
    refusals.activate()
    caplog.clear()
    error = asyncio.run(_lose(refusals, host, port, context))
    assert expected == as_it_is(error)
    assert told_of(error, caplog)[""].endswith(f"({alert})")


def test_the_first_failure_of_a_process(
    refusals: Refusals, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What explains a lost transport is loaded by the first of them, also in a thread."""
    for name in ("asyncio_losses", "explanation"):
        monkeypatch.delitem(sys.modules, f"mxcert_runtime.hooks.stdlib.{name}", raising=False)
        monkeypatch.delattr(f"mxcert_runtime.hooks.stdlib.{name}", raising=False)
    refusals.activate()
    caplog.clear()
    context, port = client_context(refusals.authority), refusals.port(TLS13)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(asyncio.run, _lose(refusals, UNKNOWN, port, context))
        error = call.result(TIMEOUT)
    assert told_of(error, caplog)[""].endswith("(unknown_ca)")


def test_asyncio_says_nothing_of_other_ends(
    early: AbruptServer, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """The twin: a server that has refused nobody."""
    refusals.activate()
    caplog.clear()
    context = client_context(refusals.authority)
    assert isinstance(asyncio.run(_lose(refusals, GOOD, early.port, context)), OSError)
    assert [] == warnings_of(caplog)


def test_asyncio_within_the_handshake(
    refusals: Refusals, client_authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """TLS 1.2: a transport that is lost while the certificate is being written."""
    leaf = refusals.authority.issue("server", hosts=[GOOD])
    tls = ServerTls(leaf, (client_authority,), demand=Demand.DEMAND, version=TlsVersion.TLS12)
    refusals.activate()
    caplog.clear()
    context = client_context(refusals.authority)

    async def connect(port: int) -> OSError:
        plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        plain.setblocking(False)
        loop = asyncio.get_running_loop()
        # Called when the ClientHello has gone, and before the answer is read.
        loop.call_soon(loop.call_soon, loop.call_soon, wait_until, plain, RESET)
        try:
            await loop.create_connection(
                asyncio.Protocol, sock=plain, ssl=context, server_hostname=GOOD
            )
        except OSError as error:
            return error
        raise AssertionError("the handshake did not fail")

    with EndsWithAlert(tls, bytes([21, 3, 3, 0, 2, 2, 48])) as server:
        error = asyncio.run(connect(server.port))
    assert told_of(error, caplog)[""].endswith("(unknown_ca)")
