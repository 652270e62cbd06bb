"""Counters of this process, which outlive every generation of settings.

Counting is on the hot path, reading is not. A forked process begins at zero: its parent goes on
telling what it counted itself, so the sum over the workers of a server is right.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any, Optional, TypeVar

#: what a reload comes to: a new generation, the same settings again, or faults
RELOAD_OUTCOMES = ("applied", "unchanged", "failed")

#: Distinct reasons of refusals that are told apart; those beyond are counted as one. There are
#: fewer alerts, but a reason that held a word of the server's could fill the memory.
_REASONS_LIMIT = 64
OTHER_REASONS = "other"

#: the name of an identity and of a rule
Pair = tuple[Optional[str], Optional[str]]
Key = TypeVar("Key")


class Tally:
    """A number that only grows; exact under threads, and without a lock.

    One step of :class:`itertools.count` is a single call into C, which no thread can interrupt
    while it has the GIL. An ``int`` that is read, added to and stored loses steps.
    """

    __slots__ = ("_base", "_steps", "add")

    #: Counts one; it may be kept, since it never becomes another.
    add: Callable[[], object]

    def __init__(self) -> None:
        self._steps = itertools.count()
        self._base = 0
        self.add = self._steps.__next__

    @property
    def value(self) -> int:
        """How often :attr:`add` was called in this process."""
        return self._reached() - self._base

    def restart(self) -> None:
        """Begin at zero, for those who keep :attr:`add` as well."""
        self._base = self._reached()

    def _reached(self) -> int:
        # `count(42)`: the only look that takes no step. Pickling, the other way, is deprecated
        # for itertools since Python 3.12.
        return int(repr(self._steps)[len("count(") : -1])


_connections: dict[Pair, Tally] = {}
_refusals: dict[str, Tally] = {}
_failures: dict[str, Tally] = {}
_reloads: dict[str, Tally] = {}


def connection_tally(identity_name: str | None, rule_name: str | None) -> Tally:
    """The tally of the connections that present an identity by a rule; the same one each time.

    ``None`` is: no identity, and no rule but the default. There are never more than the settings
    have identities and rules.
    """
    return _tally(_connections, (identity_name, rule_name))


def count_refusal(reason: str) -> None:
    """Count a handshake that failed over a certificate; the reason is the name of the alert."""
    is_known = reason in _refusals or len(_refusals) < _REASONS_LIMIT
    _tally(_refusals, reason if is_known else OTHER_REASONS).add()


def count_failure(kind: str) -> None:
    """Count a handshake, or the first answer behind it, that failed; kinds are few and fixed."""
    _tally(_failures, kind).add()


def count_reload(outcome: str) -> None:
    """Count a reload by what it came to, one of :data:`RELOAD_OUTCOMES`."""
    _tally(_reloads, outcome).add()


def connections() -> list[tuple[Pair, int]]:
    """How many connections were counted, by identity and rule."""
    return _values(_connections)


def refusals() -> dict[str, int]:
    """How many handshakes were refused, by reason."""
    return dict(_values(_refusals))


def failures() -> dict[str, int]:
    """How many handshakes failed, over whatever, by kind."""
    return dict(_values(_failures))


def reloads() -> dict[str, int]:
    """How many reloads there were, by outcome; every outcome is there."""
    return {**dict.fromkeys(RELOAD_OUTCOMES, 0), **dict(_values(_reloads))}


def restart_all() -> None:
    """Begin at zero, as a forked process does."""
    groups: tuple[dict[Any, Tally], ...] = (_connections, _refusals, _failures, _reloads)
    for tally in [each for group in groups for each in group.values()]:
        tally.restart()


def _tally(tallies: dict[Key, Tally], key: Key) -> Tally:
    # No lock, which a fork could take along while somebody holds it: of two threads that come
    # first together, setdefault lets one win before either has counted.
    return tallies.get(key) or tallies.setdefault(key, Tally())


def _values(tallies: dict[Key, Tally]) -> list[tuple[Key, int]]:
    return [(key, tally.value) for key, tally in list(tallies.items())]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=restart_all)
