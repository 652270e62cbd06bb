"""Explains handshakes, and the first exchange behind them, that fail over a certificate.

In TLS 1.3 a client has finished its handshake before the server has seen its certificate (RFC
8446, section 2), so that a refusal comes with the first read, or with a write before it. Until
then a stand-in is in the place of the connection of an ``SSLSocket`` or ``SSLObject``; then it is
gone. It stands behind them and not on them, since uvloop keeps the methods of an ``SSLObject``
that it found before the handshake.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from ...base import logger as _logger
from ...connections import Attempt, count_silent_end, endpoint_of_socket
from ...decisions import in_force
from ..patching import Patch, Switch, attribute_of, unbound
from .attempts import ATTRIBUTE, PORT, attempt_of

#: what may go on; `socket.timeout` is a TimeoutError from Python 3.10 on only
_UNFINISHED = ssl.SSLWantReadError, ssl.SSLWantWriteError, socket.timeout
#: The application does not see these as errors, or not as ours to explain: the other side closed.
_CLOSED = ssl.SSLEOFError, ssl.SSLZeroReturnError


class _Harmless:
    """Around what is loaded with the first failure, and explains it; the error is the program's.

    Files may be gone by then, or of another version, and an interpreter that ends loads nothing.
    """

    def __enter__(self) -> None:
        """Nothing is kept: threads may share it."""

    def __exit__(self, kind: object, fault: BaseException | None, traceback: object) -> bool:
        if not isinstance(fault, Exception):
            return False
        # Near the end of the stack not even this can be said.
        with contextlib.suppress(Exception):
            _logger.warning(
                "a failed connection cannot be explained (%s: %s); if mxcert_runtime was installed"
                " anew, or is out of reach by now, start the program anew",
                type(fault).__name__,
                fault,
            )
        return True


harmless = _Harmless()


def load_before_fork(load: Callable[[], object]) -> None:
    """Load it before a process forks, if settings are in force then.

    Children have it from their parent, and none waits for a thread of its parent that was loading
    it, for ever: importlib's locks stay as they were. Nothing of it may ask to be called at forks,
    as `logging` does: half of its calls would come for this one.
    """

    def before() -> None:
        if in_force.current is not None:
            with harmless:
                load()

    if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
        os.register_at_fork(before=before)


_set_own = object.__setattr__


class FirstExchange:
    """Stands in for a connection until its first read has an outcome."""

    __slots__ = ("_mxcert_connection", "_mxcert_owner", "_mxcert_reading")

    def __init__(self, connection: Any, owner: Any) -> None:
        _set_own(self, "_mxcert_connection", connection)
        # Weak, since the owner holds this one.
        _set_own(self, "_mxcert_owner", weakref.ref(owner))
        # OpenSSL does not bear two threads that read, of which one is ours.
        _set_own(self, "_mxcert_reading", threading.RLock())

    def read(self, *arguments: Any) -> Any:
        try:
            with self._mxcert_reading:
                result = self._mxcert_connection.read(*arguments)
        except _UNFINISHED:
            raise
        except _CLOSED:
            self._end_silently()
            raise
        except OSError as error:
            self._fail(error)
            # The traceback of the error must not keep a connection that its owner has closed.
            del self
            raise
        # Where nothing is asked for, nothing is the answer.
        if result or arguments[:1] == (0,):
            self._end()
        else:
            self._end_silently()
        return result

    def write(self, data: Any) -> Any:
        try:
            return self._mxcert_connection.write(data)
        except _UNFINISHED:
            raise
        except OSError as error:
            self._fail_to_write(error)
            del self
            raise

    def _fail(self, error: OSError) -> None:
        owner = self._end()
        if owner is not None and owner._sslobj is not None:
            with harmless:
                from .explanation import explain

                explain(owner, error)

    def _fail_to_write(self, error: OSError) -> None:
        if not self._mxcert_reading.acquire(blocking=False):
            return  # whoever reads at this moment hears what the server says
        try:
            owner = self._end()
            if owner is not None and owner._sslobj is not None:
                with harmless:
                    from .explanation import explain_write

                    explain_write(owner, self._mxcert_connection, error)
        finally:
            self._mxcert_reading.release()

    def _end_silently(self) -> None:
        if self._end() is not None:
            count_silent_end()

    def _end(self) -> Any:
        """Put the connection back in its place; returns the owner, if it is there still."""
        owner = self._mxcert_owner()
        if owner is not None and owner._sslobj is self:
            owner._sslobj = self._mxcert_connection
        return owner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mxcert_connection, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._mxcert_connection, name, value)


def _end_handshake(owner: Any) -> None:
    attempt, connection = attempt_of(owner), owner._sslobj
    if attempt is not None:
        attempt.end_handshake()
    if connection is None or type(connection) is FirstExchange:
        return
    # Who takes no attribute may take no other object in its connection's place either.
    is_known = hasattr(owner, ATTRIBUTE)
    if is_known and connection.version() == "TLSv1.3":
        owner._sslobj = FirstExchange(connection, owner)


def _step_of_socket(owner: Any) -> None:
    attempt = _step(owner)
    if attempt is None or attempt.port is not None or hasattr(owner, PORT):
        return
    # Later, when the server has spoken, nobody can be certain of it.
    setattr(owner, PORT, endpoint_of_socket(owner, str(attempt.host))[1])


def _step(owner: Any) -> Attempt | None:
    attempt = attempt_of(owner)
    if attempt is not None:
        attempt.step()
    return attempt


def _build_do_handshake(step: Callable[[Any], object], original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def do_handshake(self: Any, *arguments: Any, **named: Any) -> Any:
        if switch.on:
            step(self)
        try:
            result = original(self, *arguments, **named)
        except _UNFINISHED:
            raise
        except OSError as error:
            if switch.on:
                with harmless:
                    from .explanation import explain_handshake

                    explain_handshake(self, error)
            raise
        if switch.on:
            _end_handshake(self)
        return result

    return do_handshake


def failure_patches() -> tuple[Patch, ...]:
    """The patches of the handshake."""
    # An `SSLObject` has no socket.
    steps = {"SSLSocket": _step_of_socket, "SSLObject": _step}
    return tuple(
        Patch(attribute_of("ssl", name), "do_handshake", partial(_build_do_handshake, step))
        for name, step in steps.items()
    )


def _load_explanation() -> None:
    from . import explanation  # noqa: F401


load_before_fork(_load_explanation)
