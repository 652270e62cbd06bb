"""``ssl``: all patches of the module that every TLS connection of the standard library passes."""

from __future__ import annotations

from ..patching import Library, Patch
from .connections import connection_patches
from .contexts import factory_patches, method_patches
from .dialling_sockets import wrapped_first_patches
from .failures import failure_patches
from .sessions import session_patches


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
