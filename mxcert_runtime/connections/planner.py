"""Works out what connections of a context have to do, once for each decision and context.

A connection has up to two contexts: one that verifies the server, and one that authenticates the
client. Each is an identity context, or the caller's own; where one identity context can be both,
the connection takes it at its creation and nothing is left to do in the handshake.

Only the caller's context knows what a CA directory has lent it: OpenSSL looks into the directory at
each verification and keeps what it finds. Such trust is therefore never shared between contexts.
"""

from __future__ import annotations

import ssl
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..base import TLS_1_3, dataclass, logger as _logger
from ..contexts import (
    Authenticating,
    Blueprint,
    ContextRecord,
    Handover,
    MessageCallback,
    Trust,
    TrustChangedError,
    listener_calling,
    shared_contexts,
)
from ..contexts.ledger import ledger
from ..decisions import Choice, Decision, Generation
from ..errors import MxcertError
from ..identity import Identity
from .choice import answer_request
from .plan import AskedConnection, MakeHandover, Plan, count_of
from .reuse import ReuseKey, key_of_sessions
from .verification import verification_of, why_extra_do_not_count


class UnknownSecurityLevelError(MxcertError, ssl.SSLError):
    """Nobody can tell how strictly a context verifies, so nothing may verify in its place."""

    def __init__(self, authority_sources: tuple[str, ...]) -> None:
        text = (
            f"the CAs {', '.join(authority_sources)} are pinned for this host, but its "
            "SSL context is older than mxcert_runtime and Python 3.9 does not tell its security "
            "level. Import mxcert_runtime before the context is made"
        )
        super().__init__(1, text)


@dataclass(frozen=True)
class ConnectionPlanner:
    """Makes the plan for one decision and one state of a caller's context."""

    generation: Generation
    #: weak, since plans live on the context's record: it must go when its caller drops it
    reference: weakref.ref[ssl.SSLContext]
    record: ContextRecord
    decision: Decision
    verify_mode: int
    key_log: str | None
    callback: MessageCallback

    @property
    def context(self) -> ssl.SSLContext:
        """The caller's; a connection that is being made keeps it alive."""
        context = self.reference()
        assert context is not None  # noqa: S101 - as the docstring says
        return context

    def plan(self) -> Plan:
        """What the connection does."""
        return self._plan_by(ConnectionPlanner._plan_with)

    def plan_observed(self) -> Plan:
        """What the connection does where the server's request is to be seen."""
        return self._plan_by(ConnectionPlanner._plan_listening)

    def _plan_by(self, make: Callable[[ConnectionPlanner, Trust | None], Plan]) -> Plan:
        if self.record.pending and self._needs_callers_store():
            ledger.finish_loads(self.context)
            return self._knowing(pending=())._plan_by(make)
        trust = self._find_trust()
        # Planned again, it loads by itself: there may be more trusts than are kept.
        self.record.hints.is_kept = self.record.hints.is_kept or bool(self.record.pending)
        try:
            plan = make(self, trust)
        except TrustChangedError:
            ledger.mark_incomplete(self.context)
            return self._knowing(complete=False)._plan_by(make)
        is_passing = trust is not None and trust.directories is not None
        return replace(plan, is_passing=True) if is_passing else plan

    def _knowing(self, **facts: Any) -> ConnectionPlanner:
        return replace(self, record=self.record.changed(**facts))

    def _needs_callers_store(self) -> bool:
        """Whether the caller's context has to verify, or gives the certificates of a chain."""
        record = self.record
        if record.credentials or not record.complete:
            return True
        # A key log may not be opened again.
        if self.key_log is not None and self.decision.choice is Choice.NONE:
            return True
        # What directories hold is only looked up for a context of one connection.
        return record.hints.is_kept and (
            record.trust.has_directories or self.decision.choice is Choice.NONE
        )

    def _plan_with(self, trust: Trust | None) -> Plan:
        if self.record.credentials:
            return self._plan_with_credentials(trust)
        if self.decision.choice is Choice.SERVER_REQUEST:
            return self._plan_for_request(trust)
        return self._plan_for_identity(self.decision.identity, trust)

    def _plan_listening(self, trust: Trust | None) -> Plan:
        identity = self.decision.identity
        if self.record.credentials or self.decision.choice is Choice.SERVER_REQUEST:
            return self._plan_with(trust)
        if identity is not None:
            return self._plan_late(identity, trust)
        listening = self._make_listening(trust)
        return self._plan_handover(trust, lambda *_: listening or self.context)

    def _plan_for_identity(self, identity: Identity | None, trust: Trust | None) -> Plan:
        if identity is None and self._callers_will_do(trust):
            return self._new_plan()
        if trust is not None and self._may_hold(identity, trust):
            context = self._make(identity, trust, self.callback)
            as_callers = identity is None and self._is_callers(trust)
            return self._new_plan(at_creation=context, mark=None if as_callers else self._mark())
        return self._plan_late(identity, trust)

    def _plan_late(self, identity: Identity | None, trust: Trust | None) -> Plan:
        # Made now: a refusal in the middle of the handshake would come too late to end it.
        self._make_late(identity, TLS_1_3)

        def authenticating(version: int, request: bytes | None) -> ssl.SSLContext:
            return self._make_late(identity, version)

        return self._plan_handover(trust, authenticating)

    def _plan_with_credentials(self, trust: Trust | None) -> Plan:
        """Another trust for a caller that authenticates itself: its context is the second."""
        if trust is None or self._is_callers(trust):
            return self._new_plan()
        plan = self._plan_handover(trust, lambda version, request: self.context)
        # The connection goes on with the caller's context, and goes back at its end (TLS 1.2).
        return replace(plan, listens_on_caller=True)

    def _plan_for_request(self, trust: Trust | None) -> Plan:
        listening = self._make_listening(trust)
        # A plan is not used any more when one of them is let go.
        known: dict[Identity | None, ssl.SSLContext] = {}

        def context_for(identity: Identity | None, version: int) -> ssl.SSLContext:
            held = known.get(identity)
            if held is None and trust is not None:
                held = self._hold(identity, trust)
                if held is not None:
                    known[identity] = held
            if held is None and identity is None:
                return listening or self.context
            return held or self._make_late(identity, version)

        def handover(attempt: AskedConnection, may_ask_later: bool) -> Handover:
            answering = answer_request(self.decision.candidates, attempt, context_for)
            return Handover(answering, listening or self.context, may_ask_later=may_ask_later)

        return self._plan_with_handover(listening, handover)

    def _plan_handover(self, trust: Trust | None, authenticating: Authenticating) -> Plan:
        listening = self._make_listening(trust)

        def handover(attempt: AskedConnection, may_ask_later: bool) -> Handover:
            return Handover(authenticating, listening or self.context)

        return self._plan_with_handover(listening, handover)

    def _plan_with_handover(
        self,
        listening: ssl.SSLContext | None,
        handover: MakeHandover,
    ) -> Plan:
        return self._new_plan(
            at_creation=listening,
            handover=handover,
            listens_on_caller=listening is None,
            mark=self._mark(),
        )

    def _new_plan(self, **parts: Any) -> Plan:
        decision, presents_own = self.decision, self.record.credentials
        count = count_of(decision, presents_own=presents_own)
        return Plan(self.generation, decision, count, presents_own=presents_own, **parts)

    def _find_trust(self) -> Trust | None:
        """The trust for contexts of ours; ``None`` where the caller's context has to verify."""
        verification = verification_of(self.generation, self.decision, self.record)
        if verification.pinned is not None:
            if not self.record.knows_security_level:
                raise UnknownSecurityLevelError(verification.pinned.sources)
            return verification.trust
        trust, own = verification.trust, self.record.trust
        if trust is None:
            self._warn_of_extra_authorities()
            return None
        # What a directory holds, loaded past every hook, would not show; here it is for nothing.
        trusts_nobody = not own.loads and not self.record.default_trust
        if trusts_nobody and self.verify_mode != ssl.CERT_NONE:
            return None
        if trust.is_shareable:
            return trust
        if self.record.pending:
            return trust.as_of_now()
        return None if trust is own else trust

    def _warn_of_extra_authorities(self) -> None:
        """Say once that the extra authorities do not count for a context of unknown trust."""
        extra = self.generation.extra_authorities
        if extra is None or self.record.hints.is_warned_of or self.record.changes:
            return
        self.record.hints.is_warned_of = True
        _logger.warning("%s", why_extra_do_not_count(extra))

    def _is_callers(self, trust: Trust) -> bool:
        return trust.loads == self.record.trust.loads

    def _callers_will_do(self, trust: Trust | None) -> bool:
        """Whether a connection without identity stays as the caller made it."""
        return trust is None or (self._is_callers(trust) and not self.record.pending)

    def _mark(self) -> ReuseKey:
        return key_of_sessions(self.generation, self.decision)

    def _make_late(self, identity: Identity | None, version: int) -> ssl.SSLContext:
        """The context after the caller's own has verified; it listens where that comes again."""
        if identity is None:
            return self.context
        comes_again = version != TLS_1_3
        callback = listener_calling(self.callback) if comes_again else self.callback
        return self._make(identity, None, callback)

    def _make_listening(self, trust: Trust | None) -> ssl.SSLContext | None:
        if trust is None:
            return None
        return self._make(None, trust, listener_calling(self.callback))

    def _may_hold(self, identity: Identity | None, trust: Trust) -> bool:
        blueprint = self._blueprint(identity, trust, self.callback)
        return identity is None or shared_contexts.may_hold(blueprint)

    def _hold(self, identity: Identity | None, trust: Trust) -> ssl.SSLContext | None:
        """A context with identity and trust, unless the trust is gone or there are enough."""
        try:
            may_hold = self._may_hold(identity, trust)
            return self._make(identity, trust, self.callback) if may_hold else None
        except TrustChangedError:
            return None

    def _make(
        self, identity: Identity | None, trust: Trust | None, callback: MessageCallback
    ) -> ssl.SSLContext:
        blueprint = self._blueprint(identity, trust, callback)
        if trust is not None and not trust.is_shareable:
            return shared_contexts.make_unshared(blueprint)
        return shared_contexts.get(blueprint)

    def _blueprint(
        self, identity: Identity | None, trust: Trust | None, callback: MessageCallback
    ) -> Blueprint:
        return Blueprint(
            identity=identity,
            trust=trust,
            ciphers=self.record.ciphers,
            offers=self.record.offers,
            verify_mode=self.verify_mode,
            key_log=self.key_log,
            message_callback=callback,
        )
