"""``ssl``: all patches of the module that every TLS connection of the standard library passes."""

from __future__ import annotations

from ..patching import Library, Patch
from .dialling_sockets import wrapped_first_patches
from .ssl_connections import connection_patches
from .ssl_contexts import factory_patches, method_patches
from .ssl_failures import failure_patches
from .ssl_sessions import session_patches


def _patches() -> tuple[Patch, ...]:
    return (
        *method_patches(),
        *factory_patches(),
        *connection_patches(),
        *wrapped_first_patches("ssl"),
        *session_patches(),
        *failure_patches(),
    )


LIBRARY = Library("ssl", _patches)
