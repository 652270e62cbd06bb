"""pyOpenSSL: what one connection is decided, and the moments at which it takes a context of ours.

A connection stays on its caller's Context until the server asks for a certificate, so that all its
callbacks are called and all its settings hold. Where a rule pins CAs it is on a
context of ours from its decision, since they have to verify the server.
"""

from __future__ import annotations

from typing import Any

from ...base import logger as _logger
from ...connections import (
    Asked,
    Attempt,
    CertificateRequest,
    Plan,
    begin,
    choose_context,
    count_of,
    mark_of,
)
from ...decisions import Choice, Decision, Generation, Withheld, in_force
from ...errors import MxcertError
from ...identity import Authorities, Identity
from .contexts import (
    UnenforceableAuthoritiesError,
    callers_contexts,
    listen_again,
    make_distrusting,
    on_server_request,
    stop_listening,
)
from .sessions import mark_connection, mark_later_sessions, unmark_connection
from .steps import REFUSAL, note_chosen, watch_connection
from .trust import join_extra_authorities
from .verification import is_verified, may_verify

# Looked up in its dictionary: what a connection has not, pyOpenSSL looks for on its socket.
#: Where a connection keeps what it was decided last, an :class:`~.connections.attempt.Attempt`.
_ATTEMPT = "_mxcert_attempt"
#: Where a connection keeps the context of ours that it is on.
_TAKEN = "_mxcert_taken"
#: Where a connection keeps those that it has left: a callback of OpenSSL may be at work on one.
_LEFT = "_mxcert_left"
#: Where a connection says that a change of its context is ours.
_MOVING = "_mxcert_is_moving"
#: Tells the sessions of connections on which the program authenticates itself.
_OWN = "presents its own certificate"


class _PyOpenssl:
    """The engine, whose connections are prepared one by one, so that it keeps no plan."""

    def recall(self, generation: Generation, asked: Asked, context: Any) -> None:
        return None

    def plan(self, generation: Generation, decision: Decision, asked: Asked, context: Any) -> Plan:
        if not may_verify(context):
            decision = generation.policy.for_unverified(decision)
        return _plan(generation, decision)


def _plan(generation: Generation, decision: Decision) -> Plan:
    count = count_of(decision, presents_own=False)
    return Plan(generation, decision, count, mark=mark_of(generation, decision))


_engine = _PyOpenssl()


def present(connection: Any, asked: Asked) -> None:
    """Give a client's connection what the policy decides for this endpoint.

    Raises :class:`~.contexts.identity_contexts.IdentityRefusedError` and
    :class:`~.hooks.pyopenssl.contexts.UnenforceableAuthoritiesError`.
    """
    known = attempt_on(connection)
    attempt = _begin(connection, asked, known)
    if attempt is not None and not attempt.is_alike(known):
        _decide_anew(connection, attempt)
        return
    refusal = connection.__dict__.get(REFUSAL)
    if refusal is not None:
        raise refusal


def present_again(connection: Any) -> None:
    """Decide anew about a connection that its caller has put on another context."""
    known = attempt_on(connection)
    if known is None:
        return
    _keep_what_is_left(connection)
    setattr(connection, _TAKEN, None)
    attempt = _begin(connection, known.asked, known)
    if attempt is not None:
        _decide_anew(connection, attempt)


def attempt_on(connection: Any) -> Attempt | None:
    """What a connection was decided last, if anything."""
    attempt: Attempt | None = connection.__dict__.get(_ATTEMPT)
    return attempt


def _begin(connection: Any, asked: Asked, known: Attempt | None) -> Attempt | None:
    """Decide; ``None`` where nothing is in force.

    What is known already counts where nothing else is said: Twisted tells the name in the
    handshake, when the service that made the connection is no longer in scope.
    """
    generation = in_force.up_to_date()
    if generation is None:
        return None
    host, port, service = asked
    if known is not None:
        # The port of a host by another name is not this one's.
        is_same = host == known.host or not (isinstance(host, str) and isinstance(known.host, str))
        port = port or (known.port if is_same else None)
        host, service = host if isinstance(host, str) else known.host, service or known.service
    join_extra_authorities(connection.get_context(), generation)
    return begin(generation, (host, port, service), connection.get_context(), _engine)


def withdraw(connection: Any) -> None:
    """Make room for a certificate that the caller is about to give to a connection.

    Raises :class:`~.hooks.pyopenssl.contexts.UnenforceableAuthoritiesError`.
    """
    known = attempt_on(connection)
    if known is not None and known.decision.authorities is not None:
        raise _own_certificate_stands_alone(known.decision.authorities)
    stop_listening(connection)
    _restore(connection)
    unmark_connection(connection)
    setattr(connection, _ATTEMPT, None)
    setattr(connection, REFUSAL, None)
    if known is not None:
        watch_connection(connection, _presenting_own(known))


def _presenting_own(attempt: Attempt) -> Attempt:
    """The attempt of a connection on which the program authenticates itself."""
    decision = attempt.decision
    count = count_of(decision, presents_own=True)
    plan = Plan(attempt.generation, decision, count, presents_own=True)
    return Attempt(plan, attempt.asked, attempt.context)


def _decide_anew(connection: Any, attempt: Attempt) -> None:
    setattr(connection, _ATTEMPT, attempt)
    setattr(connection, REFUSAL, None)
    watch_connection(connection, attempt)
    _restore(connection)
    stop_listening(connection)
    try:
        if connection.get_certificate() is not None:
            _let_caller_present(connection, attempt)
        else:
            _prepare(connection, attempt)
    except Exception as error:
        # Where this runs in a callback of OpenSSL, nobody sees what is raised.
        setattr(connection, REFUSAL, error)
        raise


def _let_caller_present(connection: Any, attempt: Attempt) -> None:
    watch_connection(connection, _presenting_own(attempt))
    authorities = attempt.decision.authorities
    if authorities is None:
        unmark_connection(connection)
        return
    # What others have verified is not resumed here, and what this presents not under an identity.
    mark_connection(connection, (attempt.mark, _OWN))
    _verify_by(connection, attempt, authorities)
    if not _has_certificate(connection.get_context()):
        raise _own_certificate_stands_alone(authorities)
    on_server_request(connection, _answer_as_caller)


def _prepare(connection: Any, attempt: Attempt) -> None:
    decision = attempt.decision
    mark_connection(connection, attempt.mark)
    # What is withheld where no name is known is not, once the server was told one.
    if decision.choice is not Choice.NONE or isinstance(decision, Withheld):
        on_server_request(connection, _answer)
    if decision.authorities is not None:
        _verify_by(connection, attempt, decision.authorities)
    if decision.identity is not None:
        # Made now: a refusal in the middle of the handshake comes too late to be explained.
        _context_for(connection, attempt, decision.identity)


def _verify_by(connection: Any, attempt: Attempt, authorities: Authorities) -> None:
    """Let the authorities verify; where they cannot, trust nobody, should the error be lost."""
    try:
        context = _context_for(connection, attempt, None)
    except UnenforceableAuthoritiesError:
        _take(connection, make_distrusting(connection))
        raise
    _take(connection, context)


def _has_certificate(context: Any) -> bool:
    from OpenSSL import SSL

    # Only a connection tells; one of the program's own class may take other arguments.
    return SSL.Connection(context, None).get_certificate() is not None


def _own_certificate_stands_alone(authorities: Authorities) -> UnenforceableAuthoritiesError:
    problem = "the program's own certificate is on the Connection alone"
    remedy = "load it there, on the Context, and not on the Connection"
    return UnenforceableAuthoritiesError(authorities.sources, problem, remedy)


def _answer_as_caller(connection: Any) -> None:
    """The authorities have verified; now the caller's context gives its certificate."""
    from OpenSSL._util import lib

    _restore(connection)
    # Its own store would verify the server in a second handshake.
    lib.SSL_set_options(connection._ssl, lib.SSL_OP_NO_RENEGOTIATION)


def _answer(connection: Any) -> None:
    """Answer the request of a server that is verified; where it raises, the handshake ends."""
    attempt = attempt_on(connection)
    if attempt is None:
        return
    try:
        attempt = _decide_by_verification(connection, _decide_by_name(connection, attempt))
        context = _choose_context(connection, attempt)
        if context is not None:
            _take(connection, context)
    except Exception as error:
        words = error if isinstance(error, MxcertError) else type(error).__name__
        _logger.error("the handshake with %s is ended: %s", attempt.host, words)
        raise


def _decide_by_name(connection: Any, attempt: Attempt) -> Attempt:
    """Decide anew for the name that the server was told, should it be another than was known."""
    told = connection.get_servername()
    host = attempt.host if told is None else told.decode("ascii", "replace")
    if host == attempt.host:
        return attempt
    asked = host, attempt.port, attempt.service
    named = begin(attempt.generation, asked, attempt.context, _engine)
    if named.decision.authorities is not attempt.decision.authorities:
        raise MxcertError(
            f"the server was told the name {host!r}, and verified for {attempt.host!r}, for which "
            "other CAs are pinned: name it by `set_tlsext_host_name`"
        )
    mark_later_sessions(connection, named.mark)
    watch_connection(connection, named)
    return named


def _decide_by_verification(connection: Any, attempt: Attempt) -> Attempt:
    """Decide anew by whether the server that asks is verified, which its Context need not tell."""
    policy = attempt.generation.policy
    decision = policy.select(*attempt.asked)
    withheld = policy.for_unverified(decision)
    # Pinned CAs are those of the context that it was put on.
    verifying = connection.__dict__.get(_TAKEN) or connection.get_context()
    if withheld is not decision and not is_verified(connection, verifying):
        decision = withheld
    if decision is attempt.decision:
        return attempt
    verified = Attempt(_plan(attempt.generation, decision), attempt.asked, attempt.context)
    mark_later_sessions(connection, verified.mark)
    watch_connection(connection, verified)
    verified.start(connection)
    return verified


def _choose_context(connection: Any, attempt: Attempt) -> Any:
    """The context that presents what was decided, or the first that fits; ``None`` for nothing.

    pyOpenSSL tells the issuers that the server names, and not the signature algorithms.
    """
    decision = attempt.decision
    if decision.choice is not Choice.SERVER_REQUEST:
        identity = decision.identity
        return None if identity is None else _context_for(connection, attempt, identity)
    issuers = tuple(name.der() for name in connection.get_client_ca_list())
    chosen = choose_context(
        CertificateRequest(0, issuers, frozenset()),
        decision.candidates,
        attempt.host,
        lambda identity: (identity, _context_for(connection, attempt, identity)),
    )
    identity, context = chosen or (None, None)
    note_chosen(connection, identity)
    return context


def _context_for(connection: Any, attempt: Attempt, identity: Identity | None) -> Any:
    made = callers_contexts.of(connection.get_context())
    return made.get(connection, identity, attempt.decision.authorities)


def _take(connection: Any, context: Any) -> None:
    """Put a connection on a context of ours; the caller's is what ``get_context`` answers with."""
    caller = connection.get_context()
    _keep_what_is_left(connection)
    _move(connection, context)
    connection._context = caller
    # Its callbacks must live as long as the connection, whatever generation comes next.
    setattr(connection, _TAKEN, context)
    listen_again(connection)


def _restore(connection: Any) -> None:
    if connection.__dict__.get(_TAKEN) is not None:
        _keep_what_is_left(connection)
        _move(connection, connection.get_context())
        setattr(connection, _TAKEN, None)
        listen_again(connection)


def _keep_what_is_left(connection: Any) -> None:
    left, taken = connection.__dict__.get(_LEFT, ()), connection.__dict__.get(_TAKEN)
    if taken is not None and taken not in left:
        setattr(connection, _LEFT, (*left, taken))


def is_moved_by_us(connection: Any) -> bool:
    """Whether the change of a connection's context that is under way is ours."""
    return _MOVING in connection.__dict__


def _move(connection: Any, context: Any) -> None:
    from OpenSSL._util import ffi, lib

    setattr(connection, _MOVING, True)
    try:
        connection.set_context(context)
    finally:
        delattr(connection, _MOVING)
    # pyOpenSSL does not look at the result; where the context is taken, this changes nothing.
    if lib.SSL_set_SSL_CTX(connection._ssl, context._context) == ffi.NULL:
        raise MemoryError("OpenSSL could not give another context to a connection")
