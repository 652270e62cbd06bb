"""Ways to load one authority into a context, and a look at what is loaded past all hooks."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from mxcert_runtime.base.genuine_ssl import NativeContext
from tests.contexts.ground import Ground


def loaded(context: ssl.SSLContext) -> int:
    """How many certificates and CRLs OpenSSL has in the context, without our looking hook."""
    stats = NativeContext.cert_store_stats(context)
    return int(stats["x509"] + stats["crl"])


def by_file(ground: Ground) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ground.folder / "bundle.pem")
    return context


def by_data(ground: Ground) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ground.realm.authority.der)
    return context


def by_default(ground: Ground) -> ssl.SSLContext:
    ground.default_paths(ground.folder / "bundle.pem")
    return ssl.create_default_context()


WAYS = {"file": by_file, "data": by_data, "default paths": by_default}
Way = Callable[[Ground], ssl.SSLContext]
