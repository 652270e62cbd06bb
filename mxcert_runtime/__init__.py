"""Mutual TLS for a whole process: import it first, and every outbound TLS connection presents the
right client certificate, chosen by host or service name from the settings of the deployment.

Without settings this import does nothing. With settings that cannot be used it raises.
"""

from __future__ import annotations

from .base.environ import process_environ as _process_environ
from .settings import presence as _presence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .decisions.explanation import explain, identities
    from .decisions.services import service
    from .errors import MxcertError, SettingsError
    from .monitoring.metrics import metrics
    from .start.activation import activate, deactivate, is_active
    from .start.reloading import reload

__all__ = (
    "MxcertError", "SettingsError", "activate", "deactivate", "explain", "identities",
    "is_active", "metrics", "reload", "service",
)  # fmt: skip


def __getattr__(name: str) -> object:
    from ._face import find

    return find(name)


if _presence.mentions_settings(_process_environ()):
    from .start.on_import import activate_on_import as _activate_on_import

    _activate_on_import()
