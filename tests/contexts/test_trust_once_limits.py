"""Loads that are left pending: programs and systems that are not as usual."""

from __future__ import annotations

import ssl
from pathlib import Path

import mxcert_runtime
from mxcert_runtime.contexts.identity_contexts import TRUSTING_LIMIT
from tests.contexts.ground import GOOD, Activation, Ground
from tests.contexts.loading import Way, by_file, loaded
from tests.contexts.verdicts import ask, attempt, connect
from tests.support.tls_server import TlsServer


class _Equal(ssl.SSLContext):
    """A program's subclass whose contexts are all equal, and cannot be hashed."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Equal)

    __hash__ = None  # type: ignore[assignment]


def test_contexts_that_are_equal(ground: Ground, activate: Activation) -> None:
    """Each context is loaded at the end, whatever a subclass thinks of equality."""
    activate()
    contexts = [_Equal(ssl.PROTOCOL_TLS_CLIENT) for _ in range(3)]
    for context in contexts:
        context.load_verify_locations(cadata=ground.realm.authority.der)
    assert [1, 0, 0] == list(map(loaded, contexts))
    mxcert_runtime.deactivate()
    assert [1, 1, 1] == list(map(loaded, contexts))


def test_attributes_that_are_copied(
    pending: ssl.SSLContext, server: TlsServer, activate: Activation
) -> None:
    """A context that got another one's attributes trusts what it was given itself: nobody."""
    copied = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    vars(copied).update(vars(pending))
    assert "SSLCertVerificationError" == attempt(copied, server.port, GOOD).error
    assert attempt(pending, server.port, GOOD).accepted


def test_session_without_identity(
    way: Way, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """Where nothing is presented a kept session resumes, as without us (FTPS asks for that)."""
    activate("other.test")
    contexts = [way(ground) for _ in range(2)]
    with connect(contexts[1], server.port, GOOD) as first:
        ask(first, GOOD)
        session = first.session
    with connect(contexts[1], server.port, GOOD, session=session) as second:
        assert ask(second, GOOD)["resumed"]


def test_key_log_that_is_gone(ground: Ground, server: TlsServer, activate: Activation) -> None:
    """A key log whose folder is gone is no error where no identity is involved."""
    activate("other.test")
    folder = ground.folder / "logs"
    folder.mkdir()
    ground.file(ground.realm.authority.pem)
    context = [by_file(ground) for _ in range(2)][1]
    context.keylog_filename = str(folder / "keys")
    (folder / "keys").unlink()
    folder.rmdir()
    assert attempt(context, server.port, GOOD).accepted


def test_key_beside_certificates(ground: Ground, activate: Activation, tmp_path: Path) -> None:
    """A file that holds a private key as well is loaded each time, and not kept."""
    activate()
    _, key = ground.realm.leaves[GOOD].write_pem(tmp_path)
    ground.file(ground.realm.authority.pem + key.read_bytes())
    assert [1, 1] == [loaded(by_file(ground)) for _ in range(2)]


def test_many_bundles(ground: Ground, server: TlsServer, activate: Activation) -> None:
    """More trusts than are kept: their contexts load for themselves, and need no others."""
    activate("other.test")
    authority = ground.realm.authority.pem
    contexts = []
    for number in range(TRUSTING_LIMIT + 4):
        data = authority.decode() + "\n" * number
        for _ in range(2):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=data)
        contexts.append(context)
    for _ in range(2):
        assert all(attempt(context, server.port, GOOD).accepted for context in contexts)
    assert all(map(loaded, contexts[:4]))
