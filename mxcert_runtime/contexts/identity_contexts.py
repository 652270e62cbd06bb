"""Identity contexts: SSL contexts of ours from which a connection takes certificate, key and trust.

A connection that is handed one before its handshake (``SSL_set_SSL_CTX``) takes from it the
certificate, the trust store, and (as measured with OpenSSL 3.0 and 3.6) also the cipher list, the
suites of TLS 1.3, the signature algorithms, the security level, the key log, the message callback,
and the verify mode by which ``getpeercert()`` answers. All of these therefore stand in the
:class:`Blueprint`, and all else (versions, groups, ALPN, host name check, verify mode and flags of
the verification itself, options) stays the caller's.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import ssl
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from os import access as may_access  # see `file_state`
from typing import NoReturn
from weakref import WeakKeyDictionary

from ..base import ForkSafeLock, NativeContext, dataclass, is_momentary, logger as _logger
from ..base.printable import printable
from ..errors import MxcertError
from ..identity import NO_WAY_REMEDY, Identity, KeyTransferError, Refusal, explain_refusal, present
from .load_cache import known_loads
from .trust import Trust

#: Contexts with a trust that are kept. One with a bundle of 150 authorities takes 700 KB.
TRUSTING_LIMIT = 24
#: How many of them may hold the same trust, each with another identity.
COPIES_LIMIT = 4
#: Contexts without a trust that are kept. One takes 20 KB, and a millisecond to make.
BARE_LIMIT = 256

_NO_WAY = "its key cannot be given to OpenSSL"


class IdentityRefusedError(MxcertError, ssl.SSLError):
    """OpenSSL does not take the identity, so there is no connection rather than one without it.

    It is an ``ssl.SSLError`` so that clients treat it as what it is to them: a failed handshake.
    """

    def __init__(self, identity: Identity, refusal: Refusal) -> None:
        self.identity_name = identity.name
        text = (
            f"the identity {identity.name!r} ({identity.subject}) cannot be presented: "
            f"{refusal}. {refusal.remedy}"
        )
        super().__init__(1, text)
        self.library, self.reason = "SSL", refusal.reason


class IdentityContext(NativeContext):  # type: ignore[misc]
    """Holds an identity, and makes no connection by itself: that would go past the policy."""

    #: whether it has the trust of its connections, so that they need no other context
    verifies = False
    #: its key log, and why that could not be opened again
    missing_key_log: tuple[str, str] | None = None

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise MxcertError("an identity context makes no connections; use the context of the caller")

    _wrap_socket = _wrap_bio = wrap_socket = wrap_bio = _refuse

    # Straight to OpenSSL, past whatever is patched onto the class of callers' contexts.
    load_cert_chain = NativeContext.load_cert_chain
    load_verify_locations = NativeContext.load_verify_locations
    set_ciphers = NativeContext.set_ciphers
    set_default_verify_paths = NativeContext.set_default_verify_paths


@dataclass(frozen=True)
class Blueprint:
    """All that an identity context is made from; equal blueprints share one context."""

    identity: Identity | None
    #: ``None`` where the caller's own store has verified the server already
    trust: Trust | None
    #: arguments of ``set_ciphers``, in order
    ciphers: tuple[str, ...] = ()
    #: methods by which it is told what else it offers, with their arguments
    offers: tuple[tuple[str, str], ...] = ()
    #: the caller's; ``getpeercert()`` goes by the mode of the context that a connection has
    verify_mode: int = ssl.CERT_REQUIRED
    key_log: str | None = None
    message_callback: Callable[..., None] | None = None


class IdentityContexts:
    """Identity contexts, made when first needed; the least used go first.

    A trust is expensive, so few contexts hold a copy of the same: the first identities that are
    used with it. See :meth:`may_hold`.
    """

    def __init__(self) -> None:
        #: the identities of which contexts are kept; ``None``: of all
        self._kept: frozenset[Identity] | None = None
        #: changes where whoever holds some of them, or a plan made with them, has to ask again
        self.edition = 0
        self._trusting: OrderedDict[Blueprint, IdentityContext] = OrderedDict()
        self._bare: OrderedDict[Blueprint, IdentityContext] = OrderedDict()
        self._lock = ForkSafeLock()
        #: held while contexts of an identity are made, and of none
        self._turns: WeakKeyDictionary[Identity, ForkSafeLock] = WeakKeyDictionary()
        self._turn_without = ForkSafeLock()

    def __len__(self) -> int:
        return len(self._trusting) + len(self._bare)

    def ask_again(self) -> None:
        """Let nobody go by a plan that was made before."""
        self.edition += 1

    def keep_only(self, identities: Iterable[Identity]) -> None:
        """Keep contexts of these identities from now on, and let go of those of all others.

        Connections that are under way keep theirs. What an identity that has gone is presented by
        later is made for that connection alone, and no key outlives its settings here.
        """
        with self._lock:
            self._kept = frozenset(identities)
            for contexts in (self._trusting, self._bare):
                for blueprint in [each for each in contexts if not self._keeps(each)]:
                    del contexts[blueprint]
        self.ask_again()

    def let_go(self, identities: Iterable[Identity]) -> None:
        """Make the contexts of these identities anew when they are needed next."""
        leaving = frozenset(identities)
        with self._lock:
            for contexts in (self._trusting, self._bare):
                for blueprint in [each for each in contexts if each.identity in leaving]:
                    del contexts[blueprint]
        self.ask_again()

    def forget_all(self) -> None:
        """Let go of every context, and of every identity."""
        with self._lock:
            self._kept = frozenset()
            self._trusting.clear()
            self._bare.clear()
        self.ask_again()

    def _keeps(self, blueprint: Blueprint) -> bool:
        identity = blueprint.identity
        return identity is None or self._kept is None or identity in self._kept

    def may_hold(self, blueprint: Blueprint) -> bool:
        """Whether a context that holds the identity and its trust may be had for a blueprint.

        Otherwise one context without identity verifies, and another one without trust
        authenticates.
        """
        verifying = replace(blueprint, identity=None)
        with self._lock:
            alike = [each for each in self._trusting if replace(each, identity=None) == verifying]
            return blueprint in alike or len(alike) < COPIES_LIMIT

    def get(self, blueprint: Blueprint) -> IdentityContext:
        """The context for a blueprint.

        Raises :class:`~.contexts.trust.TrustChangedError` where its trust cannot be made again and
        :class:`IdentityRefusedError` where OpenSSL refuses the identity.
        """
        context = self._find(blueprint)
        if context is None:
            # A key in a token that takes its time holds up those who need this key, and no others.
            with self._turn_of(blueprint.identity):
                context = self._find(blueprint) or self._make_and_keep(blueprint)
        # Not while a lock is held: a log handler may wait for a thread that connects.
        _tell_missing_key_log(context)
        return context

    def _find(self, blueprint: Blueprint) -> IdentityContext | None:
        contexts = self._bare if blueprint.trust is None else self._trusting
        with self._lock:
            context = contexts.get(blueprint)
            if context is not None:
                contexts.move_to_end(blueprint)
        return context

    def _turn_of(self, identity: Identity | None) -> ForkSafeLock:
        if identity is None:
            return self._turn_without
        with self._lock:
            turn = self._turns.get(identity)
            if turn is None:
                turn = self._turns[identity] = ForkSafeLock()
            return turn

    def _make_and_keep(self, blueprint: Blueprint) -> IdentityContext:
        edition = self.edition
        context = _make(blueprint)
        with self._lock:
            # What was let go meanwhile may stand in it.
            if edition != self.edition or not self._keeps(blueprint):
                return context
            if blueprint.trust is None:
                self._bare[blueprint] = context
                if len(self._bare) > BARE_LIMIT:
                    self._bare.popitem(last=False)
            elif blueprint.identity is None or self.may_hold(blueprint):
                self._trusting[blueprint] = context
                if len(self._trusting) > TRUSTING_LIMIT:
                    self._trusting.popitem(last=False)
                    self.edition += 1  # nobody holds on to what has gone
        return context

    def make_unshared(self, blueprint: Blueprint) -> IdentityContext:
        """A context that is not kept here; for trust that is not the same for two callers."""
        context = _make(blueprint)
        _tell_missing_key_log(context)
        return context


#: those of this process
shared_contexts = IdentityContexts()


def _make(blueprint: Blueprint) -> IdentityContext:
    context = IdentityContext(ssl.PROTOCOL_TLS_CLIENT)
    # First the security level, by which OpenSSL judges the certificates that are loaded next.
    for ciphers in blueprint.ciphers:
        # What failed for the caller fails here too, and leaves the same level behind.
        with contextlib.suppress(ssl.SSLError):
            context.set_ciphers(ciphers)
    for method, argument in blueprint.offers:
        getattr(NativeContext, method)(context, argument)
    if blueprint.trust is not None:
        known_loads.load_trust(blueprint.trust, context)
        context.verifies = True
    if blueprint.identity is not None:
        _load(context, blueprint.identity)
    context.check_hostname = False  # CERT_NONE demands it, and it stays the caller's anyway
    NativeContext.verify_mode.__set__(context, blueprint.verify_mode)
    if blueprint.key_log is not None:
        _open_key_log(context, blueprint.key_log)
    if blueprint.message_callback is not None:
        NativeContext._msg_callback.__set__(context, blueprint.message_callback)
    return context


def _open_key_log(context: IdentityContext, path: str) -> None:
    """Open the caller's key log once more; its own is open, whatever has become of the path."""
    try:
        # In another working directory it would be made, with secrets, where nobody asks for it.
        if not os.path.isabs(path) and not may_access(path, os.F_OK):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        context.keylog_filename = path
    except OSError as error:
        if is_momentary(error):
            raise
        context.missing_key_log = path, error.strerror or "unknown"


def _tell_missing_key_log(context: IdentityContext) -> None:
    if context.missing_key_log is not None:
        _warn_of_key_log(*context.missing_key_log)


@functools.lru_cache(maxsize=64)
def _warn_of_key_log(path: str, reason: str) -> None:
    """Say once that a key log misses connections."""
    _logger.warning(
        "the key log %s cannot be opened again (%s): connections with an identity go on without "
        "it. Put it where the process may write",
        printable(path),
        reason,
    )


def _load(context: IdentityContext, identity: Identity) -> None:
    refused = None
    try:
        present(context, identity)
    except KeyTransferError as error:
        if is_momentary(error):
            raise
        refused = Refusal(str(error.strerror), _NO_WAY, NO_WAY_REMEDY)
    except ssl.SSLError as error:
        refused = explain_refusal(error)
    if refused is not None:
        raise IdentityRefusedError(identity, refused)
