"""What a program may change of its context before it connects."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

Change = Callable[[ssl.SSLContext], Any]


def _versions(context: ssl.SSLContext) -> None:
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2


def _options(context: ssl.SSLContext) -> None:
    context.options |= ssl.OP_NO_TICKET


CHANGES: dict[str, Change] = {
    "nothing": lambda context: None,
    "TLS 1.2 only": _versions,
    "TLS 1.3 only": lambda context: setattr(context, "minimum_version", ssl.TLSVersion.TLSv1_3),
    "one cipher": lambda context: context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384"),
    "two orders": lambda context: context.set_ciphers("AES128:ECDHE+AESGCM:!aRSA"),
    "level 3": lambda context: context.set_ciphers("DEFAULT:@SECLEVEL=3"),
    "level 0": lambda context: context.set_ciphers("ALL:@SECLEVEL=0"),
    "level, then ciphers": lambda context: (
        context.set_ciphers("DEFAULT:@SECLEVEL=0"),
        context.set_ciphers("ECDHE+AESGCM"),
    ),
    "ALPN": lambda context: context.set_alpn_protocols(["h2", "http/1.1"]),
    "curve": lambda context: context.set_ecdh_curve("secp384r1"),
    "options": _options,
    "post-handshake": lambda context: setattr(context, "post_handshake_auth", True),
}
#: what a context can be told from Python 3.15 on, by the name of the method
LATE_CHANGES = {
    "set_ciphersuites": ("TLS_AES_128_GCM_SHA256",),
    "set_groups": ("secp384r1:X25519",),
    "set_server_sigalgs": ("ecdsa_secp384r1_sha384:ecdsa_secp256r1_sha256",),
}


def _told(method: str) -> Change:
    return lambda context: getattr(context, method)(*LATE_CHANGES[method])


CHANGES.update(
    (method, _told(method)) for method in LATE_CHANGES if hasattr(ssl.SSLContext, method)
)
