"""Identity contexts of pyOpenSSL, which carry all that OpenSSL reads from them for a connection.

`openssl_attributes` lists what that is. They share the caller's own trust store, so a connection
that takes one is verified by what the caller loads, whatever it is and when; only where a rule
pins CAs they have a store of their own.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from ...base import ForkSafeLock, OwnerNotes, dataclass
from ...errors import MxcertError
from ...identity import Authorities, Identity
from .attributes import carry_over
from .measures import Demands, measure_demands, measure_security_level
from .objects import add_authorities, share_store
from .transfer import present

#: X509_V_FLAG_PARTIAL_CHAIN, the one flag that allows more: it is copied where it was seen set.
_PARTIAL_CHAIN = 0x80000
#: Where a Context keeps the flags that were seen set on its store.
_FLAGS = "_mxcert_store_flags"


class UnenforceableAuthoritiesError(MxcertError):
    """A rule's authorities cannot verify a connection as its program wants it verified."""

    def __init__(self, sources: tuple[str, ...], problem: str, remedy: str) -> None:
        self.sources, self.problem, self.remedy = sources, problem, remedy
        super().__init__(
            f"the CAs {', '.join(sources)} are pinned for this host, but {problem}: {remedy}"
        )


@dataclass(frozen=True)
class Manner:
    """How a caller's connections negotiate, as far as a context has to say it again."""

    is_datagram: bool
    #: OpenSSL's names, up to TLS 1.2, and of TLS 1.3
    ciphers: tuple[str, ...]
    suites: tuple[str, ...]
    security_level: int


class CallersContexts:
    """The contexts of ours for the connections of one Context of a caller; made when needed."""

    def __init__(self, owner: ContextsByCaller) -> None:
        self._owner = owner
        self._manner: Manner | None = None
        self._demands: Demands | None = None
        self._made: dict[tuple[Identity | None, Authorities | None], Any] = {}
        self._lock = ForkSafeLock()

    def get(
        self, connection: Any, identity: Identity | None, authorities: Authorities | None
    ) -> Any:
        """The context that presents an identity and verifies by the authorities, if there are any.

        Raises :class:`~.contexts.identity_contexts.IdentityRefusedError` where OpenSSL refuses
        the identity, and :class:`UnenforceableAuthoritiesError`.
        """
        caller = connection.get_context()
        key = identity, authorities
        with self._lock:
            context = self._made.get(key)
            if context is None:
                context = self._make(connection, caller, identity, authorities)
            # One of an identity that has gone is of this connection alone.
            if self._owner.keeps(identity):
                self._made[key] = context
            carry_over(context, caller)
        return context

    def let_go(self) -> None:
        """Let go of contexts that are kept no more; connections on them keep theirs."""
        with self._lock:
            self._made = {
                key: each for key, each in self._made.items() if self._owner.keeps(key[0])
            }

    def _make(
        self,
        connection: Any,
        caller: Any,
        identity: Identity | None,
        authorities: Authorities | None,
    ) -> Any:
        if self._manner is None:
            self._manner = _manner_of(connection, caller)
        context = _make_bare(self._manner)
        if authorities is None:
            share_store(context, caller)
        else:
            if self._demands is None:
                self._demands = measure_demands(caller)
            _refuse_unenforceable(self._manner, self._demands, authorities)
            add_authorities(context, authorities)
            partial = getattr(caller, _FLAGS, 0) & _PARTIAL_CHAIN
            _set_flags(context, self._demands.flags | partial)
        if identity is not None:
            present(context, identity)
        return context


class ContextsByCaller:
    """Those of every Context of a caller, with which they go; it may not be hashable."""

    def __init__(self) -> None:
        self._by_caller: OwnerNotes[CallersContexts] = OwnerNotes()
        #: the identities of which contexts are kept
        self._kept: frozenset[Identity] = frozenset()
        self._lock = ForkSafeLock()

    def of(self, caller: Any) -> CallersContexts:
        """Those for the connections of one Context of a caller."""
        with self._lock:
            found = self._by_caller.get(caller)
            if found is None:
                found = CallersContexts(self)
                self._by_caller.put(caller, found)
            return found

    def keeps(self, identity: Identity | None) -> bool:
        """Whether contexts of an identity are kept for later connections."""
        return identity is None or identity in self._kept

    def keep_only(self, identities: Iterable[Identity]) -> None:
        """Keep contexts of these identities from now on, and let go of those of all others."""
        self._kept = frozenset(identities)
        for each in self._by_caller.values():
            each.let_go()

    def drop(self, caller: Any) -> None:
        """Forget what was made for a Context that has changed."""
        self._by_caller.drop(caller)

    def drop_all(self) -> None:
        """Forget what was made for every Context, since any of them may have changed."""
        self._by_caller.clear()

    def forget_all(self) -> None:
        """Forget everything, and every identity."""
        self._kept = frozenset()
        self.drop_all()


#: those of this process
callers_contexts = ContextsByCaller()


def make_distrusting(connection: Any) -> Any:
    """A context that trusts nobody, for a connection that must not be."""
    return _make_bare(_manner_of(connection, connection.get_context()))


def note_flags(caller: Any, flags: int) -> None:
    """Note flags that a caller sets on the store of its Context."""
    setattr(caller, _FLAGS, getattr(caller, _FLAGS, 0) | flags)


def _refuse_unenforceable(manner: Manner, demands: Demands, authorities: Authorities) -> None:
    if manner.is_datagram:
        problem = "the connection speaks DTLS, whose SRTP profiles could not be kept"
        remedy = "take `ca` out of the rule, and load the authorities into the Context"
        raise UnenforceableAuthoritiesError(authorities.sources, problem, remedy)
    if demands.others:
        numbers = ", ".join(map(str, sorted(demands.others)))
        problem = (
            "the store of its Context demands what no other store can be given, such as a time "
            f"(X509_V_ERR {numbers})"
        )
        remedy = "take that demand out of the store, or `ca` out of the rule"
        raise UnenforceableAuthoritiesError(authorities.sources, problem, remedy)


def _manner_of(connection: Any, caller: Any) -> Manner:
    names = connection.get_cipher_list()
    return Manner(
        is_datagram=_is_datagram(connection),
        ciphers=tuple(name for name in names if not name.startswith("TLS_")),
        suites=tuple(name for name in names if name.startswith("TLS_")),
        security_level=measure_security_level(caller),
    )


def _is_datagram(connection: Any) -> bool:
    # DTLS1_VERSION and DTLS1_2_VERSION are 0xfe..; before the handshake it may be DTLS_ANY_VERSION.
    version = connection.get_protocol_version()
    return bool(version >> 8 == 0xFE or version == 0x1FFFF)


def _make_bare(manner: Manner) -> Any:
    from OpenSSL import SSL

    context = SSL.Context(SSL.DTLS_METHOD if manner.is_datagram else SSL.TLS_METHOD)
    # Before 25.2 nobody can choose them, so that the usual ones are right.
    if hasattr(context, "set_tls13_ciphersuites"):
        context.set_tls13_ciphersuites(":".join(manner.suites).encode("ascii"))
    chosen = ":".join((*manner.ciphers, f"@SECLEVEL={manner.security_level}"))
    # A list without a cipher of TLS 1.2 is an error, and leaves its level behind all the same.
    with contextlib.suppress(SSL.Error):
        context.set_cipher_list(chosen.encode("ascii"))
    return context


def _set_flags(context: Any, flags: int) -> None:
    from OpenSSL._util import lib

    lib.X509_STORE_set_flags(lib.SSL_CTX_get_cert_store(context._context), flags)


#: What OpenSSL calls, once it is made. Not ``functools.cache``: of two threads that make it at the
#: same time that would drop one, which a connection has already.
_made_once: dict[str, Any] = {}


def _server_asks() -> Any:
    """What OpenSSL calls (``SSL_set_cert_cb``); one function for all connections, never freed."""
    return _made_once.get("answer") or _made_once.setdefault("answer", _make_answer())


def _make_answer() -> Any:
    from OpenSSL._util import ffi

    def answer(ssl: Any, argument: Any) -> int:
        try:
            ffi.from_handle(argument)()
        except Exception:
            return 0  # ends the handshake; who raises has said why
        return 1

    return ffi.callback("int(SSL *, void *)", answer, error=0)


#: Where a connection keeps what is called when its server asks.
_ANSWER = "_mxcert_answer"


def on_server_request(connection: Any, callback: Callable[[Any], None]) -> None:
    """Call back when the server has asked for a certificate, before the answer.

    At that moment the server is verified, and a context that is set is taken.
    """
    from OpenSSL._util import ffi

    reference = weakref.ref(connection)
    handle = ffi.new_handle(lambda: callback(reference()))
    # OpenSSL keeps the pointer only.
    setattr(connection, _ANSWER, handle)
    listen_again(connection)


def listen_again(connection: Any) -> None:
    """Restore the call of the above: it goes with a context that is changed."""
    from OpenSSL._util import ffi, lib

    handle = connection.__dict__.get(_ANSWER)
    callback = ffi.NULL if handle is None else _server_asks()
    lib.SSL_set_cert_cb(connection._ssl, callback, handle or ffi.NULL)


def stop_listening(connection: Any) -> None:
    """Call back no more."""
    setattr(connection, _ANSWER, None)
    listen_again(connection)
