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
import logging
import ssl
import weakref
from collections.abc import Callable, MutableMapping
from typing import Any, Optional

from .identity_context import IdentityContext
from .native_ssl import NativeContext

_logger = logging.getLogger("mxcert_runtime")

_HANDSHAKE = 22
_CERTIFICATE_REQUEST, _CERTIFICATE_VERIFY, _FINISHED = 13, 15, 20
TLS_1_3 = 0x0304

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
        if message == _CERTIFICATE_REQUEST:
            self.request = data
        if version == TLS_1_3:
            return self._take_in_tls_1_3(message)
        return self._take_in_tls_1_2(version, message)

    def _take_in_tls_1_3(self, message: int) -> ssl.SSLContext | None:
        verifies = message in (_CERTIFICATE_VERIFY, _FINISHED)
        self._is_verified = self._is_verified or verifies
        if not self._is_verified or (self.request is None and self._may_ask_later):
            return None
        self.is_over = True
        return self._authenticating(TLS_1_3, self.request)

    def _take_in_tls_1_2(self, version: int, message: int) -> ssl.SSLContext | None:
        if message == _CERTIFICATE_REQUEST:
            context = self._authenticating(version, self.request)
            self.is_over = isinstance(context, IdentityContext) and context.verifies
            return context
        return self._verifying if message == _FINISHED else None


#: The attribute of the object that CPython names in the callback: the connection that is to take
#: another context, and its handover. It stays, since it has the server's request.
_WAITING = "_mxcert_waiting"

_Waiting = tuple[Any, Optional[Handover]]
_NOBODY: _Waiting = (None, None)

#: the same of objects that have no room for an attribute, such as gevent's
_waiting_apart: MutableMapping[Any, _Waiting] = weakref.WeakKeyDictionary()

#: contexts of callers on which a listener stands, by their ``id()``: a subclass may not be hashable
_listening: dict[int, weakref.ref[ssl.SSLContext]] = {}


class Listener:
    """A message callback that hands over the next context, and calls the caller's own."""

    def __init__(self, callback: MessageCallback) -> None:
        self.callback = callback
        #: what CPython's getter of ``_msg_callback`` answers with
        self.user_function = getattr(callback, "user_function", None)

    def __call__(
        self, owner: Any, direction: str, version: int, content: int, message: int, data: bytes
    ) -> None:
        if content == _HANDSHAKE and direction == "read":
            _tell(owner, version, message, data)
        if self.callback is not None:
            self.callback(owner, direction, version, content, message, data)


def _tell(owner: Any, version: int, message: int, data: bytes) -> None:
    waiting: Any = _waiting_of(owner)
    connection, handover = waiting
    if handover is None or handover.is_over:
        return
    context = handover.take(version, message, data)
    if handover.is_over:
        _note_waiting(owner, (None, handover))
    if context is not None:
        connection.context = context


def _waiting_of(owner: Any) -> _Waiting:
    waiting: _Waiting = getattr(owner, _WAITING, _NOBODY)
    if waiting is _NOBODY and _waiting_apart and owner is not None:
        return _waiting_apart.get(owner, _NOBODY)
    return waiting


def _note_waiting(owner: Any, waiting: _Waiting) -> None:
    try:
        owner._mxcert_waiting = waiting
    except AttributeError:
        # CPython itself holds it by a weak reference, so there can be one.
        _waiting_apart[owner] = waiting


def request_of(owner: Any) -> bytes | None:
    """The last CertificateRequest (with its header) that a connection was seen to receive."""
    handover = _waiting_of(owner)[1]
    return None if handover is None else handover.request


@functools.lru_cache(maxsize=64)
def listener_calling(callback: MessageCallback) -> Listener:
    """The listener for contexts of ours; one for each callback, so that they can be shared."""
    return Listener(callback)


def callers_own(callback: MessageCallback) -> MessageCallback:
    """The caller's own message callback, from the one that stands on its context."""
    return callback.callback if isinstance(callback, Listener) else callback


def listen_on(context: ssl.SSLContext) -> None:
    """Make connections that a caller's context creates from now on tell their messages."""
    callback = NativeContext._msg_callback.__get__(context)
    if not isinstance(callback, Listener):
        NativeContext._msg_callback.__set__(context, Listener(callback))
        number = id(context)
        _listening[number] = weakref.ref(context, lambda _: _listening.pop(number, None))


def hand_over(connection: Any, owner: Any, handover: Handover) -> None:
    """Let ``connection`` take what ``handover`` says, when it says it."""
    if owner is None:
        _warn_of_missing_owner()
    else:
        _note_waiting(owner, (connection, handover))


@functools.lru_cache(maxsize=1)
def _warn_of_missing_owner() -> None:
    """Say once that a connection made straight by ``_wrap_bio``, without an owner, has no part."""
    _logger.warning("a connection without an owner keeps its context, and gets no identity")


def stop_listening() -> None:
    """Give every caller's context its own message callback back."""
    for reference in list(_listening.values()):
        context = reference()
        if context is not None:
            callback = NativeContext._msg_callback.__get__(context)
            NativeContext._msg_callback.__set__(context, callers_own(callback))
    _listening.clear()
