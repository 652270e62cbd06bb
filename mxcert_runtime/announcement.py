"""What the log says of a new connection, whichever engine makes it."""

from __future__ import annotations

import functools
import logging

from .policy import Decision

_logger = logging.getLogger("mxcert_runtime")


def announce(host: str | None, port: int | None, decision: Decision) -> None:
    """Say at level debug what a connection presents, and why."""
    _logger.debug("%s:%s presents %s", host, port, decision)


@functools.lru_cache(maxsize=256)
def warn_of_unknown_port(host: str | None) -> None:
    """Warn, once for each host, that its rules with a port do not apply."""
    _logger.warning(
        "the port of a connection to %s is not known, so its rules with a port do not apply; "
        "a rule without a port does",
        host,
    )
