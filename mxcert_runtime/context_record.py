"""What a caller did to its SSL context, written down as it happens, because OpenSSL does not tell.

A load that this process has done before is written down only, and done for real when it matters:
when somebody looks at the context, or when nothing but the context itself can verify. Until then
it is *pending*, and identity contexts of the same trust verify the context's connections.

A record is *complete* when it was begun with the context itself. A context that is older than the
hooks has none, and a load that failed half-way leaves its record incomplete: nobody may then
claim to know what such a context trusts.
"""

from __future__ import annotations

import logging
import ssl
import weakref
from collections.abc import Callable
from typing import Any

from .credential_probe import presents_certificate
from .fork_safe_lock import ForkSafeLock
from .known_loads import KnownLoad, known_loads
from .native_ssl import genuine_context
from .trust import DataLoad, FileLoad, Load, Trust, TrustChangedError, is_as_it_was, may_be_read

_logger = logging.getLogger("mxcert_runtime")

#: so that no plan is kept that is older than a change
_plans_lock = ForkSafeLock()

#: The attribute of a context that holds its record.
RECORD = "_mxcert_record"


class ContextRecord:
    """What is known of one context: its trust, its ciphers, and whether it authenticates itself."""

    __slots__ = (
        "__weakref__",
        "ciphers",
        "complete",
        "credentials",
        "default_trust",
        "edition",
        "epoch",
        "generation",
        "is_kept",
        "is_warned_of",
        "knows_security_level",
        "pending",
        "plans",
        "plans_by_endpoint",
        "reference",
        "trust",
    )

    def __init__(self, epoch: object, context: ssl.SSLContext, *, complete: bool) -> None:
        self.epoch = epoch
        #: by it a record is told that came to another context, with a copy of its attributes
        self.reference = weakref.ref(context)
        #: whether ``trust`` is all that the context trusts
        self.complete = complete
        self.trust = Trust()
        #: the loads among them that have not been done for real
        self.pending: tuple[KnownLoad, ...] = ()
        #: whether the context has made a connection before, with loads pending
        self.is_kept = False
        #: whether ``create_default_context`` gave it default trust, by whatever loads
        self.default_trust = False
        #: arguments of ``set_ciphers`` in order; the ``@SECLEVEL`` of one outlives the next
        self.ciphers: tuple[str, ...] = ()
        #: whether the caller loaded a certificate or a pre-shared key of its own
        self.credentials = False
        #: whether ``ciphers`` hold the security level; unknown on Python 3.9 where it was not seen
        self.knows_security_level = True
        self.is_warned_of = False
        #: what connections of this context do, by decision and state of the context, as long as
        #: the generation and the edition of its contexts are these
        self.plans: dict[Any, Any] = {}
        self.plans_by_endpoint: dict[Any, Any] = {}
        self.generation: object = None
        self.edition = 0

    def __reduce__(self) -> tuple[Any, ...]:
        # Of a context that somebody pickles or copies: the copy has no record.
        return type(None), ()

    def changed(self) -> None:
        """Forget what was derived from the state before."""
        with _plans_lock:
            self._forget_plans()

    def _forget_plans(self) -> None:
        self.plans, self.plans_by_endpoint, self.generation = {}, {}, None

    def keep_plan(
        self, before: dict[Any, Any], key: Any, plan: Any, generation: object, edition: int
    ) -> None:
        """Keep a plan, unless the record has changed since ``before`` were its plans."""
        with _plans_lock:
            if self.plans is not before:
                return
            if self.generation is not generation or self.edition != edition:
                self._forget_plans()
                self.generation, self.edition = generation, edition
            self.plans[key] = plan

    def keep_endpoint(self, question: Any, key: Any, plan: Any, limit: int) -> None:
        """Remember the plan of an endpoint, as long as it is kept."""
        with _plans_lock:
            if self.plans.get(key) is not plan:
                return
            if len(self.plans_by_endpoint) >= limit:
                self.plans_by_endpoint.clear()
            self.plans_by_endpoint[question] = plan


class Ledger:
    """All records. Those of an earlier time of being hooked count no more.

    Between two such times contexts change unseen.
    """

    def __init__(self) -> None:
        #: whether loads that were done before are left pending
        self.skips_known_loads = False
        self._epoch = object()
        self._records: weakref.WeakSet[ContextRecord] = weakref.WeakSet()
        self._unfinished: weakref.WeakSet[ContextRecord] = weakref.WeakSet()
        self._lock = ForkSafeLock()

    def stop_skipping(self) -> None:
        """Make every context what it would be without us, and leave no load pending any more."""
        with self._lock:
            self.skips_known_loads = False
            unfinished = list(self._unfinished)
        for record in unfinished:
            context = record.reference()
            if context is not None:
                self._finish_or_tell(context)
        known_loads.forget_all()

    def _finish_or_tell(self, context: ssl.SSLContext) -> None:
        try:
            self.finish_loads(context)
        except OSError as error:
            # All others must be finished all the same. This one trusts less than it should.
            _logger.error("an SSL context cannot be given what was loaded into it: %s", error)

    def forget_all(self) -> None:
        """End the present time of being hooked."""
        with self._lock:
            self._epoch = object()
            records = list(self._records)
            self._records.clear()
            for record in records:
                record.changed()

    def _new_record(self, context: ssl.SSLContext, *, complete: bool) -> ContextRecord:
        with self._lock:
            record = ContextRecord(self._epoch, context, complete=complete)
            self._records.add(record)
        context.__dict__[RECORD] = record
        return record

    def begin(self, context: ssl.SSLContext) -> None:
        """Start the record of a context that was made just now."""
        self._new_record(context, complete=True)

    def find(self, context: ssl.SSLContext) -> ContextRecord | None:
        """The record of a context, unless it is older than the hooks."""
        record: ContextRecord | None = context.__dict__.get(RECORD)
        if record is None or record.epoch is not self._epoch or record.reference() is not context:
            return None
        return record

    def adopt(self, context: ssl.SSLContext) -> ContextRecord:
        """Give a context that is older than the hooks a record of what can be found out."""
        record = self._new_record(context, complete=False)
        record.credentials = presents_certificate(context)
        # Python 3.9 does not tell the security level, and there the default has to do.
        level = getattr(context, "security_level", None)
        suffix = [] if level is None else [f"@SECLEVEL={level}"]
        names = [cipher["name"] for cipher in context.get_ciphers()]
        record.ciphers = (":".join([*names, *suffix]),)
        record.knows_security_level = level is not None
        return record

    def adopt_default(self, context: ssl.SSLContext, load: Load) -> None:
        """Give a context that a library made with default trust, by ``load``, the record of that.

        Where that would load something else by now, the record is incomplete.
        """
        if self.find(context) is not None:
            return
        record = self.adopt(context)
        record.trust = Trust((load,))
        record.default_trust = True
        # Libraries make such contexts with the level that OpenSSL has by default.
        record.knows_security_level = True
        record.complete = context.cert_store_stats() == _store_stats(record.trust)

    def note_default_trust(self, context: ssl.SSLContext) -> None:
        """Write down that the context was made with default trust."""
        record = self.find(context)
        if record is not None:
            record.default_trust = True
            record.changed()

    def finish_loads(self, context: ssl.SSLContext) -> None:
        """Do for real what is pending, since somebody looks at the context."""
        record = self.find(context)
        if record is None or not record.pending:
            return
        with self._lock:
            for known in record.pending:
                known.do(context)
            record.pending = ()
            self._unfinished.discard(record)
        record.changed()

    def load(
        self,
        load: Callable[[], None],
        context: ssl.SSLContext,
        describe: Callable[[], tuple[Load, ...]],
    ) -> None:
        """Do a caller's call that loads authorities, and write down what it loads.

        ``describe`` tells that; none where CPython is to refuse the call.
        """
        record = self.find(context)
        if record is None:
            return load()
        loads = describe()
        if self._leave_pending(context, record, loads):
            return None
        try:
            load()
        except BaseException as error:
            # A bundle with one damaged certificate leaves those before it in the store.
            record.complete = record.complete and _loaded_nothing(error, loads)
            record.changed()
            raise
        self._note(record, loads)

    def _leave_pending(
        self, context: ssl.SSLContext, record: ContextRecord, loads: tuple[Load, ...]
    ) -> bool:
        # A server's context may be used in ways that nobody tells us of: a connection that is open
        # already, or one that takes it by the setter of another library.
        if not record.complete or context.protocol == ssl.PROTOCOL_TLS_SERVER:
            return False
        # What it has loaded, or is to load, counts already.
        new = [each for each in loads if each not in record.trust.loads]
        known = [each for each in map(known_loads.find, new) if each is not None]
        if not loads or len(known) < len(new) or not all(map(may_be_read, new)):
            return False
        with self._lock:
            # Whoever stops this looks at what is unfinished under the same lock.
            if not self.skips_known_loads or record.epoch is not self._epoch:
                return False
            if known:
                record.pending += tuple(known)
                record.trust = record.trust.plus(*new)
                self._unfinished.add(record)
                record.changed()
        return True

    def _note(self, record: ContextRecord, loads: tuple[Load, ...]) -> None:
        # A file that was replaced meanwhile may have been read before or after that.
        record.complete = record.complete and bool(loads) and all(map(_can_be_repeated, loads))
        record.trust = record.trust.plus(*loads)
        record.changed()
        if self.skips_known_loads and record.complete:
            for each in loads:
                known_loads.remember(each)

    def note_ciphers(self, context: ssl.SSLContext, ciphers: str) -> None:
        """Write down that the caller chose ciphers."""
        record = self.find(context)
        if record is not None:
            record.ciphers += (ciphers,)
            record.changed()

    def note_message_callback(self, context: ssl.SSLContext) -> None:
        """Write down that the caller set a message callback, which plans call."""
        record = self.find(context)
        if record is not None:
            record.changed()

    def note_credentials(self, context: ssl.SSLContext) -> None:
        """Write down that the caller authenticates itself on this context."""
        record = self.find(context)
        if record is not None:
            record.credentials = True
            record.changed()


def _can_be_repeated(load: Load) -> bool:
    # A pipe is empty the next time.
    is_readable = not isinstance(load, FileLoad) or load.state is not None
    return is_readable and is_as_it_was(load)


def _loaded_nothing(error: BaseException, loads: tuple[Load, ...]) -> bool:
    # CPython loads data before it looks for the file.
    has_data = any(isinstance(each, DataLoad) for each in loads)
    return isinstance(error, FileNotFoundError) and not has_data


def _store_stats(trust: Trust) -> dict[str, int] | None:
    context = genuine_context()(ssl.PROTOCOL_TLS_CLIENT)
    try:
        trust.load_into(context)
    except TrustChangedError:
        return None
    stats: dict[str, int] = context.cert_store_stats()
    return stats


#: the records of this process
ledger = Ledger()
