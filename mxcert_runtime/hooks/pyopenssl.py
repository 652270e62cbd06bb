"""pyOpenSSL, and through it ``urllib3.contrib.pyopenssl``: its connections get their identity.

A connection learns its host in ``set_tlsext_host_name``. For an address there is no SNI (RFC 6066,
section 3), so ``connect`` and ``set_connect_state`` take the leg that the running code states, or
the peer of the socket; a name that is set later decides anew.
"""

from __future__ import annotations

import functools
import weakref
from typing import Any

from .. import runtime
from ..certificate_request import CertificateRequest
from ..errors import MxcertError
from ..identity import Identity
from ..openssl_context import add_authorities, make_openssl_context, on_server_request
from ..patching import Library, Patch, attribute_of, wrapping
from ..policy import Authorities, Choice, Decision
from ..scope import current_service, peek_leg
from ..server_request import choose_identity
from ..trust import is_bundle
from .pyopenssl_failures import Endeavour, note_chosen, note_own_certificate, watch_connection
from .pyopenssl_sessions import mark_connection, session_patches, unmark_connection

#: Where a connection keeps the host that SNI named, and whether it has an identity context.
_HOST, _REPLACED = "_mxcert_host", "_mxcert_replaced"
#: Where a connection keeps what it was decided by, so that it is decided once.
_DECIDED = "_mxcert_decided"
#: Where a connection keeps the authorities that alone count for it.
_AUTHORITIES = "_mxcert_authorities"
#: Where a context keeps the cipher strings that its caller chose; ``@SECLEVEL`` is among them.
_CIPHERS = "_mxcert_ciphers"


class UnenforceableAuthoritiesError(MxcertError):
    """A rule's authorities cannot verify a connection that has a certificate of its own."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = sources
        super().__init__(
            f"the authorities {', '.join(sources)} alone count for this host, which pyOpenSSL can "
            "hold to only where the program's own certificate is on the Context: load it there, "
            "and not on the Connection"
        )


def _present(connection: Any, host: str | None, port: int | None) -> None:
    """Give the connection what the policy decides for this endpoint."""
    generation = runtime.current
    if generation is None:
        return
    service = current_service.get()
    decision = generation.policy.select(host, port, service)
    watch_connection(connection, Endeavour(generation, decision, host, port, service))
    decided = generation, decision, host, connection.get_context()
    if decided == getattr(connection, _DECIDED, None):
        return
    setattr(connection, _DECIDED, None)
    _decide_anew(generation, connection, decision, host)
    setattr(connection, _DECIDED, decided)


def _decide_anew(
    generation: runtime.Generation, connection: Any, decision: Decision, host: str | None
) -> None:
    _restore(connection)
    on_server_request(connection, None)
    setattr(connection, _AUTHORITIES, decision.authorities)
    if connection.get_certificate() is not None:
        note_own_certificate(connection)
        unmark_connection(connection)
        _verify_for_caller(generation, connection, decision.authorities)
        return
    mark_connection(connection, generation, host, decision)
    if decision.choice is Choice.SERVER_REQUEST:
        answer = functools.partial(_answer, generation, weakref.ref(connection), decision, host)
        on_server_request(connection, answer)
    elif decision.reuse_key is not None:
        _replace_context(generation, connection, decision.identity, decision.authorities)


def _verify_for_caller(
    generation: runtime.Generation, connection: Any, authorities: Authorities | None
) -> None:
    """The authorities of a rule verify; then the caller's context, which has its certificate."""
    if authorities is None:
        return
    caller = connection.get_context()
    _replace_context(generation, connection, None, authorities)
    # Raised only now, since a callback of OpenSSL, where this may run, swallows it: the
    # authorities verify all the same.
    if type(connection)(caller, None).get_certificate() is None:
        raise UnenforceableAuthoritiesError(authorities.sources)
    reference = weakref.ref(connection)
    on_server_request(connection, lambda: _restore(reference()))


def _replace_context(
    generation: runtime.Generation,
    connection: Any,
    identity: Identity | None,
    authorities: Authorities | None,
) -> None:
    caller = connection.get_context()
    ciphers = getattr(caller, _CIPHERS, None) or _ciphers_of(connection)
    made = generation.openssl_contexts.setdefault(caller, {})
    key = identity, authorities, ciphers
    if key not in made:
        made[key] = make_openssl_context(caller, *key)
    connection.set_context(made[key])
    # `get_context` answers with the caller's own, as it would without us.
    connection._context = caller
    setattr(connection, _REPLACED, True)


def _answer(
    generation: runtime.Generation,
    reference: weakref.ref[Any],
    decision: Decision,
    host: str | None,
) -> None:
    """Answer the request of a server that is verified: the first identity that its issuers fit.

    pyOpenSSL tells the issuers, and not the signature algorithms that the server accepts.
    """
    connection = reference()
    if connection is None:
        return
    issuers = tuple(name.der() for name in connection.get_client_ca_list())
    request = CertificateRequest(0, issuers, frozenset())
    chosen = choose_identity(request, decision.candidates, host)
    note_chosen(connection, chosen)
    if chosen is not None:
        _replace_context(generation, connection, chosen, None)


def _ciphers_of(connection: Any) -> tuple[str, ...]:
    names = connection.get_cipher_list()
    return (":".join(name for name in names if not name.startswith("TLS_")),)


def _restore(connection: Any) -> None:
    if getattr(connection, _REPLACED, False):
        connection.set_context(connection.get_context())
        setattr(connection, _REPLACED, False)


def _endpoint_without_name(connection: Any, address: Any) -> tuple[str | None, int | None]:
    peer = peek_leg() or address
    if peer is None:
        try:
            peer = connection.getpeername()
        except (AttributeError, OSError):
            peer = None
    host, port = peer[:2] if isinstance(peer, tuple) else (None, None)
    return getattr(connection, _HOST, None) or host, port


def _set_tlsext_host_name(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    name = args[0] if args else kwargs["name"]
    setattr(instance, _HOST, name.decode("ascii", "replace"))
    _present(instance, *_endpoint_without_name(instance, None))
    return result


def _set_connect_state(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    _present(instance, *_endpoint_without_name(instance, None))
    return result


def _connect(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    _present(instance, *_endpoint_without_name(instance, args[0] if args else kwargs["addr"]))
    return wrapped(*args, **kwargs)


def _use_credentials(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    authorities = getattr(instance, _AUTHORITIES, None)
    if authorities is not None:
        raise UnenforceableAuthoritiesError(authorities.sources)
    # The caller's own certificate wins, so ours has to go before it comes.
    on_server_request(instance, None)
    _restore(instance)
    unmark_connection(instance)
    setattr(instance, _DECIDED, None)
    note_own_certificate(instance)
    return wrapped(*args, **kwargs)


def _set_cipher_list(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    chosen = args[0] if args else kwargs["cipher_list"]
    text = chosen if isinstance(chosen, str) else chosen.decode("ascii")
    setattr(instance, _CIPHERS, (*getattr(instance, _CIPHERS, ()), text))
    return result


def _set_default_verify_paths(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    _add_extra_authorities(instance)
    return result


def _load_verify_locations(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    file = args[0] if args else kwargs.get("cafile")
    if file is not None and is_bundle(file):
        _add_extra_authorities(instance)
    return result


def _add_extra_authorities(context: Any) -> None:
    generation = runtime.current
    if generation is not None and generation.extra_authorities is not None:
        add_authorities(context, generation.extra_authorities)


def _patches() -> tuple[Patch, ...]:
    connection = attribute_of("OpenSSL.SSL", "Connection")
    context = attribute_of("OpenSSL.SSL", "Context")
    return (
        Patch(connection, "set_tlsext_host_name", wrapping(_set_tlsext_host_name)),
        Patch(connection, "set_connect_state", wrapping(_set_connect_state)),
        Patch(connection, "connect", wrapping(_connect)),
        Patch(connection, "use_certificate", wrapping(_use_credentials)),
        Patch(connection, "use_privatekey", wrapping(_use_credentials)),
        Patch(context, "set_cipher_list", wrapping(_set_cipher_list)),
        Patch(context, "set_default_verify_paths", wrapping(_set_default_verify_paths)),
        Patch(context, "load_verify_locations", wrapping(_load_verify_locations)),
        *session_patches(),
    )


LIBRARY = Library("OpenSSL.SSL", _patches, "OpenSSL", ("23.2", "27"))
