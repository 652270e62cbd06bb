"""What a decision comes to where nobody sees the server's request, so that it cannot choose.

A client with TLS of its own answers the request by itself, with whatever it was given before.
"""

from __future__ import annotations

from datetime import datetime

from ..errors import MxcertError
from .policy import Choice, Decision, Withheld


class WithheldUnasked(Withheld):
    """Nothing is presented, since only the server's request could tell whether it may be."""


class WithheldFromLate(Withheld):
    """Nothing is presented, since the client verifies the server only when that has seen it."""


_WITHHELD = WithheldUnasked(
    choice=Choice.NONE,
    identity=None,
    candidates=(),
    rule=None,
    reason="no rule, and the client does not show the server's request, by which identities are "
    "offered",
    remedy="Give the hosts a rule that need an identity",
)


def decide_unasked(decision: Decision, moment: datetime) -> Decision:
    """The same without a choice of the server: one identity, or none.

    Raises :class:`~.errors.MxcertError` for a rule of several identities, of which not just one is
    valid then.
    """
    if decision.choice is not Choice.SERVER_REQUEST:
        return decision
    if decision.rule is None:
        return _WITHHELD
    valid = decision.valid_at(moment)
    if len(valid) == 1:
        return Decision.pinned(valid[0], decision.reason, decision.rule)
    names = ", ".join(repr(each.name) for each in valid) or "none that is valid now"
    raise MxcertError(
        f"by {decision.reason} ({names}), but this client has TLS of its own and does not show the "
        "request. Give the host an identity of one key, or use a client of Python's `ssl`"
    )


def withheld_from_late(decision: Decision, client: str, remedy: str) -> Decision:
    """Nothing, in the place of a decision that is for servers that were verified before."""
    return WithheldFromLate(
        choice=Choice.NONE,
        identity=None,
        candidates=(),
        rule=decision.rule,
        reason=f"{client} verifies a server after the handshake, when that has seen what is "
        f"presented, and require_verified_server keeps from it what there is: {decision.reason}",
        remedy=remedy,
    )
