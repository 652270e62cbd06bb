"""``with service("Module.Name")`` and its decorator: names the service of the calls inside.

The name is a context variable: asyncio tasks inherit it from where they are created, and threads
do not. A pool of threads starts without it; ``contextvars.copy_context().run`` carries it over, as
it does every context variable, and ``asyncio.to_thread`` does so by itself.
"""

from __future__ import annotations

import functools
import inspect
import sys
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from types import CodeType, FrameType, TracebackType
from typing import Any, TypeVar, cast

from ..base import NearWords, logger as _logger
from . import in_force
from .current_service import ServiceEntry, enter_service, last_entry_of, leave_service
from .generation import Generation

_Function = TypeVar("_Function", bound=Callable[..., Any])


#: A frame, for as long as it runs: its number may be another's later, which runs other code.
_Place = tuple[int, CodeType]


def _place_of(frame: FrameType) -> _Place:
    return id(frame), frame.f_code


class service:
    """The scope of a service, for the TLS connections that are opened inside.

    A context manager, usable again and in nested scopes, and a decorator for functions,
    coroutines and generators, which are in the scope only while they run themselves. A ``with``
    around a ``yield`` is open in the code that consumes the generator, until the generator ends.
    Each scope leaves its own service, in whatever order, thread or context it ends. A name that
    the settings do not know is a warning, once. Raises TypeError for a name that is no text.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f"a service is named by a text, such as 'Module.Name', not {name!r}")
        self.name = name
        #: what was entered and not left, by the frame of the ``with`` statement
        self._entered: dict[object, list[ServiceEntry]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Where it was entered is no affair of a copy.
        return type(self), (self.name,)

    def __enter__(self) -> service:
        generation = in_force.current
        if generation is not None and self.name not in generation.policy.services:
            _warn_of_unknown_service(generation, self.name)
        place = _place_of(sys._getframe(1))
        entry = enter_service(self.name, self, place)
        self._entered.setdefault(place, []).append(entry)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entry = self._take_entry(_place_of(sys._getframe(1)))
        if entry is not None:
            leave_service(entry)

    def _take_entry(self, place: _Place) -> ServiceEntry | None:
        """The entry that ends now. One object may have many, of threads, tasks and generators.

        That of a ``with`` statement is told by its frame, in whatever context it ends. Otherwise
        (``ExitStack``, calls by hand) it is the last one in the present context, or the only one.
        """
        entry = self._last_entered(place) or last_entry_of(self) or self._only_entered()
        if entry is not None:
            entered = self._entered.get(entry.place, [])
            if entry in entered:
                entered.remove(entry)
            if not entered:
                self._entered.pop(entry.place, None)
        return entry

    def _last_entered(self, place: _Place) -> ServiceEntry | None:
        entered = self._entered.get(place)
        return entered[-1] if entered else None

    def _only_entered(self) -> ServiceEntry | None:
        entered = [entry for entries in tuple(self._entered.values()) for entry in entries]
        return entered[0] if len(entered) == 1 else None

    def __call__(self, function: _Function) -> _Function:
        if inspect.isasyncgenfunction(function):
            wrapper = self._wrap_async_generator(function)
        elif inspect.isgeneratorfunction(function):
            wrapper = self._wrap_generator(function)
        elif inspect.iscoroutinefunction(function):
            wrapper = self._wrap_coroutine(function)
        else:
            wrapper = self._wrap_function(function)
        return cast("_Function", functools.wraps(function)(wrapper))

    def _wrap_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return call

    def _wrap_coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return call

    # A `with` around the `yield` would leave the scope open in the code that consumes the
    # generator (PEP 568 was to change that, and was not accepted), hence step by step.

    def _wrap_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            generator = function(*args, **kwargs)
            step, value = generator.send, None
            while True:
                try:
                    with self:
                        item = step(value)
                except StopIteration as end:
                    return end.value
                try:
                    value, step = (yield item), generator.send
                except GeneratorExit:
                    with self:
                        generator.close()
                    raise
                except BaseException as error:  # thrown in by the consumer
                    value, step = error, generator.throw

        return call

    def _wrap_async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            generator = function(*args, **kwargs)
            step, value = generator.asend, None
            while True:
                try:
                    with self:
                        item = await step(value)
                except StopAsyncIteration:
                    return
                try:
                    value, step = (yield item), generator.asend
                except GeneratorExit:
                    with self:
                        await generator.aclose()
                    raise
                except BaseException as error:  # thrown in by the consumer
                    value, step = error, generator.athrow

        return call


_MOST_WARNINGS = 256
#: names that were warned of, by generation
_warned: weakref.WeakKeyDictionary[Generation, set[str]] = weakref.WeakKeyDictionary()


def _warn_of_unknown_service(generation: Generation, name: str) -> None:
    """Warn of a name once in each generation, with the names that it may have meant.

    A program that makes up a name for each call is told of the first ones only.
    """
    warned = _warned.setdefault(generation, set())
    if name in warned or len(warned) >= _MOST_WARNINGS:
        return
    warned.add(name)
    _logger.warning("%s", describe_unknown_service(name, generation.policy.services))


def describe_unknown_service(name: str, known: Iterable[str]) -> str:
    """What it means that the settings do not know a service, with the names it may have meant."""
    near = NearWords().closest(name, known, 3)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"no setting knows the service {name!r}, so its connections go by their hosts{hint}"
