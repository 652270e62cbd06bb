"""Tells of a failed connection, once: a note on its exception, one log record, and a count.

The exception stays what it is, its type and its text included; notes are PEP 678's, from Python
3.11 on.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..base import logger as _logger
from ..identity import Identity
from ..monitoring import count_failure, count_refusal
from .error_notes import note_on
from .note import Failure, note_lines


def report_failure(error: BaseException, failure: Failure) -> None:
    """Count the failure, and say what is known of it where it may be one of certificates."""
    count_failure(failure.alert.kind.value)
    if not failure.concerns_certificates:
        return
    lines = note_lines(failure)
    count_refusal(failure.alert.name)
    _tell(error, lines)


def report_missing_signature(error: BaseException, identities: Iterable[Identity]) -> None:
    """Say whose key may not have signed; nobody knows it where there is none of ours."""
    names = ", ".join(repr(each.name) for each in identities)
    if names:
        _tell(
            error,
            [
                f"OpenSSL could not finish the handshake, in which the key of {names} signs",
                "if it is in a token: see that the token is there, by `mxcert check --sign`",
            ],
        )


def _tell(error: BaseException, lines: list[str]) -> None:
    note_on(error, lines)
    _logger.warning("%s", " | ".join(lines))
