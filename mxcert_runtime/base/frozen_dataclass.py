"""``@dataclass(frozen=True)`` of the standard library, at a fraction of what that costs to make.

The standard library writes, compiles and runs the source of six methods for each class, which for
a hundred classes is most of what an import takes. Here the classes share theirs, and the source of
``__init__`` is written for those that make many objects. What results is a dataclass all the same
(``fields``, ``replace``, ``asdict``); a test holds each class against the standard library's.
"""

from __future__ import annotations

import dataclasses
import operator
import reprlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen, eq=True, repr=True):
        """As :func:`dataclasses.dataclass`, for classes that nobody changes."""
        if not frozen:
            raise TypeError("made for classes that are frozen: take dataclasses.dataclass")
        return lambda cls: _frozen(cls, eq, repr)


def _frozen(cls: type[Any], has_equality: bool, has_text: bool) -> type[Any]:
    # Without one, the standard library writes its signature there, which takes half a millisecond.
    cls.__doc__ = cls.__doc__ or cls.__qualname__
    fields = _make_fields(cls)
    methods: list[Callable[..., Any]] = [
        _first_initializer(cls),
        *_refusals(cls, {each.name for each in fields}),
    ]
    if has_equality:
        methods += _comparisons([each.name for each in fields if each.compare])
    if has_text:
        methods.append(_representation([each.name for each in fields if each.repr]))
    for method in methods:
        method.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
        # As the standard library has it, what the class defines itself stays.
        if method.__name__ not in cls.__dict__ or cls.__dict__[method.__name__] is None:
            setattr(cls, method.__name__, method)
    return cls


# --- fields ---------------------------------------------------------------------------------------


@dataclasses.dataclass(init=False, repr=False, eq=False)
class _Sample:
    """What the standard library makes of a class without writing methods, for all of ours."""

    field: str


_FIELDS = "__dataclass_fields__"
#: what it writes on each field alike; Python 3.9 knows no `kw_only`
_PLAIN = {
    name: getattr(dataclasses.fields(_Sample)[0], name)
    for name in ("_field_type", "kw_only")
    if hasattr(dataclasses.Field, name)
}
#: what it writes on each class alike: parameters, and from Python 3.13 on `__replace__`
_ALIKE = {
    name: vars(_Sample)[name]
    for name in ("__dataclass_params__", "__replace__")
    if name in vars(_Sample)
}
#: in the annotation of what is no field, or one of another kind
_OTHERWISE = "ClassVar", "InitVar", "KW_ONLY"


def _make_fields(cls: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    """The fields of a class, by the standard library where it has others than plain ones.

    What takes the standard library its time is that it looks for those in each annotation.
    """
    # Before Python 3.10 a class without any has those of its base as its attribute.
    is_late = sys.version_info >= (3, 14) and "__annotations__" not in vars(cls)
    kinds = cls.__annotations__ if is_late else vars(cls).get("__annotations__", {})
    if not all(type(kind) is str and not _is_of_another_kind(kind) for kind in kinds.values()):
        dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        return dataclasses.fields(cls)
    fields: dict[str, dataclasses.Field[Any]] = {}
    for base in cls.__mro__[:0:-1]:
        fields.update(getattr(base, _FIELDS, {}))
    fields.update((name, _plain_field(cls, name, kind)) for name, kind in kinds.items())
    setattr(cls, _FIELDS, fields)
    for name, value in _ALIKE.items():
        setattr(cls, name, value)
    # Which Python 3.9 has not.
    if "__match_args__" in vars(_Sample) and "__match_args__" not in vars(cls):
        match_args = tuple(name for name, each in fields.items() if each.init)
        cls.__match_args__ = match_args  # type: ignore[misc]
    return tuple(fields.values())


def _is_of_another_kind(kind: str) -> bool:
    return any(each in kind for each in _OTHERWISE)


def _plain_field(cls: type[Any], name: str, kind: str) -> dataclasses.Field[Any]:
    standing: Any = getattr(cls, name, dataclasses.MISSING)
    if isinstance(standing, dataclasses.Field):
        field: dataclasses.Field[Any] = standing
        if field.default is dataclasses.MISSING:
            delattr(cls, name)
        else:
            setattr(cls, name, field.default)
    else:
        field = dataclasses.field(default=standing)
    field.name, field.type = name, kind
    for attribute, value in _PLAIN.items():
        setattr(field, attribute, value)
    return field


# --- __init__ ------------------------------------------------------------------------------------


#: objects of a class until the source of its ``__init__`` is worth the time it takes
_FEW = 24


def _first_initializer(cls: type[Any]) -> Callable[..., None]:
    """Sets the fields of the first objects one by one, then gives way to what is written for it."""
    made = 0

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        nonlocal made
        made += 1
        if made <= _FEW and _sets_fields(cls, self, values, named):
            return
        # Also for arguments that do not fit: the error is to be Python's own.
        initialize = _initializer(cls)
        # One assignment, so that another thread finds the one or the other.
        cls.__init__ = initialize
        initialize(self, *values, **named)

    return __init__


def _sets_fields(
    cls: type[Any], target: Any, values: tuple[Any, ...], named: dict[str, Any]
) -> bool:
    """Whether the arguments fit; nothing is set where they do not."""
    fields = dataclasses.fields(cls)
    given = dict(zip([each.name for each in fields if each.init], values))
    if len(given) < len(values) or not given.keys().isdisjoint(named):
        return False
    given.update(named)
    wanted = {each.name: each for each in fields if each.init}
    missing = [each for name, each in wanted.items() if name not in given and not _can_miss(each)]
    if missing or not given.keys() <= wanted.keys():
        return False
    for each in fields:
        if each.name in given:
            object.__setattr__(target, each.name, given[each.name])
        elif each.default_factory is not dataclasses.MISSING:
            object.__setattr__(target, each.name, each.default_factory())
        elif each.init:
            object.__setattr__(target, each.name, each.default)
    if hasattr(cls, "__post_init__"):
        target.__post_init__()
    return True


def _can_miss(field: dataclasses.Field[Any]) -> bool:
    return (
        field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    )


def _initializer(cls: type[Any]) -> Callable[..., None]:
    names: dict[str, Any] = {"_set": object.__setattr__, "_factory": object()}
    parameters, body = [], []
    for field in dataclasses.fields(cls):
        value = _value(field, names)
        if field.init:
            parameters.append(field.name + _default(field, names))
        if value is not None:
            body.append(f" _set(self, {field.name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    source = f"def __init__(self, {', '.join(parameters)}):\n" + "\n".join(body or [" pass"])
    exec(source, names)  # noqa: S102 (the standard library's way; all in it are names of fields)
    initialize: Callable[..., None] = names["__init__"]
    initialize.__qualname__ = f"{cls.__qualname__}.__init__"
    return initialize


def _value(field: dataclasses.Field[Any], names: dict[str, Any]) -> str | None:
    """The expression of what a field is set to, or None where ``__post_init__`` sets it."""
    if field.default_factory is dataclasses.MISSING:
        return field.name if field.init else None
    names[f"_make_{field.name}"] = field.default_factory
    made = f"_make_{field.name}()"
    return f"{made} if {field.name} is _factory else {field.name}" if field.init else made


def _default(field: dataclasses.Field[Any], names: dict[str, Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return "=_factory"
    if field.default is dataclasses.MISSING:
        return ""
    names[f"_default_{field.name}"] = field.default
    return f"=_default_{field.name}"


# --- the others ----------------------------------------------------------------------------------


def _refusals(cls: type[Any], names: set[str]) -> list[Callable[..., None]]:
    """What makes it frozen; a subclass that is not may have attributes of its own."""

    def __setattr__(self: Any, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return [__setattr__, __delattr__]


def _comparisons(names: list[str]) -> list[Callable[..., Any]]:
    # A constant for a class of no fields: all of its objects are equal.
    values = operator.attrgetter(*names) if names else operator.attrgetter("__class__")

    def __eq__(self: object, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or values(self) == values(other)

    def __hash__(self: object) -> int:
        return hash(values(self))

    return [__eq__, __hash__]


def _representation(names: list[str]) -> Callable[[object], str]:
    @reprlib.recursive_repr()
    def __repr__(self: object) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({told})"

    return __repr__
