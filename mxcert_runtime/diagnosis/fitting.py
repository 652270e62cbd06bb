"""Which identity would have fitted what a server asked for, and how settings give it to a host."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import Host, OriginKind
from ..identity import Identity

#: Identities that are listed; some settings have hundreds.
_LISTED = 8


def which_would_fit(judged: Sequence[tuple[Identity, str | None]], host: Host | None) -> str:
    """A remedy, from every identity with why it does not fit the request (``None``: it does)."""
    fitting = [identity for identity, misfit in judged if misfit is None]
    if not fitting:
        reasons = "; ".join(f"`{each.name}`: {misfit}" for each, misfit in judged[:_LISTED])
        return f"No identity fits what the server asks for ({reasons}): add one that does"
    names = ", ".join(f"`{each.name}`" for each in fitting[:_LISTED])
    chosen = "" if len(fitting) == 1 else "choose the one that is meant; for the first, "
    return f"What fits is {names}: {chosen}{_way_to_give(host, fitting[0])}"


def _way_to_give(host: Host | None, identity: Identity) -> str:
    """How the settings that have the identity say that a host gets it."""
    kind = identity.origin.kind
    if kind is OriginKind.INLINE:
        entry = f"`{host}` to its `pin_to`"
    elif kind is OriginKind.FAMILY:
        entry = f"`{host}` with its path to `ClientCertificateUsages`"
    else:
        entry = f"`{host}` to its `hosts`"
    return f"add {entry} ({identity.origin})"
