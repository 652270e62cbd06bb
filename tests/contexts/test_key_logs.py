"""A key log that cannot be opened again stops no connection, and is made nowhere else."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mxcert_runtime.contexts.identity_contexts import _warn_of_key_log
from tests.contexts.ground import FOREIGN, GOOD, Activation, Realm
from tests.contexts.verdicts import attempt
from tests.support.listener import TIMEOUT
from tests.support.tls_server import TlsServer


def _logging_to(path: Path | str, realm: Realm) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=realm.authority.der)
    context.keylog_filename = str(path)
    return context


def _remove_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


def _turn_into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _turn_into_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize("spoil", [_remove_folder, _turn_into_folder, _turn_into_loop])
@pytest.mark.parametrize("created", ["before", "after"])
def test_log_that_cannot_be_opened_again(
    created: str,
    spoil: Callable[[Path], None],
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The connection is made, with the identity, verified; one warning names the log."""
    _warn_of_key_log.cache_clear()
    path = tmp_path / "logs" / "keys"
    path.parent.mkdir()
    context = _logging_to(path, realm)
    activate()
    if created == "after":
        context = _logging_to(path, realm)
    spoil(path)
    with caplog.at_level(logging.WARNING, "mxcert_runtime"):
        seen = [attempt(context, server.port, GOOD).fingerprint for _ in range(2)]
    assert [activate.leaf.fingerprint] * 2 == seen
    assert 1 == sum(str(path) in each.getMessage() for each in caplog.records)
    assert "SSLCertVerificationError" == attempt(context, server.port, FOREIGN).error


def test_relative_log_in_another_directory(
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Secrets are written to the file that was named, or not at all."""
    _warn_of_key_log.cache_clear()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    activate()
    context = _logging_to("keys", realm)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert activate.leaf.fingerprint == attempt(context, server.port, GOOD).fingerprint
    assert [] == list((tmp_path / "elsewhere").iterdir())


def test_log_handler_that_waits_for_another_connection(
    realm: Realm, activate: Activation, tmp_path: Path
) -> None:
    """The warning holds up nobody: a handler may wait for a thread that connects."""
    _warn_of_key_log.cache_clear()
    path = tmp_path / "logs" / "keys"
    path.parent.mkdir()
    activate()
    context, another = _logging_to(path, realm), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    another.load_verify_locations(cadata=realm.authority.der)
    _remove_folder(path)
    has_waited = []

    class Waiting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            def begin() -> None:
                another.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=GOOD)

            thread = threading.Thread(target=begin, daemon=True)
            thread.start()
            thread.join(TIMEOUT)
            has_waited.append(thread.is_alive())

    handler = Waiting(logging.WARNING)
    logging.getLogger("mxcert_runtime").addHandler(handler)
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=GOOD)
    finally:
        logging.getLogger("mxcert_runtime").removeHandler(handler)
    assert [False] == has_waited
