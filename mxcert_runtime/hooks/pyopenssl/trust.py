"""pyOpenSSL: what a program's Context is told to trust is written down, and extra CAs join it.

A Context keeps one store for all its connections, which OpenSSL lets grow and never shrink. Extra
CAs therefore join the store itself where that holds default trust: when it is loaded, and once more
for a connection under settings that have others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...base import logger as _logger
from ...connections import UNKNOWN, Holding, joining, why_extra_do_not_count
from ...contexts import Load, described_loads
from ...decisions import Generation, in_force
from ..patching import Wrapper
from .objects import add_authorities

#: Where a Context keeps what it was told to trust, and when that was begun.
_HELD = "_mxcert_held"
#: Where a Context keeps the digests of the extra CAs that have joined it.
_JOINED = "_mxcert_joined"
#: Where a Context keeps that a warning was given of it.
_WARNED = "_mxcert_is_warned_of"

#: Tells one time of being hooked from another, between which Contexts change unseen.
_epoch = object()


def trust_held_by(context: Any) -> Holding:
    """What a Context was told to trust, as far as it was seen from its beginning."""
    epoch, held = vars(context).get(_HELD, (None, UNKNOWN))
    return held if epoch is _epoch else UNKNOWN


def forget_all() -> None:
    """Know nothing any more of what Contexts hold."""
    global _epoch
    _epoch = object()


def note_unseen_loads(context: Any) -> None:
    """Note that a program has its hands on the store, past what is seen."""
    _note(context, lambda held: replace(held, has_more=True))


def join_extra_authorities(context: Any, generation: Generation) -> None:
    """Let the extra CAs of the settings count for a Context with default trust, once.

    Where nobody can tell whether it has that, a warning says so, once.
    """
    extra = generation.extra_authorities
    if extra is None:
        return
    held, joined = trust_held_by(context), vars(context).get(_JOINED, frozenset())
    if joining(extra, held) is not None:
        if extra.digest not in joined:
            add_authorities(context, extra)
            setattr(context, _JOINED, joined | {extra.digest})
    elif not held.complete and not vars(context).get(_WARNED):
        setattr(context, _WARNED, True)
        _logger.warning("%s", why_extra_do_not_count(extra))


def _note(context: Any, change: Callable[[Holding], Holding]) -> None:
    setattr(context, _HELD, (_epoch, change(trust_held_by(context))))


def _begin(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    setattr(instance, _HELD, (_epoch, Holding()))
    return result


def _set_default_verify_paths(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    _note(instance, lambda held: replace(held, default_trust=True))
    _join(instance)
    return result


def _load_verify_locations(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    try:
        result = wrapped(*args, **kwargs)
    except Exception:
        # A bundle with one damaged certificate leaves those before it in the store.
        note_unseen_loads(instance)
        raise
    loads = _describe(*args, **kwargs)
    _note(instance, lambda held: replace(held, trust=held.trust.plus(*loads)))
    _join(instance)
    return result


def _describe(cafile: Any = None, capath: Any = None) -> tuple[Load, ...]:
    return described_loads(cafile, capath)


def _join(context: Any) -> None:
    if in_force.current is not None:
        join_extra_authorities(context, in_force.current)


#: the methods of a Context by which it is told what to trust
WRAPPERS: dict[str, Wrapper] = {
    "__init__": _begin,
    "set_default_verify_paths": _set_default_verify_paths,
    "load_verify_locations": _load_verify_locations,
}
