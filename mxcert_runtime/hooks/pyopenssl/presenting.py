"""pyOpenSSL: what one connection is decided, and the moments at which it takes a context of ours.

A connection stays on its caller's Context until the server asks for a certificate, so that all its
callbacks are called and all its settings hold. Where a rule pins CAs it is on a
context of ours from its decision, since they have to verify the server.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from ...base.hosts import Host
from ...connections.choice import choose_identity
from ...connections.request import CertificateRequest
from ...contexts.identity_contexts import IdentityRefusedError
from ...decisions import in_force
from ...decisions.current_service import current_service
from ...decisions.generation import Generation
from ...decisions.policy import Choice, Decision, Withheld
from ...errors import MxcertError
from ...identity.authorities import Authorities
from ...identity.identity import Identity
from .contexts import (
    UnenforceableAuthoritiesError,
    contexts_for,
    listen_again,
    make_distrusting,
    on_server_request,
    stop_listening,
)
from .failures import REFUSAL, Endeavour, note_chosen, note_own_certificate, watch_connection
from .sessions import mark_connection, mark_later_sessions, unmark_connection

_logger = logging.getLogger("mxcert_runtime")

#: Where a connection keeps its :class:`Standing`.
_STANDING = "_mxcert_standing"
#: Where a connection keeps the context of ours that it is on.
_TAKEN = "_mxcert_taken"
#: Where a connection keeps those that it has left: a callback of OpenSSL may be at work on one.
_LEFT = "_mxcert_left"
#: Where a connection says that a change of its context is ours.
_MOVING = "_mxcert_is_moving"


@dataclass(frozen=True)
class Standing:
    """By what a connection was decided, so that it is decided once."""

    generation: Generation
    decision: Decision
    host: Host | None
    port: int | None
    service: str | None
    #: the caller's
    context: Any


def present(connection: Any, host: Host | None, port: int | None) -> None:
    """Give a client's connection what the policy decides for this endpoint.

    Raises :class:`~.contexts.identity_contexts.IdentityRefusedError` and
    :class:`~.hooks.pyopenssl.contexts.UnenforceableAuthoritiesError`.
    """
    known: Standing | None = getattr(connection, _STANDING, None)
    standing = _stand(connection, host, port, known)
    if standing is not None and standing != known:
        _decide_anew(connection, standing)
    elif getattr(connection, REFUSAL, None) is not None:
        raise getattr(connection, REFUSAL)


def present_again(connection: Any) -> None:
    """Decide anew about a connection that its caller has put on another context."""
    known: Standing | None = getattr(connection, _STANDING, None)
    if known is None:
        return
    _keep_what_is_left(connection)
    setattr(connection, _TAKEN, None)
    standing = _stand(connection, known.host, known.port, known)
    if standing is not None:
        _decide_anew(connection, standing)


def _stand(
    connection: Any, host: Host | None, port: int | None, known: Standing | None
) -> Standing | None:
    """What decides, and what stands on the connection from now on.

    What is known already counts where nothing else is said: Twisted tells the name in the
    handshake, when the service that made the connection is no longer in scope.
    """
    generation = in_force.current
    if generation is None:
        return None
    service = current_service.get()
    if known is not None:
        host, port = host if isinstance(host, str) else known.host, port or known.port
        service = service or known.service
    decision = generation.policy.select(host, port, service)
    watch_connection(connection, Endeavour(generation, decision, host, port, service))
    return Standing(generation, decision, host, port, service, connection.get_context())


def withdraw(connection: Any) -> None:
    """Make room for a certificate that the caller is about to give to a connection.

    Raises :class:`~.hooks.pyopenssl.contexts.UnenforceableAuthoritiesError`.
    """
    known: Standing | None = getattr(connection, _STANDING, None)
    if known is not None and known.decision.authorities is not None:
        raise _own_certificate_stands_alone(known.decision.authorities)
    stop_listening(connection)
    _restore(connection)
    unmark_connection(connection)
    setattr(connection, _STANDING, None)
    setattr(connection, REFUSAL, None)
    note_own_certificate(connection)


def _decide_anew(connection: Any, standing: Standing) -> None:
    setattr(connection, _STANDING, standing)
    setattr(connection, REFUSAL, None)
    _restore(connection)
    stop_listening(connection)
    try:
        if connection.get_certificate() is not None:
            _let_caller_present(connection, standing)
        else:
            _prepare(connection, standing)
    except Exception as error:
        # Where this runs in a callback of OpenSSL, nobody sees what is raised.
        setattr(connection, REFUSAL, error)
        raise


def _let_caller_present(connection: Any, standing: Standing) -> None:
    note_own_certificate(connection)
    unmark_connection(connection)
    authorities = standing.decision.authorities
    if authorities is None:
        return
    _verify_by(connection, standing, authorities)
    if type(connection)(connection.get_context(), None).get_certificate() is None:
        raise _own_certificate_stands_alone(authorities)
    on_server_request(connection, _answer_as_caller)


def _prepare(connection: Any, standing: Standing) -> None:
    decision = standing.decision
    mark_connection(connection, standing.generation, standing.host, decision)
    # What is withheld where no name is known is not, once the server was told one.
    if decision.choice is not Choice.NONE or isinstance(decision, Withheld):
        on_server_request(connection, _answer)
    if decision.authorities is not None:
        _verify_by(connection, standing, decision.authorities)
    if decision.identity is not None:
        # Made now: a refusal in the middle of the handshake comes too late to be explained.
        _context_for(connection, standing, decision.identity)


def _verify_by(connection: Any, standing: Standing, authorities: Authorities) -> None:
    """Let the authorities verify; where they cannot, trust nobody, should the error be lost."""
    try:
        context = _context_for(connection, standing, None)
    except UnenforceableAuthoritiesError:
        _take(connection, make_distrusting(connection))
        raise
    _take(connection, context)


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
    standing: Standing = getattr(connection, _STANDING)
    try:
        decision = _decide_by_name(connection, standing)
        context = _choose_context(connection, standing, decision)
        if context is not None:
            _take(connection, context)
    except Exception as error:
        words = error if isinstance(error, MxcertError) else type(error).__name__
        _logger.error("the handshake with %s is ended: %s", standing.host, words)
        raise


def _decide_by_name(connection: Any, standing: Standing) -> Decision:
    """The decision for the name that the server was told, should it be another than was known."""
    told = connection.get_servername()
    host = standing.host if told is None else told.decode("ascii", "replace")
    if host == standing.host:
        return standing.decision
    decision = standing.generation.policy.select(host, standing.port, standing.service)
    if decision.authorities is not standing.decision.authorities:
        raise MxcertError(
            f"the server was told the name {host!r}, and verified for {standing.host!r}, for which "
            "other authorities count: name it by `set_tlsext_host_name`"
        )
    mark_later_sessions(connection, standing.generation, host, decision)
    return decision


def _choose_context(connection: Any, standing: Standing, decision: Decision) -> Any:
    """The context that presents what was decided, or the first that fits; ``None`` for nothing.

    pyOpenSSL tells the issuers that the server names, and not the signature algorithms.
    """
    if decision.choice is not Choice.SERVER_REQUEST:
        identity = decision.identity
        return None if identity is None else _context_for(connection, standing, identity)
    issuers = tuple(name.der() for name in connection.get_client_ca_list())
    request = CertificateRequest(0, issuers, frozenset())
    candidates = decision.candidates
    while True:
        chosen = choose_identity(request, candidates, standing.host)
        try:
            context = None if chosen is None else _context_for(connection, standing, chosen)
        except IdentityRefusedError as error:
            _logger.warning("%s does not get an identity that fits it: %s", standing.host, error)
            candidates = candidates[candidates.index(chosen) + 1 :] if chosen else ()
        else:
            note_chosen(connection, chosen)
            return context


def _context_for(connection: Any, standing: Standing, identity: Identity | None) -> Any:
    made = contexts_for(standing.generation, connection.get_context())
    return made.get(connection, identity, standing.decision.authorities)


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
    if getattr(connection, _TAKEN, None) is not None:
        _keep_what_is_left(connection)
        _move(connection, connection.get_context())
        setattr(connection, _TAKEN, None)
        listen_again(connection)


def _keep_what_is_left(connection: Any) -> None:
    left, taken = getattr(connection, _LEFT, ()), getattr(connection, _TAKEN, None)
    if taken is not None and taken not in left:
        setattr(connection, _LEFT, (*left, taken))


def is_moved_by_us(connection: Any) -> bool:
    """Whether the change of a connection's context that is under way is ours."""
    return hasattr(connection, _MOVING)


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
