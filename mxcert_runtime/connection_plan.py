"""What a new connection of a context has to do, worked out once for each decision and context.

A connection has up to two contexts: one that verifies the server, and one that authenticates the
client. Each is an identity context, or the caller's own; where one identity context can be both,
the connection takes it at its creation and nothing is left to do in the handshake.

Only the caller's context knows what a CA directory has lent it: OpenSSL looks into the directory at
each verification and keeps what it finds. Such trust is therefore never shared between contexts.
"""

from __future__ import annotations

import logging
import ssl
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from .context_record import ContextRecord
from .errors import MxcertError
from .identity import Identity
from .identity_context import Blueprint
from .late_context import (
    TLS_1_3,
    Authenticating,
    Handover,
    MessageCallback,
    listener_calling,
    message_callback_of,
)
from .native_ssl import NativeContext
from .policy import Choice, Decision
from .runtime import Generation
from .server_request import answer_request
from .trust import Trust, TrustChangedError, data_load

_logger = logging.getLogger("mxcert_runtime")


class UnknownSecurityLevelError(MxcertError, ssl.SSLError):
    """Nobody can tell how strictly a context verifies, so nothing may verify in its place."""

    def __init__(self, authority_sources: tuple[str, ...]) -> None:
        text = (
            f"the authorities {', '.join(authority_sources)} alone count for this host, but its "
            "SSL context is older than mxcert_runtime and Python 3.9 does not tell its security "
            "level. Import mxcert_runtime before the context is made"
        )
        super().__init__(1, text)


@dataclass(frozen=True)
class Plan:
    """What a connection takes at its creation, and in its handshake. Nothing: it stays as it is."""

    at_creation: ssl.SSLContext | None = None
    #: makes the handover for a host; the flag is whether the server may ask after the handshake
    handover: Callable[[str | None, bool], Handover] | None = None
    listens_on_caller: bool = False
    #: what a session must have been made under to be resumed; see `hooks.ssl_sessions`
    mark: object = None


#: the connection stays as the caller made it
AS_IT_IS = Plan()


def plan_connection(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, decision: Decision
) -> Plan:
    """The plan for a connection of ``context``.

    Raises :class:`~.identity_context.IdentityRefusedError` where OpenSSL refuses the identity, and
    :class:`UnknownSecurityLevelError`.
    """
    validity = generation, generation.contexts.evictions
    if record.validity != validity:
        record.validity, record.plans = validity, {}
    # None of these tells when it is changed, so they are looked at each time.
    verify_mode = NativeContext.verify_mode.__get__(context)
    key = decision, verify_mode, context.keylog_filename, message_callback_of(context)
    plan: Plan | None = record.plans.get(key)
    if plan is None:
        planner = _Planner(generation, weakref.ref(context), record, *key)
        plan = record.plans[key] = planner.plan()
    return plan


@dataclass(frozen=True)
class _Planner:
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
        assert context is not None  # noqa: S101 - see above
        return context

    def plan(self) -> Plan:
        trust = self._find_trust()
        try:
            if self.record.credentials:
                return self._plan_with_credentials(trust)
            if self.decision.choice is Choice.SERVER_REQUEST:
                return self._plan_for_request(trust)
            return self._plan_for_identity(self.decision.identity, trust)
        except TrustChangedError:
            # From now on only the context itself can say what it trusts.
            self.record.complete = False
            return self.plan()

    def _plan_for_identity(self, identity: Identity | None, trust: Trust | None) -> Plan:
        if identity is None and self._is_callers(trust):
            return AS_IT_IS
        if trust is not None:
            context = self._make(identity, trust, self.callback)
            return Plan(at_creation=context, mark=self._mark())

        # Made now: a refusal in the middle of the handshake would come too late to end it.
        self._make_late(identity, TLS_1_3)

        def authenticating(version: int, request: bytes | None) -> ssl.SSLContext:
            return self._make_late(identity, version)

        return self._plan_handover(None, authenticating)

    def _plan_with_credentials(self, trust: Trust | None) -> Plan:
        """Another trust for a caller that authenticates itself: its context is the second."""
        if trust is None or self._is_callers(trust):
            return AS_IT_IS
        return self._plan_handover(trust, lambda version, request: self.context)

    def _plan_for_request(self, trust: Trust | None) -> Plan:
        def context_for(identity: Identity | None, version: int) -> ssl.SSLContext:
            if trust is None:
                return self._make_late(identity, version)
            return self._make(identity, trust, self.callback)

        def handover(host: str | None, may_ask_later: bool) -> Handover:
            answering = answer_request(self.decision.candidates, host, context_for)
            verifying = self.context if trust is None else None
            return Handover(answering, verifying, may_ask_later=may_ask_later)

        listening = self._make_listening(trust)
        return Plan(listening, handover, listening is None, self._mark())

    def _plan_handover(self, trust: Trust | None, authenticating: Authenticating) -> Plan:
        listening = self._make_listening(trust)

        def handover(host: str | None, may_ask_later: bool) -> Handover:
            return Handover(authenticating, listening or self.context)

        return Plan(listening, handover, True, self._mark())

    def _find_trust(self) -> Trust | None:
        """What verifies the server; ``None`` where only the caller's context can tell."""
        if self.decision.authorities is not None:
            if not self.record.knows_security_level:
                raise UnknownSecurityLevelError(self.decision.authorities.sources)
            return Trust((data_load(self.decision.authorities.pem),))
        if not self.record.complete:
            self._warn_of_extra_authorities()
            return None
        extra = self.generation.extra_authorities
        if extra is not None and (self.record.default_trust or self.record.trust.is_default):
            return self.record.trust.plus(data_load(extra.pem))
        return None if self.record.trust.has_directories else self.record.trust

    def _warn_of_extra_authorities(self) -> None:
        """Say once that the extra authorities do not count for a context of unknown trust."""
        if self.generation.extra_authorities is None or self.record.is_warned_of:
            return
        self.record.is_warned_of = True
        _logger.warning(
            "an SSL context is older than mxcert_runtime, or a file that it loaded has changed, so "
            "nobody can tell whether it has default trust: the extra authorities (%s) do not count "
            "for it. Import mxcert_runtime before the context is made",
            ", ".join(self.generation.extra_authorities.sources),
        )

    def _is_callers(self, trust: Trust | None) -> bool:
        return trust is None or trust == self.record.trust

    def _mark(self) -> object:
        return self.generation, self.decision.reuse_key

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

    def _make(
        self, identity: Identity | None, trust: Trust | None, callback: MessageCallback
    ) -> ssl.SSLContext:
        blueprint = Blueprint(
            identity, trust, self.record.ciphers, self.verify_mode, self.key_log, callback
        )
        if trust is not None and trust.has_directories:
            return self.generation.contexts.make_unshared(blueprint)
        return self.generation.contexts.get(blueprint)
