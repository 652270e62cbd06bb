"""What stands in for a function or a method of others: by a function of ours, or by wrapt.

The only user of wrapt, and only where nothing else will do: wrapt brings asyncio along.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType, MethodDescriptorType, MethodType, WrapperDescriptorType
from typing import Any, cast

#: of code that gives a generator or a coroutine: `inspect.CO_GENERATOR` and its like
_SUSPENDED = 0x20 | 0x80 | 0x100 | 0x200
#: methods that need no binding: those of Python, and those of C
_CALLED_AS_THEY_ARE = FunctionType, MethodDescriptorType, WrapperDescriptorType

#: What stands in: it gets the original (bound, for methods), the instance, and the arguments.
Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class Switch:
    """Whether a replacement acts; off, it only hands on. ``in_class``: it stands in a class."""

    __slots__ = ("in_class", "on")

    def __init__(self, *, in_class: bool = False) -> None:
        self.on = True
        self.in_class = in_class


#: Makes a replacement from the original attribute and the switch that it must heed.
Build = Callable[[Any, Switch], Any]


def wrapping(wrapper: Wrapper) -> Build:
    """A replacement that keeps name, signature and introspection of what it wraps."""

    def build(original: Any, switch: Switch) -> Any:
        kind = type(original)
        if kind is staticmethod and type(original.__func__) is FunctionType:
            return staticmethod(_function(original.__func__, wrapper, switch))
        if kind is FunctionType and original.__code__.co_flags & _SUSPENDED:
            return _by_wrapt(original, wrapper, switch)
        if kind in _CALLED_AS_THEY_ARE:
            is_method = switch.in_class or kind is not FunctionType
            return (_method if is_method else _function)(original, wrapper, switch)
        return _by_wrapt(original, wrapper, switch)

    return build


def _function(original: Any, wrapper: Wrapper, switch: Switch) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, None, args, kwargs) if switch.on else original(*args, **kwargs)

    return call


def _method(original: Any, wrapper: Wrapper, switch: Switch) -> Any:
    @functools.wraps(original)
    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        if switch.on:
            return wrapper(MethodType(original, self), self, args, kwargs)
        return original(self, *args, **kwargs)

    return call


def _by_wrapt(original: Any, wrapper: Wrapper, switch: Switch) -> Any:
    """A proxy, for what a plain function cannot stand in for: descriptors, others' wrappers, what
    is told to be a coroutine."""
    import wrapt  # late: it brings asyncio along

    return wrapt.FunctionWrapper(original, wrapper, enabled=lambda: switch.on)


def unbound(attribute: Any) -> Callable[..., Any]:
    """What stands as a method, as a function that takes the instance first.

    The wrapper of a tracing agent that stood there before us learns its instance by being bound;
    a plain function needs no binding, and is called as it is.
    """
    # Not `isinstance`, which takes the proxies of wrapt for what they wrap.
    if type(attribute) in _CALLED_AS_THEY_ARE:
        return cast("Callable[..., Any]", attribute)

    bind = getattr(type(attribute), "__get__", lambda it, instance, owner: it)

    @functools.wraps(attribute)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return bind(attribute, self, type(self))(*args, **kwargs)

    return call
