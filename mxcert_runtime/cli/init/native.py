"""The settings as the native file: the same text for a file of its own and inside other formats."""

from __future__ import annotations

from ...base import Secret
from ..writing.native import NativeFile, NativeIdentity, toml_text
from .wanted import Wanted


def native_text(wanted: Wanted) -> Secret[str]:
    """The TOML; what is given to hosts by name goes to no other."""
    identity = NativeIdentity(
        name=wanted.name,
        material=wanted.material,
        password=wanted.password,
        password_file=wanted.password_file if wanted.names_password_file else None,
        hosts=wanted.hosts,
    )
    scalars = (("unlisted_hosts", "none"),) if wanted.hosts else ()
    return toml_text(NativeFile((identity,), scalars, authorities=wanted.authorities))
