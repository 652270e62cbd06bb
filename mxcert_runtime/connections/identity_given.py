"""Which identity a library with TLS of its own gets, and which CAs verify its server.

Nobody sees the server's request there, so an identity is given by a rule or by its name, and never
offered. Whatever is in doubt is an error that says which rule would give it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone

from ..base import NearWords, dataclass
from ..decisions import Decision, Generation, Withheld, in_force
from ..decisions.current_service import current_service
from ..errors import NoIdentityError
from ..identity import DATES_REMEDY, Authorities, Identity, Validity, examine_dates
from ..settings import ExpiredIdentities
from .endpoint import Asked
from .plan import tally_of

#: a URL, or a name with its port; an IPv6 address has several colons
_HAS_MORE = re.compile(r"/|\A[^:]*:[0-9]*\Z|\]:")
_SAY_THE_PORT = "Say which it connects to: `material(host=..., port=...)`"


@dataclass(frozen=True, eq=False)
class Given:
    """An identity with what verifies servers beside it, and why it is given, for the log."""

    identity: Identity
    #: CAs that count alone
    pinned: Authorities | None
    #: CAs that join default trust
    extra: Authorities | None
    reason: str

    def __str__(self) -> str:
        return f"{self.identity.name!r} for {self.reason}"


def given_to_endpoint(asked: Asked, name: str | None) -> Given:
    """What the rules give an endpoint; ``name`` chooses, where that is several identities.

    Raises :class:`~.errors.NoIdentityError`.
    """
    host, port, service = asked
    if isinstance(host, str) and _HAS_MORE.search(host):
        shown = host.rpartition("@")[2]  # what is before it may be a password
        raise NoIdentityError(f"{shown!r} is more than the name of a host", _SAY_THE_PORT)
    generation = _generation()
    decision = generation.policy.select(host, port, service or current_service.get())
    where = f"{host}:{port}" if port is not None else f"{host}"
    if port is None and decision.rule is None and generation.policy.port_matters(host):
        raise NoIdentityError(f"the rules of {host} are for single ports", _SAY_THE_PORT)
    identity = _choose(decision, name, where)
    _refuse_by_dates(generation, identity)
    tally_of(decision, identity).add()
    reason = f"{where}, by {decision.reason}"
    return Given(identity, decision.authorities, generation.extra_authorities, reason)


def given_by_name(name: str) -> Given:
    """The identity that the settings call so; raises :class:`~.errors.NoIdentityError`."""
    generation = _generation()
    identity = _named(name, generation.identities, "the settings have")
    _refuse_by_dates(generation, identity)
    pinned = _pinned_of(generation, identity)
    reason = "whatever the program connects to: it is asked for by its name"
    return Given(identity, pinned, generation.extra_authorities, reason)


def _generation() -> Generation:
    generation = in_force.up_to_date()
    if generation is None:
        remedy = "Give mxcert_runtime its settings, and import it before, or call `activate`"
        raise NoIdentityError("nothing is activated, so there is no identity", remedy)
    return generation


def _choose(decision: Decision, name: str | None, where: str) -> Identity:
    if decision.rule is None or not decision.presentable:
        raise NoIdentityError(*_why_none(decision, where))
    if name is not None:
        return _named(name, decision.presentable, f"the rules give {where}")
    if decision.identity is not None:
        return decision.identity
    valid = decision.valid_at(datetime.now(timezone.utc))
    if len(valid) == 1:
        return valid[0]
    names = ", ".join(repr(each.name) for each in decision.candidates)
    raise NoIdentityError(
        f"by {decision.reason} ({names}), and nobody sees the request of {where} here",
        "Name one of them beside the host: `material(name, host=...)`",
    )


def _why_none(decision: Decision, where: str) -> tuple[str, str]:
    if isinstance(decision, Withheld):
        return f"nothing is given to {where}: {decision.reason}", decision.remedy
    if decision.rule is not None:
        message = f"{where} gets no identity, by {decision.reason}"
        return message, "Change that rule, or connect without an identity"
    message = (
        f"{where} has no rule that gives it an identity, and only servers whose request is seen"
        f" are offered one ({decision.reason})"
    )
    return message, f'Give it one: `hosts = ["{where}"]` in the entry of the identity'


def _named(name: str, identities: Iterable[Identity], whose: str) -> Identity:
    names = {each.name: each for each in identities}
    if name in names:
        return names[name]
    listed = ", ".join(map(repr, names)) or "none"
    near = NearWords().nearest(name, names)
    remedy = f"Did you mean {near!r}" if near else "Name one of these; a host goes by `host=`"
    raise NoIdentityError(f"{whose} no identity {name!r}, but {listed}", remedy)


def _refuse_by_dates(generation: Generation, identity: Identity) -> None:
    """Outside its validity it is refused where the settings refuse such at their activation."""
    if generation.settings.expired_identities is not ExpiredIdentities.REFUSE:
        return
    problem = examine_dates(identity, datetime.now(timezone.utc))
    if problem is not None and problem.validity is not Validity.VALID:
        why = f'{problem.fault.problem}, and expired_identities = "refuse"'
        raise NoIdentityError(why, DATES_REMEDY)


def _pinned_of(generation: Generation, identity: Identity) -> Authorities | None:
    """The CAs of the entry that an identity is of."""
    entries = (name for name, given in generation.entries.items() if identity in given)
    return next((generation.pinned.get(name) for name in entries), None)
