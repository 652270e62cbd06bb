"""Explains why a connection failed, whichever engine made it; never fails itself.

It stands above the connections, whose attempt it explains, since the words and remedies do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, TypeVar

from ..connections import Attempt, Facts
from .alert_table import Alert, AlertKind
from .alerts import alert_of, lacks_signature
from .error_notes import report_own_fault
from .note import Failure
from .report import report_failure, report_missing_signature

_Found = TypeVar("_Found")


def explain(
    attempt: Attempt | None,
    error: BaseException,
    facts: Callable[[Attempt], Facts],
    alert: Alert | None = None,
) -> None:
    """Say what is known of a failure on its error and in the log; the error stays the program's.

    ``alert`` is what the server said, where the error itself does not tell; ``facts`` asks the
    engine.
    """
    try:
        alert = alert or alert_of(error)
        if attempt is not None and alert is not None:
            report_failure(error, _failure(attempt, alert, facts(attempt)))
        elif attempt is not None and lacks_signature(error):
            report_missing_signature(error, attempt.take_key_anew())
    except Exception as fault:
        report_own_fault(fault)


def is_closed(error: BaseException) -> bool:
    """Whether an error says no more than that the connection is closed."""
    alert = alert_of(error)
    return alert is not None and alert.kind is AlertKind.CONNECTION_CLOSED


def _failure(attempt: Attempt, alert: Alert, facts: Facts) -> Failure:
    return Failure(
        alert=alert,
        moment=datetime.now(timezone.utc),
        generation=attempt.generation,
        decision=attempt.decision,
        host=attempt.host,
        port=facts.port,
        service=attempt.service,
        server_has_spoken=facts.server_has_spoken,
        request=facts.request,
        without_request=facts.without_request,
        has_own_certificate=attempt.plan.presents_own,
        trusted=str(facts.verification),
        verify_code=facts.verify_code,
        is_named=facts.is_named,
    )


def look(at: Callable[..., _Found | None], *arguments: Any) -> _Found | None:
    """What a look at a connection finds; whatever it fails with is no affair of the program's."""
    try:
        return at(*arguments)
    except Exception as fault:
        report_own_fault(fault)
        return None
