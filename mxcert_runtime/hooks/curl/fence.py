"""Keeps a transfer that presents an identity at the endpoints that are to have it.

libcurl follows redirects by itself, and before version 8.23 it presents there what its handle has.
``CONNECT_TO`` says where it connects for which endpoint, so that it can be sent nowhere for all
others, however it reads a URL: to the broadcast address, to which nobody can open a connection.
A proxy could say that it has one, so nothing is presented by way of any that nobody fences.
"""

from __future__ import annotations

from typing import NamedTuple

from ...base import canonical_host
from ...connections import Attempt
from .urls import Place

#: a line of ``CONNECT_TO`` for all endpoints: it can be connected to none
NOWHERE = "::255.255.255.255:1"
#: from here on libcurl presents a client certificate to the host and port of the URL alone
_KEEPS_TO_ITSELF = 8, 23


def could_present_elsewhere(
    attempt: Attempt, version: tuple[int, int], *, follows: bool, plain: bool
) -> bool:
    """Whether the identity of what was decided could reach another host than it is for.

    ``plain`` is whether the URL has certainly been read as libcurl reads it.
    """
    presents = attempt.decision.identity is not None and not attempt.plan.presents_own
    return presents and (not plain or (follows and version < _KEEPS_TO_ITSELF))


def could_trust_elsewhere(attempt: Attempt, *, follows: bool) -> bool:
    """Whether pinned CAs could verify another host, for which they are no trust."""
    return attempt.decision.authorities is not None and follows


def fence_of(attempt: Attempt, place: Place, own: list[str]) -> list[str]:
    """``CONNECT_TO`` for a transfer; ``own`` is the program's, which holds for its endpoints."""
    allowed = _allowed(attempt, place)
    of_program = [line for each in own for line in _restricted(each, allowed)]
    return [*of_program, *(each.itself() for each in allowed), NOWHERE]


def is_within(attempt: Attempt, place: Place, other: Place) -> bool:
    """Whether another endpoint is one that the fence lets through."""
    host = canonical_host(other.host)
    return any(
        canonical_host(each.host) == host and each.port in (None, other.port)
        for each in _allowed(attempt, place)
    )


class _Gate(NamedTuple):
    """An endpoint; without a port every port of the host."""

    host: str
    port: int | None

    def line(self, there: str) -> str:
        """Where libcurl connects for it."""
        return f"{self.host}:{self.port or ''}:{there}"

    def itself(self) -> str:
        """That it connects to itself."""
        return self.line(f"{self.host}:{self.port or ''}")


def _allowed(attempt: Attempt, place: Place) -> list[_Gate]:
    """The endpoint, and those that rules by exact name give the very same."""
    policy, service = attempt.generation.policy, attempt.service
    wanted = policy.select(*place, service).reuse_key
    names = [each for each in policy.hosts if not each.wildcard]
    gates = [_Gate(_bracketed(each.host), each.port) for each in names]
    own = _Gate(place.host, place.port if policy.port_matters(place.host) else None)
    return [own, *(each for each in gates if policy.select(*each, service).reuse_key == wanted)]


def _restricted(line: str, allowed: list[_Gate]) -> list[str]:
    """A line of the program's for each allowed endpoint that it is for."""
    host, port, there = _split(line)
    return [
        _Gate(each.host, each.port or int(port or 0) or None).line(there)
        for each in allowed
        if host in ("", each.host.lower()) and (each.port is None or port in ("", str(each.port)))
    ]


def _split(line: str) -> tuple[str, str, str]:
    """Host, port, and where to connect; the host may be an address in brackets."""
    end = line.index("]") + 1 if line.startswith("[") and "]" in line else line.find(":")
    port, _, there = line[end + 1 :].partition(":")
    return line[: max(end, 0)].lower(), port, there


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
