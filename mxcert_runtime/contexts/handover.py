"""Hands a connection another context once its server is verified, and before it authenticates.

OpenSSL verifies the server's chain when it processes the Certificate message, and picks the
client's certificate after the CertificateRequest (TLS 1.2, RFC 5246 section 7.3) or after the
server's CertificateVerify (TLS 1.3, RFC 8446 section 2; Finished where a session is resumed). A
context taken in between gives the client's certificate, while the trust was that of the context
before. Where nobody can tell what a caller's context trusts, this keeps its trust exact.

The message callback that makes it possible is CPython's ``_msg_callback``. It stands on the
context that a connection has at first; a callback of the caller's own is called all the same.
"""

from __future__ import annotations

import functools
import ssl
import weakref
from collections.abc import Callable
from typing import Any, Optional, Union

from ..base import (
    CERTIFICATE_REQUEST,
    CERTIFICATE_VERIFY,
    FINISHED,
    HANDSHAKE,
    TLS_1_3,
    ForkSafeLock,
    NativeContext,
    OwnerNotes,
    logger as _logger,
)
from ..errors import MxcertError
from .identity_contexts import IdentityContext

MessageCallback = Optional[Callable[..., None]]

#: Gives the context that authenticates, for the protocol version and the server's
#: CertificateRequest (the message with its header; ``None``: it sent none).
Authenticating = Callable[[int, Optional[bytes]], ssl.SSLContext]


class Handover:
    """What one connection takes, as the messages of its server arrive.

    ``verifying`` is the context to return to in TLS 1.2, where a renegotiation verifies the
    server anew, unless what authenticates verifies just as well. With ``may_ask_later`` a
    connection of TLS 1.3 that was not asked waits for post-handshake authentication (RFC 8446,
    section 4.6.2).
    """

    def __init__(
        self,
        authenticating: Authenticating,
        verifying: ssl.SSLContext,
        *,
        may_ask_later: bool = False,
    ) -> None:
        self.is_over = False
        self._authenticating = authenticating
        self._verifying = verifying
        self._may_ask_later = may_ask_later
        #: the last CertificateRequest of the server, with its header
        self.request: bytes | None = None
        self._is_verified = False

    def take(self, version: int, message: int, data: bytes) -> ssl.SSLContext | None:
        """The context to take before OpenSSL processes this message of the server, if any."""
        if message == CERTIFICATE_REQUEST:
            self.request = data
        if version == TLS_1_3:
            return self._take_in_tls_1_3(message)
        return self._take_in_tls_1_2(version, message)

    def _take_in_tls_1_3(self, message: int) -> ssl.SSLContext | None:
        verifies = message in (CERTIFICATE_VERIFY, FINISHED)
        self._is_verified = self._is_verified or verifies
        if not self._is_verified or (self.request is None and self._may_ask_later):
            return None
        self.is_over = True
        return self._authenticating(TLS_1_3, self.request)

    def _take_in_tls_1_2(self, version: int, message: int) -> ssl.SSLContext | None:
        if message == CERTIFICATE_REQUEST:
            context = self._authenticating(version, self.request)
            self.is_over = isinstance(context, IdentityContext) and context.verifies
            return context
        return self._verifying if message == FINISHED else None


#: Makes the handover of one connection.
MakeHandover = Callable[[], Handover]

#: The attribute of the object that CPython names in the callback: the connection that is to take
#: another context, and its handover, or what makes that once the server speaks: the creation of a
#: connection is counted in nanoseconds. It stays, since it has the server's request.
_WAITING = "_mxcert_waiting"

_Waiting = tuple[Any, Union[Handover, MakeHandover, None]]

_NOBODY: _Waiting = (None, None)

#: what is waiting for objects that take no attribute
_waiting_beside: OwnerNotes[_Waiting] = OwnerNotes()

#: contexts of callers on which a listener stands, by their ``id()``: a subclass may not be hashable
_listening: dict[int, weakref.ref[ssl.SSLContext]] = {}


class Unheard:
    """The owner of a connection of ours, of whose messages no callback is told."""


class Listener:
    """A message callback that hands over the next context, and calls the caller's own."""

    def __init__(self, callback: MessageCallback) -> None:
        self.callback = callback
        #: what CPython's getter of ``_msg_callback`` answers with
        self.user_function = getattr(callback, "user_function", None)

    def __call__(
        self, owner: Any, direction: str, version: int, content: int, message: int, data: bytes
    ) -> None:
        if isinstance(owner, Unheard):
            return
        if content == HANDSHAKE and direction == "read":
            _tell(owner, version, message, data)
        if self.callback is not None:
            self.callback(owner, direction, version, content, message, data)


def _tell(owner: Any, version: int, message: int, data: bytes) -> None:
    connection, handover = _waiting_of(owner)
    if handover is None or connection is None:  # it has taken what there was to take
        return
    if not isinstance(handover, Handover):
        handover = handover()
        _wait(owner, (connection, handover))
    context = handover.take(version, message, data)
    if handover.is_over:
        _wait(owner, (None, handover))
    if context is not None:
        connection.context = context


def request_of(owner: Any) -> bytes | None:
    """The last CertificateRequest (with its header) that a connection was seen to receive."""
    # gevent's `SSLSocket` gives `ssl` the socket that it has inside.
    handover = _waiting_of(owner)[1] or _waiting_of(getattr(owner, "_sock", None))[1]
    return handover.request if isinstance(handover, Handover) else None


def _waiting_of(owner: Any) -> _Waiting:
    waiting: _Waiting | None = getattr(owner, _WAITING, None)
    return waiting or _waiting_beside.get(owner) or _NOBODY


def _wait(owner: Any, waiting: _Waiting) -> bool:
    try:
        setattr(owner, _WAITING, waiting)
    except AttributeError:
        return _waiting_beside.put(owner, waiting)
    return True


@functools.lru_cache(maxsize=64)
def listener_calling(callback: MessageCallback) -> Listener:
    """The listener for contexts of ours; one for each callback, so that they can be shared."""
    return Listener(callback)


def callers_own(callback: MessageCallback) -> MessageCallback:
    """The caller's own message callback, from the one that stands on its context."""
    return callback.callback if isinstance(callback, Listener) else callback


#: Held by whoever puts a callback in the place of another: what somebody sets meanwhile must stay.
_callback_lock = ForkSafeLock()


def listen_on(context: ssl.SSLContext) -> None:
    """Make connections that a caller's context creates from now on tell their messages."""
    if isinstance(NativeContext._msg_callback.__get__(context), Listener):
        return
    # In C from end to end: what a callback of a weak reference raises is lost.
    drop = functools.partial(_listening.pop, id(context))
    _listening[id(context)] = weakref.ref(context, drop)
    with _callback_lock:
        callback = NativeContext._msg_callback.__get__(context)
        if not isinstance(callback, Listener):
            NativeContext._msg_callback.__set__(context, Listener(callback))


def set_callers_own(context: ssl.SSLContext, give: Callable[[], None]) -> None:
    """Do a caller's call that sets a message callback; who listens to the context goes on.

    A connection that is about to shake hands would never learn that its server asks.
    """
    with _callback_lock:
        is_heard = isinstance(NativeContext._msg_callback.__get__(context), Listener)
        give()
        if is_heard:
            callback = NativeContext._msg_callback.__get__(context)
            NativeContext._msg_callback.__set__(context, Listener(callback))


class MissingOwnerError(MxcertError, ssl.SSLError):
    """A connection was made past ``ssl``'s own objects, and cannot take what a rule gives it.

    It is an ``ssl.SSLError`` so that clients treat it as what it is to them: a failed handshake.
    """

    def __init__(self, host: str, decision: str) -> None:
        self.host, self.decision = host, decision
        super().__init__(
            1,
            f"the connection to {host} has no owner that could take what it is to present, "
            f"{decision}: it was made straight by `_wrap_bio`. Make it by `wrap_bio` or "
            "`wrap_socket`, or give it an `owner`",
        )


def hand_over(connection: Any, owner: Any, make_handover: MakeHandover) -> bool:
    """Let ``connection`` take what a handover says, when it says it.

    ``False`` where nobody will tell: a connection made straight by ``_wrap_bio``, without an owner.
    """
    return owner is not None and _wait(owner, (connection, make_handover))


@functools.lru_cache(maxsize=1)
def warn_of_missing_owner() -> None:
    """Say once that a connection without an owner has no part in the default."""
    _logger.warning("a connection without an owner keeps its context, and gets no identity")


def stop_listening() -> None:
    """Give every caller's context its own message callback back."""
    for reference in list(_listening.values()):
        context = reference()
        if context is not None:
            with _callback_lock:
                callback = NativeContext._msg_callback.__get__(context)
                NativeContext._msg_callback.__set__(context, callers_own(callback))
    _listening.clear()
