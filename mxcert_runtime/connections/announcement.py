"""What the log says of a new connection, whichever engine makes it."""

from __future__ import annotations

import functools

from ..base import Host, logger as _logger
from ..decisions import (
    WITHHELD_FROM_UNNAMED,
    Decision,
    Policy,
    WithheldFromLate,
    WithheldFromUnverified,
    WithheldUnasked,
)

#: what stands in the place of a decision where the program authenticates itself
OWN_CERTIFICATE = "the program's own certificate"


def announce(host: Host | None, port: int | None, presented: object) -> None:
    """Say at level debug what a connection presents: a decision says why."""
    _logger.debug("%s:%s presents %s", host, port, presented)


def warn_of_unknowns(
    policy: Policy, host: Host | None, port: int | None, decision: Decision
) -> None:
    """Warn of what is not known of a connection, where it changes what is presented."""
    if port is None and policy.port_matters(host):
        _warn_of_unknown_port(host)
    if isinstance(decision, WithheldFromUnverified):
        _warn_of_unverified_server(host, port, decision.remedy)
    if isinstance(decision, WithheldFromLate):
        _warn_of_late_verification(host, decision.remedy)
    if decision is WITHHELD_FROM_UNNAMED:
        _warn_of_unnamed_host(host, port)
    if isinstance(decision, WithheldUnasked):
        _warn_of_unseen_requests(str(host), decision.remedy)


@functools.lru_cache(maxsize=256)
def _warn_of_unknown_port(host: Host | None) -> None:
    """Warn, once for each host, that its rules with a port do not apply."""
    _logger.warning(
        "the port of a connection to %s is not known, so its rules with a port do not apply; a "
        "rule without a port does, unless one with a port gives less. Give the host a rule without "
        "a port, if what it presents may be the same on every port",
        host,
    )


@functools.lru_cache(maxsize=256)
def _warn_of_unverified_server(host: Host | None, port: int | None, remedy: str) -> None:
    """Warn, once for each peer, that it is not verified and gets nothing."""
    _logger.warning(
        "a connection to %s does not verify its server, so nothing is presented. %s",
        host if port is None else f"{host} on port {port}",
        remedy,
    )


@functools.lru_cache(maxsize=256)
def _warn_of_unnamed_host(host: Host | None, port: int | None) -> None:
    """Warn, once for each peer, that no rule by name can apply to it."""
    _logger.warning(
        "the client of a connection to %s names no host, so no rule by name can apply, and nothing "
        "is presented. %s",
        host if port is None else f"{host} on port {port}",
        WITHHELD_FROM_UNNAMED.remedy,
    )


@functools.lru_cache(maxsize=256)
def _warn_of_late_verification(host: Host | None, remedy: str) -> None:
    """Warn, once for each host, that its server would see an identity before it is verified."""
    _logger.warning(
        "a connection to %s would verify its server when that has seen the identity, so nothing is "
        "presented. %s",
        host,
        remedy,
    )


_warned_of_unseen: set[str] = set()


def _warn_of_unseen_requests(host: str, remedy: str) -> None:
    """Warn, once in all, that servers cannot choose; a line for each host is in the debug log."""
    if _warned_of_unseen:
        return
    _warned_of_unseen.add(host)
    _logger.warning(
        "a connection to %s presents nothing, and so do all to hosts without a rule that clients "
        "with TLS of their own (grpc, pycurl) open: they do not show the server's request, by "
        "which identities are offered. %s",
        host,
        remedy,
    )
