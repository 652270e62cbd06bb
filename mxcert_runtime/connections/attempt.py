"""One connection that a client begins: decided, counted, logged and warned of alike for any engine.

An engine is a TLS library. It tells what only it can tell of its connections (:class:`Engine`, and
:class:`Facts` where one fails); what follows from that stands here, and once. Where engines differ
all the same is listed in :mod:`.hooks.differences`.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..base import DEBUG, Host, dataclass, logger as _logger
from ..contexts import shared_contexts
from ..decisions import Decision, Generation
from ..identity import Identity
from ..monitoring import count_failure, look_if_due
from .announcement import OWN_CERTIFICATE, announce, warn_of_unknowns
from .dialled_sockets import port_of_socket
from .endpoint import Asked
from .plan import Plan, tally_of
from .request import CertificateRequest
from .reuse import SessionMark
from .verification import Verification


class Engine(Protocol):
    """How one TLS library does for connections of a caller's context what is decided of them."""

    def recall(self, generation: Generation, asked: Asked, context: Any) -> Plan | None:
        """What an earlier connection of the context came to, if that still holds."""

    def plan(self, generation: Generation, decision: Decision, asked: Asked, context: Any) -> Plan:
        """What a connection takes, and when.

        Raises :class:`~.errors.MxcertError` where the decision cannot be carried out.
        """


#: the kind of failure of a connection that its server ended before it had said anything
CLOSED_WITHOUT_ANSWER = "closed-without-answer"

_NOT, _AS_NOTHING, _AS_DECIDED = "not yet", "as nothing", "as decided"


class Attempt:
    """What one connection is for, by which decision, and how far it has been told of."""

    __slots__ = ("asked", "context", "counted", "is_told", "plan")

    def __init__(self, plan: Plan, asked: Asked, context: Any) -> None:
        self.plan = plan
        self.asked = asked
        #: the caller's
        self.context = context
        #: whether warnings and the log have been told
        self.is_told = False
        #: as what it has been counted
        self.counted = _NOT

    @property
    def host(self) -> Host | None:
        """What the connection verifies, or dials."""
        return self.asked[0]

    @property
    def port(self) -> int | None:
        """``None`` where none matters to the decision, or nobody knows it."""
        return self.asked[1]

    @property
    def service(self) -> str | None:
        """What the running code named."""
        return self.asked[2]

    @property
    def decision(self) -> Decision:
        """What the policy decided."""
        return self.plan.decision

    @property
    def generation(self) -> Generation:
        """The settings that were in force."""
        return self.plan.generation

    @property
    def mark(self) -> SessionMark | None:
        """What a session must have been made under to be resumed; ``None``: as without us."""
        return None if self.plan.mark is None else (self.plan.mark, self.asked[0])

    def start(self, socket: Any = None) -> None:
        """Count the connection, warn of what is not known of it, and log it; all of it once.

        ``socket`` is what tells the port, for the log, where nobody had to know it before.
        """
        plan = self.plan
        if self.counted is _NOT and plan.count is not None:
            plan.count()
            self.counted = _AS_DECIDED
        if self.is_told:
            return
        self.is_told = True
        if plan.may_be_uncertain:
            host, port, _ = self.asked
            warn_of_unknowns(plan.generation.policy, host, port, plan.decision)
        if _logger.isEnabledFor(DEBUG):
            self._announce(socket)

    def _announce(self, socket: Any) -> None:
        host, port, _ = self.asked
        presented = OWN_CERTIFICATE if self.plan.presents_own else self.plan.decision
        announce(host, port or port_of_socket(socket, host), presented)

    def step(self) -> None:
        """Take a step of the handshake; it is slow anyway, so that the housekeeping may look."""
        look_if_due()

    def take_key_anew(self) -> tuple[Identity, ...]:
        """Let no later connection go by a key as it was taken for this one, which did not sign.

        A token that was away knows nothing of what it gave before. Returns whose key it may be.
        """
        if self.plan.presents_own:
            return ()
        decided = self.decision.identity
        identities = self.generation.identities if decided is None else (decided,)
        shared_contexts.let_go(identities)
        return identities

    def note_choice(self, identity: Identity | None) -> None:
        """Count a connection by what the server's request has chosen.

        It counts once; one that is asked later, after a handshake without a request, once more.
        """
        if self.counted is _AS_DECIDED or (identity is None and self.counted is _AS_NOTHING):
            return
        self.counted = _AS_NOTHING if identity is None else _AS_DECIDED
        tally_of(self.plan.decision, identity).add()

    def end_handshake(self) -> None:
        """Count a connection whose server has not asked as one that presents nothing."""
        if self.counted is _NOT:
            self.note_choice(None)

    def is_alike(self, other: Attempt | None) -> bool:
        """Whether another one is for the same, by the same decision and the same context."""
        if other is None:
            return False
        return self._substance() == other._substance()

    def _substance(self) -> tuple[object, ...]:
        plan = self.plan
        return plan.generation, plan.decision, plan.presents_own, self.asked, id(self.context)

    def succeed(self, other: Attempt) -> None:
        """Take the place of one that knew less of the same connection, which counts once."""
        self.counted = other.counted
        # What was told before its name was known is told again.
        self.is_told = other.is_told and other.host == self.host


@dataclass(frozen=True)
class Facts:
    """What only an engine can tell of a connection that failed."""

    #: whether the server had chosen a cipher, and so had begun to speak TLS
    server_has_spoken: bool
    request: CertificateRequest | None
    #: why ``request`` is not known
    without_request: str
    #: what verified the server, and why
    verification: Verification
    port: int | None
    #: whether the client said to TLS which host it means
    is_named: bool = True
    #: OpenSSL's, where the server's certificate was refused; ``None``: not known
    verify_code: int | None = None


def begin(generation: Generation, asked: Asked, context: Any, engine: Engine) -> Attempt:
    """Decide about a new connection of a caller's context.

    Raises :class:`~.errors.MxcertError` where an engine cannot do what is decided.
    """
    plan = engine.recall(generation, asked, context)
    if plan is None:
        plan = engine.plan(generation, generation.policy.select(*asked), asked, context)
    return Attempt(plan, asked, context)


def count_silent_end() -> None:
    """Count a connection of TLS 1.3 that its server ended before it had said anything.

    Some servers refuse a client certificate in this way, and to others there was nothing to say:
    it is for whoever looks at the numbers to judge, and no error.
    """
    count_failure(CLOSED_WITHOUT_ANSWER)
