"""Keeps the records of callers' contexts as they are made and changed, since OpenSSL does not tell.

A load that this process has done before is written down only, and done for real when it matters:
when somebody looks at the context, or when nothing but the context itself can verify. Until then
it is *pending*, and identity contexts of the same trust verify the context's connections.

Only of a context that was begun with its record is the trust known. Whatever else can be asked of
OpenSSL is asked when a plan is made, and not remembered: a certificate, ciphers, the number of
authorities, by which loads past the hooks show.
"""

from __future__ import annotations

import functools
import ssl
import weakref
from collections.abc import Callable
from typing import Any

from ..base import logger as _logger
from .examination import examine, holds_exactly, store_of, tells_security_level
from .load_cache import KnownLoad, known_loads
from .record import RECORD, ContextRecord
from .trust import DefaultPathsLoad, Load, Trust

#: fields of a record
Facts = dict[str, Any]


class Ledger:
    """All records. Those of an earlier time of being hooked count no more.

    Between two such times contexts change unseen.
    """

    def __init__(self) -> None:
        self._epoch = object()
        #: by ``id()``, since a subclass of a program may not be hashable
        self._contexts: dict[int, weakref.ref[ssl.SSLContext]] = {}

    def finish_all(self) -> None:
        """Make every context what it would be without us, and leave no load pending any more."""
        # First: whoever leaves one pending looks at this afterwards.
        known_loads.stop()
        for context in self.living():
            self._finish_or_tell(context)

    def living(self) -> list[ssl.SSLContext]:
        """The contexts with a record that somebody still holds."""
        found = [reference() for reference in list(self._contexts.values())]
        return [context for context in found if context is not None]

    def _finish_or_tell(self, context: ssl.SSLContext) -> None:
        try:
            self.finish_loads(context)
        except OSError as error:
            # All others must be finished all the same. This one trusts less than it should.
            _logger.error("an SSL context cannot be given what was loaded into it: %s", error)

    def forget_all(self) -> None:
        """End the present time of being hooked."""
        self._epoch = object()
        self._contexts.clear()

    def begin(self, context: ssl.SSLContext) -> None:
        """Start the record of a context that was made just now."""
        record = ContextRecord(self._epoch, self._follow(context), complete=True)
        vars(context)[RECORD] = record

    def find(self, context: ssl.SSLContext) -> ContextRecord | None:
        """The record of a context, unless it is older than the hooks."""
        record = self._newest(context)
        return record if record is not None and record.epoch is self._epoch else None

    def adopt(self, context: ssl.SSLContext) -> ContextRecord:
        """Give a context that is older than the hooks a record, by which nothing is known of it."""
        return self._found(context, complete=False, store=store_of(context))

    def adopt_default(self, context: ssl.SSLContext, load: Load | None) -> None:
        """Give a context that a library made with default trust, by ``load``, the record of that.

        Where that would load something else by now, or nobody can tell, nothing is known of it.
        """
        if load is None or self.find(context) is not None:
            return
        trust = Trust((load,))
        if holds_exactly(context, trust):
            self._found(
                context,
                complete=True,
                trust=trust,
                default_trust=True,
                store=store_of(context),
                # Libraries make such contexts with the level that OpenSSL has by default.
                knows_security_level=True,
            )

    def _found(self, context: ssl.SSLContext, **facts: Any) -> ContextRecord:
        """The record of an older context: a new one, unless somebody has been faster."""
        facts.setdefault("knows_security_level", tells_security_level(context))
        record = ContextRecord(self._epoch, self._follow(context), **facts)
        while True:
            standing = self._newest(context)
            if standing is None and self._place(context, record):
                return record
            if standing is not None and standing.epoch is self._epoch:
                return standing
            if standing is not None and standing.succeed(record):
                return self._show(context, record)

    def _place(self, context: ssl.SSLContext, record: ContextRecord) -> bool:
        """Put a first record in its place; ``False`` where another one has come there."""
        if vars(context).get(RECORD) is None:
            return vars(context).setdefault(RECORD, record) is record
        # That of another context has come with a copy of its attributes.
        self._show(context, record)
        return True

    def _newest(self, context: ssl.SSLContext) -> ContextRecord | None:
        record: ContextRecord | None = vars(context).get(RECORD)
        if record is None or record.reference() is not context:
            return None
        return record.latest()

    def _follow(self, context: ssl.SSLContext) -> weakref.ref[ssl.SSLContext]:
        # In C from end to end: what a callback of a weak reference raises is lost.
        drop = functools.partial(self._contexts.pop, id(context))
        reference = self._contexts[id(context)] = weakref.ref(context, drop)
        return reference

    def _show(self, context: ssl.SSLContext, record: ContextRecord) -> ContextRecord:
        # Only a short cut: an older one leads to it.
        vars(context)[RECORD] = record
        return record

    def _change(self, context: ssl.SSLContext, change: Callable[[ContextRecord], Facts]) -> None:
        """Change the record as it is by then."""
        record = self._newest(context)
        while record is not None:
            changed = record.changed(**change(record))
            if record.succeed(changed):
                self._show(context, changed)
                return
            record = record.latest()

    def _change_with(
        self,
        context: ssl.SSLContext,
        work: Callable[[], Any],
        done: Callable[[ContextRecord, Any], Facts],
        failed: Callable[[ContextRecord], Facts],
    ) -> Any:
        """Do what changes a context; until its record says what came of it, it is under way."""
        mark = object()
        self._change(context, lambda record: {"changes": record.changes | {mark}})
        try:
            result = work()
        except BaseException:
            self._change(context, lambda r: {**failed(r), "changes": r.changes - {mark}})
            raise
        self._change(context, lambda r: {**done(r, result), "changes": r.changes - {mark}})
        return result

    def find_or_adopt(self, context: ssl.SSLContext) -> ContextRecord:
        """The record of a context, whatever its age."""
        return self.find(context) or self.adopt(context)

    def note_default_trust(self, context: ssl.SSLContext) -> None:
        """Write down that the context was made with default trust."""
        self._change(context, lambda record: {"default_trust": True})

    def mark_incomplete(self, context: ssl.SSLContext) -> None:
        """From now on only the context itself can say what it trusts."""
        self._change(context, lambda record: {"complete": False})

    def finish_loads(self, context: ssl.SSLContext) -> None:
        """Do for real what is pending, since somebody looks at the context.

        Raises OSError where the process lacks something; what is left stays pending.
        """
        record = self._newest(context)
        if record is not None and record.pending:
            self._finish(context, record.pending)

    def _finish(self, context: ssl.SSLContext, pending: tuple[KnownLoad, ...]) -> None:
        def work() -> None:
            # What is done a second time after an interruption changes nothing.
            for known in pending:
                known.do(context)

        self._change_with(
            context,
            work,
            lambda record, _: {
                "pending": tuple(each for each in record.pending if each not in pending),
                "store": store_of(context),
            },
            lambda record: {"store": store_of(context)},
        )

    def load(
        self,
        load: Callable[[], None],
        context: ssl.SSLContext,
        describe: Callable[[], tuple[Load, ...]],
    ) -> None:
        """Do a caller's call that loads authorities, and write down what it loads.

        ``describe`` tells that; none where CPython is to refuse the call, or nobody knows.
        """
        record = self.find_or_adopt(context)
        loads = _describe(describe) if record.complete and not record.changes else ()
        if self._leave_pending(context, record, loads):
            return
        before = store_of(context)

        def work() -> bool:
            load()
            return self._confirm(loads) and not _has_failed_silently(context, before, loads)

        def done(record: ContextRecord, is_known: bool) -> Facts:
            complete, trust = record.complete and is_known, record.trust.plus(*loads)
            return {"complete": complete, "trust": trust, "store": store_of(context)}

        def failed(record: ContextRecord) -> Facts:
            # A bundle with one damaged certificate leaves those before it in the store.
            store = store_of(context)
            return {"complete": record.complete and store == before, "store": store}

        self._change_with(context, work, done, failed)

    def _confirm(self, loads: tuple[Load, ...]) -> bool:
        # A file that was replaced meanwhile may have been read before or after that.
        return bool(loads) and all(map(known_loads.confirm, loads))

    def _leave_pending(
        self, context: ssl.SSLContext, record: ContextRecord, loads: tuple[Load, ...]
    ) -> bool:
        # A server's context may be used in ways that nobody tells us of: a connection that is open
        # already, or one that takes it by the setter of another library.
        if not loads or context.protocol == ssl.PROTOCOL_TLS_SERVER:
            return False
        # What it has loaded, or is to load, counts already.
        new = tuple(each for each in loads if each not in record.trust.loads)
        known = known_loads.may_wait(new)
        if known is None:
            return False
        if not known:
            return True
        changed = record.changed(pending=record.pending + known, trust=record.trust.plus(*new))
        if not record.succeed(changed):
            return False
        self._show(context, changed)
        if not known_loads.lets_wait or changed.epoch is not self._epoch:
            # Whoever has stopped this meanwhile may have looked for what is pending before.
            self._finish(context, changed.pending)
        return True

    def set_ciphers(self, call: Callable[[], Any], context: ssl.SSLContext, ciphers: object) -> Any:
        """Do a caller's call that chooses ciphers."""

        def noted(record: ContextRecord, _: object = None) -> Facts:
            # One that fails may have changed the security level all the same.
            return {"ciphers": (*record.ciphers, ciphers)} if isinstance(ciphers, str) else {}

        self.find_or_adopt(context)
        return self._change_with(context, call, noted, noted)

    def set_offer(
        self, call: Callable[[], Any], context: ssl.SSLContext, method: str, argument: object
    ) -> Any:
        """Do a caller's call that chooses suites of TLS 1.3 or signature algorithms."""

        def noted(record: ContextRecord, _: object) -> Facts:
            if not isinstance(argument, str):
                return {}
            return {"offers": record.offering(method, argument)}

        self.find_or_adopt(context)
        # One that fails changes nothing.
        return self._change_with(context, call, noted, lambda _: {})

    def load_credentials(self, call: Callable[[], Any], context: ssl.SSLContext) -> Any:
        """Do a caller's call that loads a certificate."""
        self.find_or_adopt(context)
        # Where it fails, a look tells what is there: all that was before, a half of it, nothing.
        return self._change_with(
            context, call, lambda *_: {"credentials": True}, lambda _: {"credentials": False}
        )

    def set_shared_key(
        self, call: Callable[[], Any], context: ssl.SSLContext, *, is_given: bool
    ) -> Any:
        """Do a caller's call that gives, or takes back, what a pre-shared key comes from."""
        self.find_or_adopt(context)
        return self._change_with(
            context, call, lambda *_: {"has_shared_key": is_given}, lambda _: {}
        )

    def set_message_callback(self, call: Callable[[], Any], context: ssl.SSLContext) -> Any:
        """Do a caller's call that sets a message callback, which plans call."""
        if self.find(context) is None:
            return call()
        return self._change_with(context, call, lambda *_: {}, lambda _: {})

    def look_at(self, context: ssl.SSLContext, record: ContextRecord) -> ContextRecord:
        """A record with what only the context itself can tell, as it is now.

        It is nobody's successor: what it says of a certificate or of ciphers may have changed by
        the next time.
        """
        looked = examine(context, record)
        known = looked.credentials and not record.has_shared_key
        if not record.changes and (known, looked.complete, looked.store) != (
            record.credentials,
            record.complete,
            record.store,
        ):
            found = record.changed(credentials=known, complete=looked.complete, store=looked.store)
            # Where somebody has changed it meanwhile, the finding may be of the time before.
            if record.succeed(found):
                self._show(context, found)
        return looked


def _describe(describe: Callable[[], tuple[Load, ...]]) -> tuple[Load, ...]:
    try:
        return describe()
    except OSError:
        # The process cannot look at a file now. Let OpenSSL find out whether it can.
        return ()


def _has_failed_silently(
    context: ssl.SSLContext, before: tuple[int, ...], loads: tuple[Load, ...]
) -> bool:
    # OpenSSL says nothing of a default file that it cannot open, for want of descriptors, say.
    has_file = any(isinstance(each, DefaultPathsLoad) and each.state for each in loads)
    return has_file and store_of(context) == before


#: the records of this process
ledger = Ledger()
