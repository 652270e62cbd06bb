"""Why a connection of ``ssl`` failed: what this engine can tell of it, for its note.

Loaded with the first failure (`failures.py`): most programs never have one.
"""

from __future__ import annotations

import functools
from typing import Any

from ...base import TLS_1_2, TLS_1_3
from ...connections import (
    Attempt,
    CertificateRequest,
    Facts,
    MalformedRequestError,
    observe,
    parse_request,
    verification_of,
)
from ...contexts import request_of
from ...contexts.ledger import ledger
from ...diagnosis import (
    Alert,
    alert_numbered,
    alert_of,
    explaining,
    is_closed,
    look,
    repeat_note,
)
from ..unread_answer import ReadAhead, peek_alert, read_unread
from .attempts import PORT, attempt_of


def explain(owner: Any, error: OSError, alert: Alert | None = None) -> None:
    """Explain why a connection failed; ``alert`` is what the server said, if the error is mute."""
    attempt = attempt_of(owner)
    explaining.explain(attempt, error, functools.partial(_facts_of, owner, error), alert)


def explain_handshake(owner: Any, error: OSError) -> None:
    """Explain a handshake that failed; its error may not say what the server did."""
    number = look(peek_alert, owner) if is_closed(error) else None
    explain(owner, error, None if number is None else alert_numbered(number))


def explain_write(owner: Any, connection: Any, error: OSError) -> None:
    """Explain a write that failed, by what the server has said and nobody has read."""
    answer = look(read_unread, connection, owner) if is_closed(error) else None
    if answer is None:
        explain(owner, error)
        return
    owner._sslobj = ReadAhead(connection, owner, answer)
    if answer.data:
        return  # the server has spoken, and so has taken the certificate
    explain(owner, error, alert_of(answer.error) if answer.error else None)
    if answer.error is not None:
        repeat_note(answer.error, error)


def _facts_of(owner: Any, error: OSError, attempt: Attempt) -> Facts:
    cipher = owner._sslobj.cipher()
    record = ledger.find(attempt.context)
    return Facts(
        server_has_spoken=cipher is not None,
        request=_request(owner, cipher),
        without_request=_look_next_time(attempt),
        verification=verification_of(attempt.generation, attempt.decision, record),
        port=getattr(owner, PORT, None) if attempt.port is None else attempt.port,
        is_named=owner.server_hostname is not None,
        verify_code=getattr(error, "verify_code", None),
    )


def _request(owner: Any, cipher: tuple[str, str, int] | None) -> CertificateRequest | None:
    message = request_of(owner)
    if message is None or cipher is None:
        return None
    try:
        # `version()` tells nothing of a handshake that failed; OpenSSL names the lowest version
        # that a cipher is for, and those of TLS 1.3 are for nothing else.
        return parse_request(TLS_1_3 if cipher[1] == "TLSv1.3" else TLS_1_2, message)
    except MalformedRequestError:
        return None


def _look_next_time(attempt: Attempt) -> str:
    """Make the next connection to this endpoint listen, since nobody knows what was asked for."""
    if attempt.plan.handover is not None:
        return "nothing, as far as the handshake came"
    endpoint = attempt.host, attempt.port
    if not observe(attempt.generation, endpoint):
        return "not known, since nobody listened"
    return "not known, since nobody listened; the next connection to this endpoint will tell"
