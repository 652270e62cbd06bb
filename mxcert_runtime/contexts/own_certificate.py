"""Finds out whether an SSL context has a certificate of its own, which CPython does not tell.

A server's connection takes its certificate from the context that it is handed (this is how SNI
works), so the context in question is made to serve a handshake in memory. It is not changed, no
packet is sent, and nothing is trusted by it.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from typing import Any

from ..base import NativeContext, genuine_context
from .handover import Unheard, listen_on

# Weak keys and old signatures must show themselves too: here nothing is secured by them.
_ALL_CIPHERS = "ALL:@SECLEVEL=0"

_BOTH = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
_TLS_1_2 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
_TLS_1_3 = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3

_Versions = tuple[ssl.TLSVersion, ssl.TLSVersion]

#: What OpenSSL says where a server has no certificate that it could show: it speaks no TLS 1.3
#: then, and finds no cipher of TLS 1.2; the second where the context has none of these.
_WITHOUT_CERTIFICATE = ("NO_SHARED_CIPHER", "NO_CIPHERS_AVAILABLE")

#: And where it cannot know before the name of the host is due.
_WITHOUT_CERTIFICATE_LATE = (*_WITHOUT_CERTIFICATE, "NO_SUITABLE_SIGNATURE_ALGORITHM")


def presents_certificate(context: ssl.SSLContext) -> bool:
    """Whether a client connection of ``context`` would present a certificate.

    Where the answer is unclear it is yes, so that we keep out of that connection. The callbacks of
    the caller are for its own connections, and stay where they are, since other threads may be
    connecting: one for messages is told by a listener, which does not hear connections of ours.
    """
    if NativeContext._msg_callback.__get__(context) is not None:
        listen_on(context)
    if context.sni_callback is None:
        return _is_served(context, _take_at_once, _BOTH, _WITHOUT_CERTIFICATE)
    # Only TLS 1.2 knows all curves, and only TLS 1.3 goes by no list of ciphers.
    return any(
        _is_served(context, _take_by_name, versions, _WITHOUT_CERTIFICATE_LATE)
        for versions in (_TLS_1_3, _TLS_1_2)
    )


def _is_served(
    context: ssl.SSLContext,
    take: Callable[[ssl.SSLContext, _Versions, Unheard, ssl.MemoryBIO, ssl.MemoryBIO], Any],
    versions: _Versions,
    without: tuple[str, ...],
) -> bool:
    to_server, to_client, owner = ssl.MemoryBIO(), ssl.MemoryBIO(), Unheard()
    server = take(context, versions, owner, to_server, to_client)
    client = NativeContext._wrap_bio(_client_context(), to_client, to_server, False)
    failure = _shake_hands(client, server)
    if failure is not None:
        return failure not in without
    # Anonymous ciphers of TLS 1.2 need no certificate.
    return client.getpeercert(True) is not None


def _take_at_once(
    context: ssl.SSLContext,
    versions: _Versions,
    owner: Unheard,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
) -> Any:
    """A server's connection that has the certificate of ``context``."""
    server_context = _server_context(versions)
    server = NativeContext._wrap_bio(server_context, incoming, outgoing, True, owner=owner)
    server.context = context
    return server


def _take_by_name(
    context: ssl.SSLContext,
    versions: _Versions,
    owner: Unheard,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
) -> Any:
    """A server's connection that has the certificate of ``context`` by its callback for names.

    It would be called by the context that the connection has when the name is due; so another one
    is there until then, whose own callback does what such callbacks are for.
    """
    switching = _make_server_context(versions)
    server = NativeContext._wrap_bio(switching, incoming, outgoing, True, owner=owner)
    switching.sni_callback = lambda *_: setattr(server, "context", context)
    return server


@functools.cache
def anonymous_connection() -> Any:
    """A client's connection of TLS 1.2 in memory, with a server that has no certificate.

    The same one each time. ``None`` where this OpenSSL has no cipher for that.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = NativeContext._wrap_bio(_server_context(_TLS_1_2), to_server, to_client, True)
    client = NativeContext._wrap_bio(_client_context(), to_client, to_server, False)
    return client if _shake_hands(client, server) is None else None


def _shake_hands(client: Any, server: Any) -> str | None:
    """OpenSSL's reason for a failure; ``None`` where both have come to an end."""
    for side in (client, server) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError as error:
            return getattr(error, "reason", None) or "unknown"
    return None


@functools.cache
def _client_context() -> ssl.SSLContext:
    context = genuine_context()(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    NativeContext.verify_mode.__set__(context, ssl.CERT_NONE)
    return _opened(context, _BOTH)


@functools.cache
def _server_context(versions: _Versions) -> ssl.SSLContext:
    return _make_server_context(versions)


def _make_server_context(versions: _Versions) -> ssl.SSLContext:
    return _opened(genuine_context()(ssl.PROTOCOL_TLS_SERVER), versions)


def _opened(context: ssl.SSLContext, versions: _Versions) -> ssl.SSLContext:
    NativeContext.set_ciphers(context, _ALL_CIPHERS)
    # By the setters of the C class: those of the Python class call themselves without end where
    # somebody has put another class in the place of `ssl.SSLContext`.
    NativeContext.minimum_version.__set__(context, versions[0])
    NativeContext.maximum_version.__set__(context, versions[1])
    return context
