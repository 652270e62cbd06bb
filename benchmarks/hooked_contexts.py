"""Settings in force and out of force by turns, each time with a new context of the caller.

A context is made anew after each switch, since one that is older than the hooks has another path,
and connections are made on it before it is measured, so that the plan for it stands.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority

from .measure import Timed

#: Enough for the plan, and for the interpreter to see what it may specialize once more.
_WARM_UP = 100


class Host(Enum):
    """Hosts by what the settings say of them."""

    NO_CERTIFICATE = "none.example"
    PINNED = "pinned.example"
    REQUEST_CHOOSES = "unlisted.example"


class ContextKind(Enum):
    """Contexts by what is known of their trust."""

    #: `load_verify_locations(cafile)`: all of it is on record
    BUNDLE = "bundle"
    #: `create_default_context()`: it looks into directories as well
    DEFAULT = "default"


class ContextSwitch:
    """Two identities, one pinned to a host; both are candidates for hosts without a rule.

    ``context`` is the caller's; connections are made on it.
    """

    context: ssl.SSLContext

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        authority = Authority()
        files = ClientFiles(Path(self._folder.name))
        self._bundle = str(files.authority(authority))
        leaves = [authority.issue(name) for name in ("first", "second")]
        self._settings: dict[str, Any] = {
            "identity": [
                files.identity("first", leaves[0], hosts=[Host.PINNED.value]),
                files.identity("second", leaves[1]),
            ],
            "no_certificate": {"hosts": [Host.NO_CERTIFICATE.value]},
        }

    def hooked(self, kind: ContextKind, timed: Timed) -> Callable[[], None]:
        """Puts the settings in force and warms up what is measured."""

        def prepare() -> None:
            mxcert_runtime.activate(self._settings)
            self.context = self._make(kind)
            timed(_WARM_UP)

        return prepare

    def unhooked(self, kind: ContextKind, timed: Timed) -> Callable[[], None]:
        """Takes the hooks away and warms up what is measured."""

        def prepare() -> None:
            mxcert_runtime.deactivate()
            self.context = self._make(kind)
            timed(_WARM_UP)

        return prepare

    def _make(self, kind: ContextKind) -> ssl.SSLContext:
        if kind is ContextKind.DEFAULT:
            return ssl.create_default_context()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self._bundle)
        return context
