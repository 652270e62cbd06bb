"""Finds out whether an SSL context has a certificate of its own, which CPython does not tell.

A server's connection takes its certificate from the context that it is handed (this is how SNI
works), so the context in question is made to serve a handshake in memory. It is not changed, no
packet is sent, and nothing is trusted by it.
"""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Iterator
from typing import Any

from .native_ssl import NativeContext, genuine_context

# Weak keys and old signatures must show themselves too: here nothing is secured by them.
_ALL_CIPHERS = "ALL:@SECLEVEL=0"

#: What OpenSSL says where a server has no certificate that it could show. TLS 1.3 goes by no
#: cipher list, and TLS 1.2 knows the curves that TLS 1.3 has dropped.
_WITHOUT_CERTIFICATE = {
    ssl.TLSVersion.TLSv1_3: ("UNSUPPORTED_PROTOCOL",),
    # The second where all ciphers of the context are of TLS 1.3, so that it speaks no TLS 1.2.
    ssl.TLSVersion.TLSv1_2: ("NO_SHARED_CIPHER", "NO_CIPHERS_AVAILABLE"),
}


def presents_certificate(context: ssl.SSLContext) -> bool:
    """Whether a client connection of ``context`` would present a certificate.

    Where the answer is unclear it is yes, so that we keep out of that connection.
    """
    with _without_callbacks(context):
        return any(_is_served(context, version) for version in _WITHOUT_CERTIFICATE)


def _is_served(context: ssl.SSLContext, version: ssl.TLSVersion) -> bool:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_context, client_context = _probing_contexts(version)
    server = NativeContext._wrap_bio(server_context, to_server, to_client, True)
    server.context = context
    client = NativeContext._wrap_bio(client_context, to_client, to_server, False)
    failure = _shake_hands(client, server)
    if failure is not None:
        return failure not in _WITHOUT_CERTIFICATE[version]
    # Anonymous ciphers of TLS 1.2 need no certificate.
    return client.getpeercert(True) is not None


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


@contextlib.contextmanager
def _without_callbacks(context: ssl.SSLContext) -> Iterator[None]:
    """The callbacks of the caller are for its own connections."""
    message_callback = NativeContext._msg_callback.__get__(context)
    name_callback = context.sni_callback
    NativeContext._msg_callback.__set__(context, None)
    # A context for clients alone has none, and refuses to be given one.
    if name_callback is not None:
        context.sni_callback = None
    try:
        yield
    finally:
        NativeContext._msg_callback.__set__(context, message_callback)
        if name_callback is not None:
            context.sni_callback = name_callback


@functools.cache
def _probing_contexts(version: ssl.TLSVersion) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = genuine_context()(ssl.PROTOCOL_TLS_SERVER)
    client = genuine_context()(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    NativeContext.verify_mode.__set__(client, ssl.CERT_NONE)
    for context in (server, client):
        NativeContext.set_ciphers(context, _ALL_CIPHERS)
        # By the setters of the C class: those of the Python class call themselves without end
        # where somebody has put another class in the place of `ssl.SSLContext`.
        NativeContext.minimum_version.__set__(context, version)
        NativeContext.maximum_version.__set__(context, version)
    return server, client
