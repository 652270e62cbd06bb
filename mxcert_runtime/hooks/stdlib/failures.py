"""Explains handshakes, and the first exchange behind them, that fail over a certificate.

In TLS 1.3 a client has finished its handshake before the server has seen its certificate (RFC
8446, section 2), so that a refusal comes with the first read, or with a write before it. Until
then a stand-in is in the place of the connection of an ``SSLSocket`` or ``SSLObject``; then it is
gone. It stands behind them and not on them, since uvloop keeps the methods of an ``SSLObject``
that it found before the handshake.
"""

from __future__ import annotations

import functools
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from ...base import TLS_1_2, TLS_1_3
from ...connections import (
    Attempt,
    CertificateRequest,
    Facts,
    MalformedRequestError,
    endpoint_of_socket,
    observe,
    parse_request,
    verification_of,
)
from ...contexts import request_of
from ...contexts.ledger import ledger
from ...diagnosis import (
    Alert,
    alert_numbered,
    alert_of,
    count_silent_end,
    explaining,
    is_closed,
    look,
    repeat_note,
)
from ..patching import Patch, Switch, attribute_of, unbound
from ..unread_answer import ReadAhead, peek_alert, read_unread
from .attempts import ATTRIBUTE, attempt_of

#: Where an ``SSLSocket`` keeps the port that its handshake began with, for a note
_PORT = "_mxcert_port"
#: what may go on; `socket.timeout` is a TimeoutError from Python 3.10 on only
_UNFINISHED = ssl.SSLWantReadError, ssl.SSLWantWriteError, socket.timeout
#: The application does not see these as errors, or not as ours to explain: the other side closed.
_CLOSED = ssl.SSLEOFError, ssl.SSLZeroReturnError


def explain(owner: Any, error: OSError, alert: Alert | None = None) -> None:
    """Explain why a connection failed; ``alert`` is what the server said, if the error is mute."""
    attempt = attempt_of(owner)
    explaining.explain(attempt, error, functools.partial(_facts_of, owner, error), alert)


def _explain_handshake(owner: Any, error: OSError) -> None:
    number = look(peek_alert, owner) if is_closed(error) else None
    explain(owner, error, None if number is None else alert_numbered(number))


def _explain_write(owner: Any, connection: Any, error: OSError) -> None:
    answer = look(read_unread, connection, owner) if is_closed(error) else None
    if answer is None:
        explain(owner, error)
        return
    owner._sslobj = ReadAhead(connection, owner, answer)
    if answer.data:
        return  # the server has spoken, and so has taken the certificate
    explain(owner, error, alert_of(answer.error) if answer.error else None)
    if answer.error is not None:
        repeat_note(answer.error, error)


def _facts_of(owner: Any, error: OSError, attempt: Attempt) -> Facts:
    cipher = owner._sslobj.cipher()
    record = ledger.find(attempt.context)
    return Facts(
        server_has_spoken=cipher is not None,
        request=_request(owner, cipher),
        without_request=_look_next_time(attempt),
        verification=verification_of(attempt.generation, attempt.decision, record),
        port=getattr(owner, _PORT, None) if attempt.port is None else attempt.port,
        is_named=owner.server_hostname is not None,
        verify_code=getattr(error, "verify_code", None),
    )


def _request(owner: Any, cipher: tuple[str, str, int] | None) -> CertificateRequest | None:
    message = request_of(owner)
    if message is None or cipher is None:
        return None
    try:
        # `version()` tells nothing of a handshake that failed; OpenSSL names the lowest version
        # that a cipher is for, and those of TLS 1.3 are for nothing else.
        return parse_request(TLS_1_3 if cipher[1] == "TLSv1.3" else TLS_1_2, message)
    except MalformedRequestError:
        return None


def _look_next_time(attempt: Attempt) -> str:
    """Make the next connection to this endpoint listen, since nobody knows what was asked for."""
    if attempt.plan.handover is not None:
        return "nothing, as far as the handshake came"
    endpoint = attempt.host, attempt.port
    if not observe(attempt.generation, endpoint):
        return "not known, since nobody listened"
    return "not known, since nobody listened; the next connection to this endpoint will tell"


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
            explain(owner, error)

    def _fail_to_write(self, error: OSError) -> None:
        if not self._mxcert_reading.acquire(blocking=False):
            return  # whoever reads at this moment hears what the server says
        try:
            owner = self._end()
            if owner is not None and owner._sslobj is not None:
                _explain_write(owner, self._mxcert_connection, error)
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
    if attempt is None or attempt.port is not None or hasattr(owner, _PORT):
        return
    # Later, when the server has spoken, nobody can be certain of it.
    setattr(owner, _PORT, endpoint_of_socket(owner, str(attempt.host))[1])


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
                _explain_handshake(self, error)
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
