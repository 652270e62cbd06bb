"""What verifies the server of a connection, and why: one answer for all who plan, note or probe.

It is one of two. A rule may pin CAs, which verify alone. Else it is what the program loaded into
its context, and the extra CAs of the settings with it where that is default trust. Where nobody can
tell what a context holds, nothing is added: to guess would be to trust more.
"""

from __future__ import annotations

import functools
from dataclasses import field
from typing import Protocol

from ..base import dataclass
from ..contexts import DefaultPathsLoad, DirectoryLoad, FileLoad, Load, Trust, data_load
from ..decisions import Decision, Generation
from ..identity import Authorities


class Held(Protocol):
    """What a program's context was told to trust, as its engine has written it down."""

    @property
    def complete(self) -> bool:
        """Whether ``trust`` is all that it trusts."""

    @property
    def trust(self) -> Trust:
        """The loads that were seen."""

    @property
    def default_trust(self) -> bool:
        """Whether it was made with default trust, by whatever loads."""


@dataclass(frozen=True)
class Holding:
    """A :class:`Held` by itself."""

    complete: bool = True
    trust: Trust = field(default_factory=Trust)
    default_trust: bool = False
    #: whether the program may have put more into it, past what is seen
    has_more: bool = False


#: of a context that is older than the hooks, and of one that holds default trust and no more
UNKNOWN, DEFAULT = Holding(complete=False), Holding(default_trust=True)


@dataclass(frozen=True)
class Verification:
    """What verifies, of the settings and of the program."""

    pinned: Authorities | None
    #: the extra CAs of the settings; whether they count, :attr:`added` says
    extra: Authorities | None
    held: Held

    @property
    def is_known(self) -> bool:
        """Whether anybody can tell all that is trusted."""
        return self.pinned is not None or self.held.complete

    @property
    def added(self) -> Authorities | None:
        """The extra CAs, where they count."""
        return joining(self.extra, self.held) if self.pinned is None else None

    @property
    def of_settings(self) -> Authorities | None:
        """What the settings have a part in."""
        return self.pinned or self.added

    @functools.cached_property
    def trust(self) -> Trust | None:
        """All that is trusted; ``None`` where only the program's context itself can tell."""
        if self.pinned is not None:
            return Trust((data_load(self.pinned.pem),))
        if not self.held.complete:
            return None
        trust = self.held.trust
        return trust if self.added is None else trust.plus(data_load(self.added.pem))

    def __str__(self) -> str:
        if self.pinned is not None:
            return f"the pinned CAs of the rule ({_names(self.pinned)})"
        loaded = _describe_held(self.held)
        if self.extra is None:
            return loaded
        extra = f"the extra CAs ({_names(self.extra)})"
        if self.added is not None:
            return f"{loaded}, and {extra}"
        if self.held.complete:
            return f"{loaded}; {extra} count with default trust only"
        return f"{loaded}; {extra} do not count for it"


def verification_of(generation: Generation, decision: Decision, held: Held | None) -> Verification:
    """What verifies a connection of a context; ``None``: nobody knows anything of that."""
    return Verification(decision.authorities, generation.extra_authorities, held or UNKNOWN)


def joining(extra: Authorities | None, held: Held) -> Authorities | None:
    """The extra CAs of the settings, where they join what a context holds."""
    is_default = held.default_trust or held.trust.is_default
    return extra if held.complete and is_default else None


def why_extra_do_not_count(extra: Authorities) -> str:
    """What to say, once for each context, where nobody can tell whether it has default trust."""
    return (
        "an SSL context is older than mxcert_runtime, or a file that it loaded has changed, so "
        f"nobody can tell whether it has default trust: the extra CAs ({_names(extra)}) do not "
        "count for it. Import mxcert_runtime before the context is made"
    )


def _names(authorities: Authorities) -> str:
    return ", ".join(authorities.sources)


def _describe_held(held: Held) -> str:
    if not held.complete:
        return "what the program's SSL context holds, which nobody can tell"
    loads = [_describe(load) for load in held.trust.loads]
    if held.default_trust and not loads:
        loads = ["default trust"]
    if isinstance(held, Holding) and held.has_more:
        loads.append("what it put into the store itself")
    words = ", ".join(loads) or "nothing"
    return words if held is DEFAULT else f"what the program loaded: {words}"


def _describe(load: Load) -> str:
    if isinstance(load, FileLoad):
        return load.path
    if isinstance(load, DirectoryLoad):
        return f"the directory {load.paths}"
    if isinstance(load, DefaultPathsLoad):
        return "the platform's default paths"
    return "certificates given as data"
