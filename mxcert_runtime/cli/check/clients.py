"""What ``mxcert check`` tells of clients that are installed and not reached."""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnosis import Diagnostic, DiagnosticCode
from ...hooks.unreached import installed


def check_clients() -> Iterator[Diagnostic]:
    """A warning for each library of this environment whose TLS no hook reaches."""
    for client in installed():
        yield Diagnostic(
            code=DiagnosticCode.CLIENT_NOT_REACHED,
            origin=f"the installed package `{client.module}`",
            problem=client.problem,
            remedy=client.remedy,
        )
