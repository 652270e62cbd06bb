"""Whether a connection that a client keeps still presents what the running code is to present.

For clients without a pool that a hook knows: what they keep is one TLS connection object.
"""

from __future__ import annotations

import ssl

from ..decisions import in_force
from ..errors import MxcertError
from .attempt import Attempt
from .reuse import reuse_key_of


class KeptConnectionError(MxcertError, ssl.SSLError):
    """A request would go out on a connection that presents what another decision gave it.

    It is an ``ssl.SSLError`` so that clients treat it as what it is to them: no connection.
    """

    def __init__(self, host: str, reason: str) -> None:
        self.host, self.reason = host, reason
        super().__init__(
            1,
            f"the connection to {host} was opened for another service or under other settings, and "
            f"would present the wrong identity; a new one cannot take its place: {reason}. Close "
            "it first, or keep one connection for each service",
        )


def still_presents(attempt: Attempt | None, port: int | None, service: str | None) -> bool:
    """Whether a decision of now presents the same on a connection that is open.

    ``port`` is the one that it leads to, ``service`` what the request is for. One that was decided
    by nobody is left as it is.
    """
    generation = in_force.up_to_date()
    if attempt is None or generation is None:
        return True
    # As nearly every request: the same settings, and the same service.
    if attempt.generation is generation and attempt.service == service:
        return True
    decision = generation.policy.select(attempt.host, attempt.port or port, service)
    opened = reuse_key_of(attempt.generation, attempt.decision)
    return opened is reuse_key_of(generation, decision)
