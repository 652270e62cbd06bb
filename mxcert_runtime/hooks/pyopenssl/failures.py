"""pyOpenSSL: what is said of a connection: its decision, its count, and why it failed.

What watches a connection stands on that very connection, and goes with the first read that
succeeds, or with the handshake in TLS 1.2, where nothing more can be refused.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ...base.hosts import Host
from ...connections.announcement import announce, warn_of_doubts
from ...connections.request import CertificateRequest
from ...decisions.generation import Generation
from ...decisions.policy import Choice, Decision
from ...diagnosis.alerts import AlertKind, alert_of
from ...diagnosis.note import Failure
from ...diagnosis.report import count_silent_end, report_failure, report_own_fault
from ...diagnosis.trust import describe_trust
from ...identity.identity import Identity
from ...monitoring.counters import connection_tally
from ...monitoring.housekeeping import look_if_due

_HANDSHAKE = "do_handshake"
_READS = "recv", "recv_into", "read"
#: Where a connection keeps its :class:`Endeavour`, until it is no longer watched.
_ENDEAVOUR = "_mxcert_endeavour"
#: Where a connection keeps the error that it must not go on with, or ``None``.
REFUSAL = "_mxcert_refusal"


@dataclass(frozen=True)
class Endeavour:
    """What a connection is about to do, and why."""

    generation: Generation
    decision: Decision
    host: Host | None
    port: int | None
    service: str | None
    has_own_certificate: bool = False
    is_counted: bool = False
    is_announced: bool = False


def watch_connection(connection: Any, endeavour: Endeavour) -> None:
    """Explain what fails from now on; a connection that is decided anew is watched as before."""
    known: Endeavour | None = getattr(connection, _ENDEAVOUR, None)
    if known is not None:
        # What was announced before its name was known is announced again.
        announced = known.is_announced and known.host == endeavour.host
        endeavour = replace(endeavour, is_counted=known.is_counted, is_announced=announced)
    setattr(connection, _ENDEAVOUR, endeavour)
    reference = weakref.ref(connection)
    for name in (_HANDSHAKE, *_READS):
        # Weak, since it stands on the connection itself.
        setattr(connection, name, functools.partial(_watched, reference, name))


def note_own_certificate(connection: Any) -> None:
    """Note that the program authenticates itself on a connection."""
    known = getattr(connection, _ENDEAVOUR, None)
    if known is not None:
        setattr(connection, _ENDEAVOUR, replace(known, has_own_certificate=True))


def note_chosen(connection: Any, identity: Identity | None) -> None:
    """Count a connection whose identity the server's request has chosen."""
    known = getattr(connection, _ENDEAVOUR, None)
    if known is not None:
        _count(connection, known, identity)


def _watched(reference: Callable[[], Any], name: str, *arguments: Any, **named: Any) -> Any:
    connection = reference()
    if getattr(connection, REFUSAL, None) is not None:
        raise getattr(connection, REFUSAL)
    look_if_due()
    _announce(connection, needs_name=True)
    _count_as_decided(connection)
    try:
        result = getattr(type(connection), name)(connection, *arguments, **named)
    except Exception as error:
        _announce(connection, needs_name=False)
        if _explain(connection, error, is_read=name != _HANDSHAKE):
            _unwatch(connection)
        raise
    _announce(connection, needs_name=False)
    if name != _HANDSHAKE or connection.get_protocol_version_name() != "TLSv1.3":
        _unwatch(connection)
    return result


def _announce(connection: Any, *, needs_name: bool) -> None:
    """Log a connection once; the name of some is known only when the handshake has begun."""
    known: Endeavour | None = getattr(connection, _ENDEAVOUR, None)
    if known is None or known.is_announced or (needs_name and not isinstance(known.host, str)):
        return
    setattr(connection, _ENDEAVOUR, replace(known, is_announced=True))
    warn_of_doubts(known.generation.policy, known.host, known.port, known.decision)
    announce(known.host, known.port, known.decision)


def _unwatch(connection: Any) -> None:
    for name in (_HANDSHAKE, *_READS, _ENDEAVOUR):
        with contextlib.suppress(AttributeError):
            delattr(connection, name)


def _count_as_decided(connection: Any) -> None:
    known = getattr(connection, _ENDEAVOUR, None)
    if known is None or known.is_counted:
        return
    if known.has_own_certificate:
        _count(connection, known, None)
    elif known.decision.choice is not Choice.SERVER_REQUEST:
        _count(connection, known, known.decision.identity)


def _count(connection: Any, known: Endeavour, identity: Identity | None) -> None:
    rule = known.decision.rule
    connection_tally(identity.name if identity else None, rule.name if rule else None).add()
    setattr(connection, _ENDEAVOUR, replace(known, is_counted=True))


def _explain(connection: Any, error: Exception, *, is_read: bool) -> bool:
    """Explain an error, if it is an end; never raises, since the program has its own error."""
    try:
        alert = alert_of(error)
        known = getattr(connection, _ENDEAVOUR, None)
        if alert is None or known is None:
            return False
        closed = alert.kind is AlertKind.CONNECTION_CLOSED
        if closed and is_read and _is_end_of_stream(error):
            count_silent_end()
        else:
            report_failure(error, _gather(connection, known, alert))
    except Exception as fault:
        report_own_fault(fault)
    return True


def _is_end_of_stream(error: Exception) -> bool:
    """Whether a read found the end, which is for the program to judge; a reset has a number."""
    return not error.args or error.args[0] == -1


def _gather(connection: Any, known: Endeavour, alert: Any) -> Failure:
    extra = known.generation.extra_authorities
    issuers = tuple(name.der() for name in connection.get_client_ca_list())
    return Failure(
        alert,
        datetime.now(timezone.utc),
        known.generation,
        known.decision,
        known.host,
        known.port,
        known.service,
        server_has_spoken=connection.get_cipher_name() is not None,
        # pyOpenSSL tells the issuers only, and not whether there was a request.
        request=CertificateRequest(0, issuers, frozenset()) if issuers else None,
        without_request="no issuer that pyOpenSSL tells of",
        has_own_certificate=known.has_own_certificate,
        trusted=describe_trust(known.decision, extra, None),
        verify_code=_verify_code(connection),
    )


def _verify_code(connection: Any) -> int:
    from OpenSSL._util import lib

    code: int = lib.SSL_get_verify_result(connection._ssl)
    return code
