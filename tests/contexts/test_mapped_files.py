"""A bundle that is written through a mapping in memory, which its times need not show."""

from __future__ import annotations

import mmap
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxcert_runtime.base import file_state
from tests.contexts.ground import FOREIGN, GOOD, Activation, Ground
from tests.contexts.verdicts import attempt
from tests.support.tls_server import TlsServer


class Mapped:
    """A file that is written without a call that names it."""

    def __init__(self, path: Path, *contents: bytes) -> None:
        self.path = path
        self._size = max(map(len, contents))
        path.write_bytes(b"\n" * self._size)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), self._size)

    def write(self, content: bytes) -> None:
        """Write all of it, the rest blank."""
        self._memory[:] = content.ljust(self._size, b"\n")

    @property
    def times(self) -> tuple[int, int]:
        """Those of modification and change, in nanoseconds."""
        found = os.stat(self.path)
        return found.st_mtime_ns, found.st_ctime_ns

    def close(self) -> None:
        """Let the file go."""
        self._memory.close()


@pytest.fixture
def mapped(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapped]:
    """The bundle of the realm, long settled; what is written now shows in no time."""
    monkeypatch.setattr(file_state, "_SETTLED_NS", 0)
    realm = ground.realm
    mapped = Mapped(ground.folder / "bundle.pem", realm.authority.pem, realm.foreign.pem)
    mapped.write(realm.authority.pem)
    yield mapped
    mapped.close()


def _by_file(mapped: Mapped) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(mapped.path)
    return context


def _accepted(context: ssl.SSLContext, server: TlsServer) -> list[bool]:
    return [attempt(context, server.port, host).accepted for host in (GOOD, FOREIGN)]


def _rewrite_unseen(mapped: Mapped, content: bytes) -> None:
    before = mapped.times
    mapped.write(content)
    if before != mapped.times:
        pytest.skip("this file system tells the times of such a change")


def test_loaded_before(
    mapped: Mapped, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """A context trusts what it has loaded, whatever the file holds when it connects first."""
    activate()
    contexts = [_by_file(mapped) for _ in range(2)]
    _rewrite_unseen(mapped, ground.realm.foreign.pem)
    assert [[True, False]] * 2 == [_accepted(each, server) for each in contexts]


def test_loaded_afterwards(
    mapped: Mapped,
    ground: Ground,
    server: TlsServer,
    activate: Activation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once the last look counts no more, a load gives what the file holds."""
    activate()
    assert [True, False] == _accepted(_by_file(mapped), server)
    _rewrite_unseen(mapped, ground.realm.foreign.pem)
    monkeypatch.setattr(file_state, "_LOOK_SECONDS", 0.0)
    assert [[False, True]] * 2 == [_accepted(_by_file(mapped), server) for _ in range(2)]


def test_the_look_counts_for_a_moment() -> None:
    """What a load may miss is bounded by a second."""
    assert 0 < file_state._LOOK_SECONDS <= 1
