"""Mutual TLS for a whole process: import it first, and every outbound TLS connection presents the
right client certificate, chosen by host or service name from the settings of the deployment.

Without settings this import does nothing. With settings that cannot be used it raises.
"""

from __future__ import annotations

import sys as _sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .connections.tls_material import material
    from .decisions.explanation import explain, identities
    from .decisions.services import service
    from .errors import MxcertError, SettingsError
    from .monitoring.metrics import metrics
    from .start.activation import activate, deactivate, is_active
    from .start.reloading import reload

__all__ = (
    "MxcertError", "SettingsError", "activate", "deactivate", "explain", "identities",
    "is_active", "material", "metrics", "reload", "service",
)  # fmt: skip


def __getattr__(name: str) -> object:
    from ._face import find

    return find(name)


_importer = _sys._getframe(1)
while _importer.f_back and "importlib" in str(_importer.f_globals.get("__name__")):
    _importer = _importer.f_back
if _importer.f_globals.get("__name__") != "<autostart of mxcert_runtime>":  # which waits for TLS
    from .base import environ as _environ
    from .settings import presence as _presence

    if _presence.mentions_settings(_environ.process_environ()):
        from .start.on_import import activate_on_import as _activate_on_import

        _activate_on_import()
