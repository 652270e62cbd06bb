"""What ``mxcert check`` tells of installed clients: not reached, or of a version not known."""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnosis import Diagnostic, DiagnosticCode
from ...hooks.known_versions import installed_beyond
from ...hooks.unreached import installed


def check_clients() -> Iterator[Diagnostic]:
    """A warning for each library of this environment whose TLS, or version, no hook reaches."""
    for client in installed():
        yield Diagnostic(
            code=DiagnosticCode.CLIENT_NOT_REACHED,
            origin=f"the installed package `{client.module}`",
            problem=client.problem,
            remedy=client.remedy,
        )
    for known, distribution, version in installed_beyond():
        yield Diagnostic(
            code=DiagnosticCode.UNKNOWN_VERSION,
            origin=f"the installed package `{distribution}`",
            problem=f"is of version {version}, which the hooks do not know (from {known.low}, below"
            f" {known.below}): {known.without}",
            remedy=f"Install a version from {known.low}, below {known.below}",
        )
