"""grpcio, sync and aio: a channel presents what its target and the running code are to present.

A channel's credentials cannot be changed. A call under another decision than its channel was made
under, such as for another service or after a renewal, goes out on a channel beside it, which is
made like it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..base import ForkSafeLock, logger as _logger
from ..connections import OwnTls, ReuseKey, begin_unasked, reuse_key_now
from ..decisions.current_service import current_service
from .grpc_credentials import presents_own, tls_of, with_decision
from .grpc_targets import Place, UnknownTargetError, place_of
from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping

#: Where a channel has its :class:`_Origin`, and a method of a stub its :class:`_Method`.
_ORIGIN, _METHOD = "_mxcert_origin", "_mxcert_method"
#: An option with sessions to resume, also those that were opened by another identity.
_SESSION_CACHE = "grpc.ssl_session_cache", b"grpc.ssl_session_cache"
_KINDS = "unary_unary", "unary_stream", "stream_unary", "stream_stream"


class _Origin:
    """What a channel was made from, and those that were made like it for other decisions."""

    def __init__(self, make: Callable[[], Any], place: Place) -> None:
        self._make = make
        self._place = place
        #: what the channel itself presents
        self.key = self.key_now()
        self.is_closed = False
        self._beside: dict[ReuseKey | None, Any] = {}
        self._lock = ForkSafeLock()

    def key_now(self) -> ReuseKey | None:
        """What the running code is to present."""
        return reuse_key_now(*self._place)

    def channel_for(self, key: ReuseKey | None) -> Any:
        """The channel beside for a decision; those for what is over are let go."""
        with self._lock:
            channel = self._beside.get(key)
            if channel is None:
                _let_go_of_ended(self._beside)
                channel = self._beside[key] = self._make()
            return channel

    def close(self) -> list[Any]:
        """Make no further channel; returns those that there are, to be closed."""
        with self._lock:
            self.is_closed = True
            channels = list(self._beside.values())
            self._beside.clear()
            return channels


def _let_go_of_ended(known: dict[ReuseKey | None, Any]) -> None:
    for key in [each for each in known if each is not None and each.is_over]:
        del known[key]


class _Method:
    """A method of a stub, which can be made on each of the channels."""

    def __init__(self, origin: _Origin, kind: str, args: Any, kwargs: Any) -> None:
        self._origin = origin
        self._make = functools.partial(_made_on, kind, args, kwargs)
        self._known: dict[ReuseKey | None, Any] = {}

    def elsewhere(self) -> Any:
        """The method on the channel that presents what is due; ``None``: on its own."""
        origin = self._origin
        key = origin.key_now()
        if key is origin.key or origin.is_closed:
            return None
        method = self._known.get(key)
        if method is None:
            _let_go_of_ended(self._known)
            method = self._known[key] = self._make(origin.channel_for(key))
        return method


def _made_on(kind: str, args: Any, kwargs: Any, channel: Any) -> Any:
    return getattr(channel, kind)(*args, **kwargs)


def _initializing(kind: Callable[[], Any]) -> Any:
    def initialize(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        try:
            target, options, credentials, rest, named = _arguments(*args, **kwargs)
        except TypeError:
            return wrapped(*args, **kwargs)
        place = _place_of(target, options, credentials)
        if place is None:
            return wrapped(target, options, credentials, *rest, **named)
        # Before it is decided: settings that come meanwhile give another key.
        make = functools.partial(kind(), target, options, credentials, *rest, **named)
        origin = _Origin(make, place)
        decided = _decided(credentials, place)
        if decided is not credentials:
            options = _without_sessions(options)
        wrapped(target, options, decided, *rest, **named)
        setattr(instance, _ORIGIN, origin)

    return wrapping(initialize)


def _arguments(target: Any, options: Any, credentials: Any, *rest: Any, **named: Any) -> Any:
    # They may be an iterator, and are read more than once.
    return target, tuple(options), credentials, rest, named


def _without_sessions(options: Any) -> Any:
    return tuple(each for each in options if each[0] not in _SESSION_CACHE)


def _place_of(target: Any, options: Any, credentials: Any) -> Place | None:
    """What a channel is for, as far as it is ours to care."""
    if credentials is None or tls_of(credentials) is None:
        return None
    try:
        return place_of(target, options)
    except UnknownTargetError as error:
        _warn_of_target(str(target), str(error))
    except (TypeError, ValueError):
        pass  # gRPC says itself what is wrong with its options
    return None


@functools.lru_cache(maxsize=64)
def _warn_of_target(target: str, remedy: str) -> None:
    _logger.warning(
        "it is not certain for which host the gRPC channel to %r is, so it presents nothing. %s",
        target,
        remedy,
    )


def _decided(credentials: Any, place: Place) -> Any:
    own = OwnTls(presents_own=presents_own(tls_of(credentials)))
    attempt = begin_unasked((*place, current_service.get()), own)
    return credentials if attempt is None else with_decision(credentials, attempt)


def _making(kind: str) -> Any:
    def make(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        method = wrapped(*args, **kwargs)
        origin = vars(instance).get(_ORIGIN)
        if origin is not None:
            setattr(method, _METHOD, _Method(origin, kind, args, kwargs))
        return method

    return wrapping(make)


def _calling(name: str) -> Any:
    def call(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        method = getattr(instance, _METHOD, None)
        elsewhere = None if method is None else method.elsewhere()
        if elsewhere is None:
            return wrapped(*args, **kwargs)
        return getattr(elsewhere, name)(*args, **kwargs)

    return wrapping(call)


def _take_beside(channel: Any) -> list[Any]:
    origin = vars(channel).get(_ORIGIN)
    return [] if origin is None else origin.close()


def _close(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    for channel in _take_beside(instance):
        channel.close()
    return wrapped(*args, **kwargs)


async def _close_aio(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    for channel in _take_beside(instance):
        await channel._close(*args, **kwargs)
    return await wrapped(*args, **kwargs)


def _channel_patches(module: str, close: Any) -> Iterator[Patch]:
    owner = attribute_of(module, "Channel")
    yield Patch(owner, "__init__", _initializing(owner))
    yield Patch(owner, "_close", wrapping(close))
    for kind in _KINDS:
        yield Patch(owner, kind, _making(kind))


#: what a program calls of a stub, by the class of its method
_SYNC_CALLS = {
    "_UnaryUnaryMultiCallable": ("__call__", "with_call", "future"),
    "_UnaryStreamMultiCallable": ("__call__",),
    "_SingleThreadedUnaryStreamMultiCallable": ("__call__",),
    "_StreamUnaryMultiCallable": ("__call__", "with_call", "future"),
    "_StreamStreamMultiCallable": ("__call__",),
}
_AIO_CALLS = {
    "UnaryUnaryMultiCallable": ("__call__",),
    "UnaryStreamMultiCallable": ("__call__",),
    "StreamUnaryMultiCallable": ("__call__",),
    "StreamStreamMultiCallable": ("__call__",),
}


def _call_patches(module: str, calls: Mapping[str, tuple[str, ...]]) -> Iterator[Patch]:
    for kind, names in calls.items():
        for name in names:
            yield Patch(attribute_of(module, kind), name, _calling(name))


def _sync_patches() -> tuple[Patch, ...]:
    module = "grpc._channel"
    return (*_channel_patches(module, _close), *_call_patches(module, _SYNC_CALLS))


def _aio_patches() -> tuple[Patch, ...]:
    module = "grpc.aio._channel"
    return (*_channel_patches(module, _close_aio), *_call_patches(module, _AIO_CALLS))


_VERSIONS = KNOWN["grpc"].versions
LIBRARIES = (
    Library("grpc._channel", _sync_patches, "grpc", _VERSIONS),
    Library("grpc.aio._channel", _aio_patches, "grpc", _VERSIONS),
)
