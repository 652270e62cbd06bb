"""What is known of a caller's SSL context, as a value: its trust, and whether it has credentials.

A record is whole when it is seen, and does not change: a change makes a successor, by one step of
CPython's own that succeeds or does not. Whoever is interrupted before it, by a signal or for want
of memory, leaves the record that was there. There is no lock, so nobody waits for another.

A change of the context itself takes longer, and may fail half-way. While it is *under way* nothing
is taken for known: neither what the context trusts nor whether it has a certificate. A change that
was interrupted stays under way for ever.
"""

from __future__ import annotations

import dataclasses
import ssl
import weakref
from dataclasses import field
from typing import Any

from ..base import dataclass
from .load_cache import KnownLoad
from .trust import Trust

#: The attribute of a context that holds its record, or one that came before it.
RECORD = "_mxcert_record"

#: The only key of ``successor``.
_NEXT = "next"


class Hints:
    """What makes no difference to what a connection does; shared with successors."""

    __slots__ = ("is_kept", "is_warned_of")

    def __init__(self) -> None:
        #: whether the context has made a connection before, with loads pending
        self.is_kept = False
        self.is_warned_of = False


@dataclass(frozen=True, eq=False)
class ContextRecord:
    """What is known of one context at one moment."""

    epoch: object
    #: by it a record is told that came to another context, with a copy of its attributes
    reference: weakref.ref[ssl.SSLContext]
    #: whether ``trust`` is all that the context trusts
    complete: bool
    trust: Trust = field(default_factory=Trust)
    #: the loads among them that have not been done for real
    pending: tuple[KnownLoad, ...] = ()
    #: what OpenSSL counts in the store, after what was done for real; see :func:`store_of`
    store: tuple[int, ...] = (0, 0, 0)
    #: whether ``create_default_context`` gave it default trust, by whatever loads
    default_trust: bool = False
    #: whether it is known to authenticate itself; where not, only a look at it tells
    credentials: bool = False
    #: whether a pre-shared key is among them, which no look tells
    has_shared_key: bool = False
    #: arguments of ``set_ciphers`` in order; the ``@SECLEVEL`` of one outlives the next
    ciphers: tuple[str, ...] = ()
    #: whether ``ciphers`` hold the security level; unknown on Python 3.9 where it was not seen
    knows_security_level: bool = True
    #: methods by which it was told what else it offers, and the argument of the last call of each
    offers: tuple[tuple[str, str], ...] = ()
    #: one for each change that is under way
    changes: frozenset[object] = frozenset()
    hints: Hints = field(default_factory=Hints)
    successor: dict[str, ContextRecord] = field(default_factory=dict, init=False)

    def __reduce__(self) -> tuple[Any, ...]:
        # Of a context that somebody pickles or copies: the copy has no record.
        return type(None), ()

    def changed(self, **changes: Any) -> ContextRecord:
        """A record that differs in these fields, without what was derived from this one."""
        return dataclasses.replace(self, **changes)

    def offering(self, method: str, argument: str) -> tuple[tuple[str, str], ...]:
        """The ``offers`` after a call of this method, which takes the place of those before."""
        return (*(each for each in self.offers if each[0] != method), (method, argument))

    def succeed(self, other: ContextRecord) -> bool:
        """Put another in the place of this one, unless there is one already."""
        return self.successor.setdefault(_NEXT, other) is other

    def latest(self) -> ContextRecord:
        """This one, or the last of its successors."""
        record = self
        while record.successor:
            record = record.successor[_NEXT]
        return record
