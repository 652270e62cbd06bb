"""What a caller did to its SSL context, written down as it happens, because OpenSSL does not tell.

A record is *complete* when it was begun with the context itself. A context that is older than the
hooks has none, and a load that failed half-way leaves its record incomplete: nobody may then
claim to know what such a context trusts.
"""

from __future__ import annotations

import os
import ssl
import weakref
from collections.abc import Callable
from typing import Any

from .credential_probe import presents_certificate
from .native_ssl import GenuineContext
from .trust import (
    DirectoryLoad,
    Load,
    Trust,
    TrustChangedError,
    data_load,
    default_paths_load,
    file_load,
)

_ATTRIBUTE = "_mxcert_record"


class ContextRecord:
    """What is known of one context: its trust, its ciphers, and whether it authenticates itself."""

    __slots__ = (
        "__weakref__",
        "ciphers",
        "complete",
        "credentials",
        "default_trust",
        "epoch",
        "is_warned_of",
        "knows_security_level",
        "plans",
        "trust",
        "validity",
    )

    def __init__(self, epoch: object, *, complete: bool) -> None:
        self.epoch = epoch
        #: whether ``trust`` is all that the context trusts
        self.complete = complete
        self.trust = Trust()
        #: whether ``create_default_context`` gave it default trust, by whatever loads
        self.default_trust = False
        #: arguments of ``set_ciphers`` in order; the ``@SECLEVEL`` of one outlives the next
        self.ciphers: tuple[str, ...] = ()
        #: whether the caller loaded a certificate or a pre-shared key of its own
        self.credentials = False
        #: whether ``ciphers`` hold the security level; unknown on Python 3.9 where it was not seen
        self.knows_security_level = True
        self.is_warned_of = False
        #: what connections of this context do, by decision, as long as ``validity`` is the same
        self.plans: dict[Any, Any] = {}
        self.validity: object = None

    def changed(self) -> None:
        """Forget what was derived from the state before."""
        self.plans, self.validity = {}, None


class Ledger:
    """All records. Those of an earlier time of being hooked count no more.

    Between two such times contexts change unseen.
    """

    def __init__(self) -> None:
        self._epoch = object()
        self._records: weakref.WeakSet[ContextRecord] = weakref.WeakSet()

    def forget_all(self) -> None:
        """End the present time of being hooked."""
        self._epoch = object()
        for record in list(self._records):
            record.changed()
        self._records.clear()

    def _new_record(self, context: ssl.SSLContext, *, complete: bool) -> ContextRecord:
        record = ContextRecord(self._epoch, complete=complete)
        context.__dict__[_ATTRIBUTE] = record
        self._records.add(record)
        return record

    def begin(self, context: ssl.SSLContext) -> None:
        """Start the record of a context that was made just now."""
        self._new_record(context, complete=True)

    def find(self, context: ssl.SSLContext) -> ContextRecord | None:
        """The record of a context, unless it is older than the hooks."""
        record: ContextRecord | None = context.__dict__.get(_ATTRIBUTE)
        return record if record is not None and record.epoch is self._epoch else None

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

    def load_verify_locations(
        self,
        load: Callable[..., None],
        context: ssl.SSLContext,
        cafile: Any = None,
        capath: Any = None,
        cadata: Any = None,
    ) -> None:
        """Do the load and write it down."""
        record = self.find(context)
        if record is None:
            return load(cafile, capath, cadata)
        file = None if cafile is None else file_load(os.fsdecode(cafile))
        try:
            load(cafile, capath, cadata)
        except BaseException as error:
            # A bundle with one damaged certificate leaves those before it in the store.
            record.complete = record.complete and _loaded_nothing(error, cadata)
            record.changed()
            raise
        self._note_loads(record, file, capath, cadata)

    def _note_loads(self, record: ContextRecord, file: Any, capath: Any, cadata: Any) -> None:
        if file is not None:
            # A file that was replaced meanwhile may have been read before or after that.
            record.complete = record.complete and file == file_load(file.path)
            record.trust = record.trust.plus(file)
        if capath is not None:
            record.trust = record.trust.plus(DirectoryLoad(os.fsdecode(capath)))
        if cadata is not None:
            content = cadata if isinstance(cadata, str) else bytes(cadata)
            record.trust = record.trust.plus(data_load(content))
        record.changed()

    def set_default_verify_paths(self, load: Callable[[], None], context: ssl.SSLContext) -> None:
        """Do the load and write it down."""
        record = self.find(context)
        before = default_paths_load() if record else None
        load()
        if record is not None and before is not None:
            record.complete = record.complete and before == default_paths_load()
            record.trust = record.trust.plus(before)
            record.changed()

    def note_ciphers(self, context: ssl.SSLContext, ciphers: str) -> None:
        """Write down that the caller chose ciphers."""
        record = self.find(context)
        if record is not None:
            record.ciphers += (ciphers,)
            record.changed()

    def note_credentials(self, context: ssl.SSLContext) -> None:
        """Write down that the caller authenticates itself on this context."""
        record = self.find(context)
        if record is not None:
            record.credentials = True
            record.changed()


def _loaded_nothing(error: BaseException, cadata: Any) -> bool:
    # CPython loads `cadata` before it looks for the file.
    return isinstance(error, FileNotFoundError) and cadata is None


def _store_stats(trust: Trust) -> dict[str, int] | None:
    context = GenuineContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        trust.load_into(context)
    except TrustChangedError:
        return None
    stats: dict[str, int] = context.cert_store_stats()
    return stats


#: the records of this process
ledger = Ledger()
