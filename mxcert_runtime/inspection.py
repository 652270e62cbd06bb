"""Answers about what is in force, without any I/O: what is loaded, what an endpoint would get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from . import runtime
from .endpoint import parse_pattern
from .errors import HostNameError
from .identity import Identity
from .policy import Choice, Decision
from .scope import current_service

_DEFAULT_PORTS = {"https": 443, "wss": 443, "smtps": 465, "imaps": 993, "pop3s": 995, "ldaps": 636}


@dataclass(frozen=True)
class IdentitySummary:
    """What may be told of an identity; times are aware, in UTC, the fingerprint is SHA-256."""

    name: str
    subject: str
    issuer: str
    fingerprint: str
    key_type: str
    not_before: datetime
    not_after: datetime


def identities() -> tuple[IdentitySummary, ...]:
    """The identities that are loaded, in their order; none while nothing is activated."""
    generation = runtime.current
    return tuple(map(_summarize, generation.identities)) if generation else ()


def explain(target: str, service: str | None = None) -> Decision:
    """The decision for a URL, or for ``host`` or ``host:port``, with its reason; no I/O.

    Without ``service`` the one that the running code has named counts. Raises
    :class:`~.errors.HostNameError` where the target has no host.
    """
    host, port = _endpoint_of(target)
    generation = runtime.current
    if generation is None:
        return Decision(Choice.NONE, None, (), None, "nothing is activated")
    return generation.policy.select(host, port, service or current_service.get())


def _summarize(identity: Identity) -> IdentitySummary:
    return IdentitySummary(
        identity.name,
        identity.subject,
        identity.issuer,
        identity.fingerprint,
        identity.key_type,
        identity.not_before,
        identity.not_after,
    )


def _endpoint_of(target: str) -> tuple[str, int | None]:
    if "//" not in target:
        pattern = parse_pattern(target)
        return pattern.host, pattern.port
    parts, port, problem = None, None, "names no host"
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:
        problem = "names no host" if parts is None else "has no valid port"
        parts = None
    if parts is None or not parts.hostname:
        remedy = "Write a URL such as `https://api.example.com/`, or `host:port`"
        raise HostNameError(_without_user_information(target), problem, remedy)
    return parts.hostname, _DEFAULT_PORTS.get(parts.scheme) if port is None else port


def _without_user_information(target: str) -> str:
    """Before the `@` there may stand a password."""
    scheme, mark, rest = target.partition("//")
    return scheme + mark + rest.rpartition("@")[2]
