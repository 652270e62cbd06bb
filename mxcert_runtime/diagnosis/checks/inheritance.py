"""Checks of what child Pythons are handed: settings that they can read where they start.

A child whose paths lead nowhere ends with status 78, so this is told before there is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...base import Origin
from ...identity import AuthorityFile
from ...settings import Settings

if TYPE_CHECKING:
    from .diagnostic import Diagnostic


def check_inheritance(settings: Settings) -> Iterator[Diagnostic]:
    """Relative paths of settings that child Pythons are to read as well; one for each origin."""
    found: dict[str, str] = {}
    for path, origin in _paths(settings) if settings.inherit else ():
        if not os.path.isabs(path):
            found.setdefault(str(origin), path)
    if not found:
        return
    from .diagnostic import Diagnostic, DiagnosticCode  # late: most settings have none

    for said, path in found.items():
        yield Diagnostic(
            code=DiagnosticCode.NOT_INHERITED,
            origin=said,
            problem=f"has the relative path `{path}`, which child Pythons that start in another"
            " folder do not find: they end with status 78",
            remedy="Write an absolute path",
        )


def _paths(settings: Settings) -> Iterator[tuple[str, Origin]]:
    authorities = list(settings.authorities)
    for identity in settings.identities:
        authorities += identity.authorities
        for file in identity.material.files():
            yield file.path, identity.origin
    for authority in authorities:
        if isinstance(authority, AuthorityFile):
            yield authority.path, authority.origin
