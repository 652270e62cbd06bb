"""Contexts of a program that loads what it has loaded before, as programs with many do."""

from __future__ import annotations

import contextlib
import os
import ssl
from typing import Any

from mxcert_runtime.base.genuine_ssl import NativeContext


class Warming(ssl.SSLContext):
    """A context that does each load in another context first, so that it has been done before."""

    def load_verify_locations(
        self, cafile: Any = None, capath: Any = None, cadata: Any = None
    ) -> None:
        with contextlib.suppress(OSError, TypeError, ValueError):
            # What can be read once only is left for the load that counts.
            if cafile is None or os.path.isfile(cafile):
                _another().load_verify_locations(cafile, capath, cadata)
        super().load_verify_locations(cafile, capath, cadata)

    def set_default_verify_paths(self) -> None:
        _another().set_default_verify_paths()
        super().set_default_verify_paths()


def _another() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def holds_authorities(context: ssl.SSLContext) -> bool:
    """Whether the store of the context itself holds anything, seen past all hooks."""
    return any(NativeContext.cert_store_stats(context).values())
