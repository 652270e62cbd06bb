"""A key reaches OpenSSL without a trace: in memory, or encrypted in a file of a moment."""

from __future__ import annotations

import os
import ssl
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mxcert_runtime.base import passing_files
from mxcert_runtime.decisions import in_force
from mxcert_runtime.identity import key_transfer
from tests.contexts.ground import GOOD, Activation, Realm
from tests.contexts.verdicts import attempt
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


def _new() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _identity(activate: Activation) -> Any:
    activate()
    assert in_force.current is not None
    return in_force.current.identities[0]


def _no_memfd_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)


def _memfd_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "memfd_create", refuse, raising=False)


def _no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing_files, "may_access", lambda path, mode: False)


FALLBACKS = [_no_memfd_attribute, _memfd_refused, _no_proc]


def _descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


class _Watching(ssl.SSLContext):
    """Looks at the file while OpenSSL is to load it; then loads it, or fails."""

    failure: Exception | None = None
    paths: list[Path]

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        path = Path(certfile)
        self.paths = [*getattr(self, "paths", []), path]
        content = path.read_bytes()
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
        assert b"BEGIN PRIVATE KEY" not in content
        with pytest.raises(TypeError):
            load_pem_private_key(content, None)
        assert load_pem_private_key(content, password().encode())
        if self.failure is not None:
            raise self.failure
        super().load_cert_chain(certfile, keyfile, password)


class TestKeyTransfer:
    @pytest.fixture
    def temporary(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The folder in which temporary files come to be."""
        folder = tmp_path / "temporary"
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        return folder

    @pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memfd_create is Linux's")
    def test_memory_leaves_nothing(
        self, activate: Activation, temporary: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file in memory is closed afterwards, and none is made on a disk."""
        identity = _identity(activate)
        made: list[Any] = []
        genuine = tempfile.mkstemp
        monkeypatch.setattr(tempfile, "mkstemp", lambda *a, **k: made.append(a) or genuine(*a, **k))
        before = _descriptors()
        key_transfer.present(_new(), identity)
        assert before == _descriptors()
        assert not made
        assert not list(temporary.iterdir())

    @pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memfd_create is Linux's")
    def test_memory_leaves_nothing_on_error(self, activate: Activation, temporary: Path) -> None:
        """Neither does it where OpenSSL refuses."""

        class Failing(ssl.SSLContext):
            def load_cert_chain(self, *arguments: Any, **options: Any) -> None:
                raise ssl.SSLError(1, "refused")

        identity = _identity(activate)
        before = _descriptors()
        with pytest.raises(ssl.SSLError, match="refused"):
            key_transfer.present(Failing(ssl.PROTOCOL_TLS_CLIENT), identity)
        assert before == _descriptors()
        assert not list(temporary.iterdir())

    @pytest.mark.parametrize("fall_back", FALLBACKS)
    def test_file_is_encrypted_and_removed(
        self,
        fall_back: Callable[[pytest.MonkeyPatch], None],
        activate: Activation,
        temporary: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Without memory files the key is on disk encrypted, for its owner only, and briefly."""
        identity = _identity(activate)
        fall_back(monkeypatch)
        context = _Watching(ssl.PROTOCOL_TLS_CLIENT)
        before = _descriptors()
        key_transfer.present(context, identity)
        assert [temporary] == [path.parent for path in context.paths]
        assert not list(temporary.iterdir())
        assert before == _descriptors()

    @pytest.mark.parametrize("fall_back", FALLBACKS)
    @pytest.mark.parametrize("failure", [ssl.SSLError(1, "refused"), OSError(5, "disk")])
    def test_file_is_removed_on_error(
        self,
        fall_back: Callable[[pytest.MonkeyPatch], None],
        failure: Exception,
        activate: Activation,
        temporary: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The file is removed where loading it fails."""
        identity = _identity(activate)
        fall_back(monkeypatch)
        context = _Watching(ssl.PROTOCOL_TLS_CLIENT)
        context.failure = failure
        before = _descriptors()
        with pytest.raises(type(failure)):
            key_transfer.present(context, identity)
        assert 1 == len(context.paths)
        assert not list(temporary.iterdir())
        assert before == _descriptors()

    @pytest.mark.parametrize("fall_back", FALLBACKS)
    def test_identity_by_file_is_presented(
        self,
        fall_back: Callable[[pytest.MonkeyPatch], None],
        realm: Realm,
        server: TlsServer,
        activate: Activation,
        alpha: Leaf,
        temporary: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A connection by way of the file presents the same identity."""
        activate()
        fall_back(monkeypatch)
        context = _new()
        context.load_verify_locations(cadata=realm.authority.der)
        seen = attempt(context, server.port, GOOD)
        assert alpha.fingerprint == seen.fingerprint
        assert not list(temporary.iterdir())
