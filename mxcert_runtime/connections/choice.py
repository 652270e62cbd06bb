"""Lets the CertificateRequest of a server choose among identities, or refuse the only one.

A connection listens for the request and takes the identity that fits it, after the server is
verified. Then it listens no more. Where none was asked for in the handshake, it goes on listening
only if the server may still ask: with TLS 1.2 (renegotiation, as IIS does it after it has seen the
path) and where the caller allows post-handshake authentication (RFC 8446, section 4.6.2).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TypeVar

from ..base import DEBUG, Host, logger as _logger
from ..contexts import Authenticating, IdentityRefusedError
from ..identity import Identity
from .plan import AskedConnection
from .request import (
    CertificateRequest,
    MalformedRequestError,
    choose,
    moment_of_choice,
    parse_request,
)

#: whatever an engine has for one
Context = TypeVar("Context")


def answer_request(
    identities: tuple[Identity, ...],
    attempt: AskedConnection,
    context_for: Callable[[Identity | None, int], ssl.SSLContext],
) -> Authenticating:
    """For a handover: the context of the identity that fits the request, or of none."""

    def authenticating(version: int, message: bytes | None) -> ssl.SSLContext:
        request = None if message is None else _parse(version, message)
        if request is None:
            return context_for(None, version)
        chosen = choose_context(
            request, identities, attempt.host, lambda each: (each, context_for(each, version))
        )
        identity, context = chosen or (None, context_for(None, version))
        attempt.note_choice(identity)
        return context

    return authenticating


def choose_context(
    request: CertificateRequest,
    identities: tuple[Identity, ...],
    host: Host | None,
    context_for: Callable[[Identity], Context],
) -> Context | None:
    """The context of the first identity that fits now, and that OpenSSL takes; else ``None``."""
    candidates, moment = identities, moment_of_choice(identities, datetime.now(timezone.utc))
    while True:
        chosen = _choose(request, candidates, host, moment)
        if chosen is None:
            return None
        try:
            return context_for(chosen)
        except IdentityRefusedError as error:
            _logger.warning("%s does not get an identity that fits it: %s", host, error)
        candidates = candidates[candidates.index(chosen) + 1 :]


def _choose(
    request: CertificateRequest,
    identities: tuple[Identity, ...],
    host: Host | None,
    moment: datetime | None,
) -> Identity | None:
    choice = choose(request, identities, moment)
    if _logger.isEnabledFor(DEBUG):
        _logger.debug(
            "%s asks for a certificate and gets %s (it accepts %s; what did not fit: %s)",
            host,
            choice.identity.name if choice.identity else "nothing",
            request.describe(),
            "; ".join(f"{name}: {reason}" for name, reason in choice.refused) or "none",
        )
    return choice.identity


def _parse(version: int, data: bytes) -> CertificateRequest | None:
    try:
        return parse_request(version, data)
    except MalformedRequestError:
        return None  # OpenSSL ends the handshake when it comes to it
