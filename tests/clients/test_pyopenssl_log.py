"""pyOpenSSL: the log says of a connection what it says of one of ``ssl``."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

pytest.importorskip("OpenSSL")

from OpenSSL import SSL

from mxcert_runtime.connections import announcement
from mxcert_runtime.monitoring import housekeeping
from tests.clients.openssl_calls import trusting
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority

LOGGER = "mxcert_runtime"
HOST = HOSTS[0]


def _by_ssl(stage: Stage) -> None:
    """One connection without a port: on memory BIOs, as far as the first flight."""
    context = ssl.create_default_context(cafile=stage.ca_file)
    connection = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()


def _by_pyopenssl(stage: Stage) -> None:
    connection = SSL.Connection(trusting(stage.ca_file), None)
    connection.set_tlsext_host_name(HOST.encode("ascii"))
    connection.set_connect_state()
    for _ in range(2):
        with pytest.raises(SSL.WantReadError):
            connection.do_handshake()


def _by_pyopenssl_named_late(stage: Stage) -> None:
    """Twisted up to 25.5: the name comes when the handshake has begun."""
    connection = SSL.Connection(trusting(stage.ca_file), None)
    connection.set_app_data(HOST)
    connection.set_connect_state()
    for _ in range(2):
        with pytest.raises(SSL.WantReadError):
            connection.do_handshake()


def _lines_of(
    call: Callable[[Stage], None], stage: Stage, caplog: pytest.LogCaptureFixture
) -> list[str]:
    announcement._warn_of_unknown_port.cache_clear()
    watched, begun = housekeeping._watched, time.monotonic() - housekeeping.LOOK_INTERVAL
    # As of two months before the expiry, when nothing was told yet.
    housekeeping.watch((), lambda: begun)
    early = watched[0].not_after - timedelta(days=60)
    housekeeping.watch(watched, lambda: begun, lambda: early)
    caplog.clear()
    call(stage)
    return sorted(f"{each.levelname} {each.getMessage()}" for each in caplog.records)


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("call", [_by_pyopenssl, _by_pyopenssl_named_late])
def test_as_of_ssl(
    call: Callable[[Stage], None],
    stage: Stage,
    client_files: ClientFiles,
    client_authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line of debugging, one warning of the port that nobody knows, one look at expiry."""
    end = datetime.now(timezone.utc) + timedelta(days=9)
    leaf = client_authority.issue("short", not_after=end, server=False)
    rule = client_files.identity("short", leaf, hosts=[HOST, f"{HOST}:8443"])
    caplog.set_level(logging.DEBUG, LOGGER)
    stage.activate(identity=[rule])
    expected = _lines_of(_by_ssl, stage, caplog)
    assert ["DEBUG", "WARNING", "WARNING"] == [line.split()[0] for line in expected]
    assert expected == _lines_of(call, stage, caplog)
