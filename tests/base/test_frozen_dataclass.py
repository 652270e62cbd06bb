"""Our ``@dataclass(frozen=True)`` is the standard library's in all that can be seen of it."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Generic

import pytest

import mxcert_runtime
from mxcert_runtime.base import frozen_dataclass


def _classes() -> Iterator[type]:
    """Each class of the package that is made so."""
    for found in pkgutil.walk_packages(mxcert_runtime.__path__, "mxcert_runtime."):
        if found.name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(found.name)
        except ImportError:  # what its extra brings is not installed
            continue
        for each in vars(module).values():
            is_own = isinstance(each, type) and each.__module__ == found.name
            made_by = getattr(getattr(each, "__setattr__", None), "__module__", None)
            if is_own and made_by == frozen_dataclass.__name__:
                yield each


def _twin(cls: type) -> type:
    """The same fields, by the standard library alone."""
    fields = [
        (
            each.name,
            each.type,
            dataclasses.field(
                default=each.default,
                default_factory=each.default_factory,  # type: ignore[arg-type]
                init=each.init,
                repr=each.repr,
                compare=each.compare,
            ),
        )
        for each in dataclasses.fields(cls)
    ]
    return dataclasses.make_dataclass(cls.__name__, fields, frozen=True)


def _parameters(initialize: Callable[..., Any]) -> list[tuple[str, bool]]:
    found = inspect.signature(initialize).parameters.values()
    return [(each.name, each.default is each.empty) for each in found]


def test_each_class_is_initialized_as_the_standard_library_would() -> None:
    """Names, order and what may be left out: those of a twin that the standard library makes."""
    classes = list(_classes())
    expected = {cls: _parameters(_twin(cls).__init__) for cls in classes}
    actual = {cls: _parameters(frozen_dataclass._initializer(cls)) for cls in classes}
    assert expected == actual
    assert len(classes) > 80


def _told(cls: type) -> tuple[object, ...]:
    """What the standard library has written on a class, and on its fields."""
    names = ("__match_args__", "__dataclass_params__", "__replace__")
    parts = [each for each in dataclasses.Field.__slots__ if each not in ("metadata", "type")]
    fields = [[getattr(each, part) for part in parts] for each in dataclasses.fields(cls)]
    return [repr(getattr(cls, name, None)) for name in names], fields


def _by_the_standard_library(cls: type) -> type:
    """A class of the same body, made with methods of ours but by the standard library."""
    own = {each: vars(cls)[each] for each in ("__annotations__", "__doc__", "__module__")}
    fields = {each.name: each for each in dataclasses.fields(cls)}
    for name in own["__annotations__"]:
        field = fields[name]
        own[name] = dataclasses.field(
            default=field.default,
            default_factory=field.default_factory,  # type: ignore[arg-type]
            init=field.init,
            repr=field.repr,
            compare=field.compare,
        )
    bases = tuple(each for each in cls.__bases__ if each is not Generic)
    twin = type(cls.__name__, bases, own)
    return dataclasses.dataclass(init=False, repr=False, eq=False)(twin)


def test_each_class_has_the_fields_of_the_standard_library() -> None:
    """Each attribute of each field, in their order, and what stands on the class beside them."""
    classes = [each for each in _classes() if "__annotations__" in vars(each)]
    expected = {cls: _told(_by_the_standard_library(cls)) for cls in classes}
    assert expected == {cls: _told(cls) for cls in classes}
    assert len(classes) > 80


def test_other_fields_are_the_standard_librarys() -> None:
    """What is no field, or takes a keyword only, is told by its annotation."""

    @frozen_dataclass.dataclass(frozen=True)
    class Other(Ours):
        shared: ClassVar[int] = 3
        later: int = 4

    assert "later" == dataclasses.fields(Other)[-1].name
    assert "shared" not in {each.name for each in dataclasses.fields(Other)}
    assert (3, 4) == (Other.shared, Other(1).later)


def test_what_is_not_known_here_is_not_used() -> None:
    """No class has what only the standard library's serves: it would be left out in silence."""
    for cls in _classes():
        assert None is not cls.__hash__, cls
        for each in dataclasses.fields(cls):
            assert (None, False) == (each.hash, getattr(each, "kw_only", False)), (cls, each)
            assert "self" != each.name, cls
        kinds = [str(each) for each in vars(cls).get("__annotations__", {}).values()]
        assert [] == [each for each in kinds if "InitVar" in each], cls


@frozen_dataclass.dataclass(frozen=True)
class Ours:
    number: int
    text: str = "a"
    #: one list for each object
    parts: list[int] = dataclasses.field(default_factory=list)
    secret: str = dataclasses.field(default="", repr=False)
    note: str = dataclasses.field(default="", compare=False)
    derived: int = dataclasses.field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "derived", self.number + 1)


@dataclasses.dataclass(frozen=True)
class Theirs:
    number: int
    text: str = "a"
    parts: list[int] = dataclasses.field(default_factory=list)
    secret: str = dataclasses.field(default="", repr=False)
    note: str = dataclasses.field(default="", compare=False)
    derived: int = dataclasses.field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "derived", self.number + 1)


def _assigned(cls: Any) -> object:
    cls(1).number = 2
    return None


def _deleted(cls: Any) -> object:
    del cls(1).text
    return None


@pytest.mark.parametrize(
    "question",
    [
        lambda cls: repr(cls(1, note="n", secret="s")),
        lambda cls: dataclasses.asdict(cls(1, "b", [2], note="n")),
        lambda cls: dataclasses.astuple(dataclasses.replace(cls(1, "b"), number=5)),
        lambda cls: cls(1) == cls(1, note="other"),
        lambda cls: cls(1) == cls(1, secret="other"),
        lambda cls: cls(1) == (1, "a", [], ""),
        lambda cls: cls(1).parts is cls(1).parts,
        lambda cls: vars(pickle.loads(pickle.dumps(cls(7, "x")))),  # noqa: S301 (our own)
        lambda cls: cls(),
        lambda cls: cls(1, unknown=2),
        lambda cls: hash(cls(1)),
        lambda cls: {cls(1, parts=()): 2}[cls(1, parts=(), note="other")],
        _assigned,
        _deleted,
    ],
)
def test_as_the_standard_library_has_it(question: Callable[[Any], object]) -> None:
    """What is answered and what is raised is the same."""
    assert _answer(question, Theirs) == _answer(question, Ours)


def _answer(question: Callable[[Any], object], cls: type) -> object:
    try:
        answer = question(cls)
    except Exception as error:
        answer = (type(error), str(error))
    return re.sub(r"\w+\.<locals>\.", "", repr(answer).replace("Theirs", "Ours"))


def test_compared_by_identity() -> None:
    """Without ``eq`` an object equals itself alone, and can be in a set whatever it holds."""

    @frozen_dataclass.dataclass(frozen=True, eq=False)
    class Unique:
        parts: list[int]

    one, other = Unique([]), Unique([])
    assert (False, True, 2) == (one == other, one == one, len({one, other}))


def test_subclass_of_fields_and_of_none() -> None:
    """A subclass has its base's fields before its own; one that is no dataclass may be changed."""

    @frozen_dataclass.dataclass(frozen=True)
    class Longer(Ours):
        last: int = 9

    class Loose(Ours):
        extra = 0

    loose = Loose(1)
    loose.extra = 5
    assert ["number", "text", "parts", "secret", "note", "last"] == [
        each.name for each in dataclasses.fields(Longer) if each.init
    ]
    assert (2, 9, 5) == (Longer(1).derived, Longer(1).last, loose.extra)
    assert Ours(1) != Longer(1)


def test_methods_of_the_class_stay() -> None:
    """What a class defines itself is not written over."""

    @frozen_dataclass.dataclass(frozen=True)
    class Own:
        secret: str

        def __repr__(self) -> str:
            return "told by itself"

    assert "told by itself" == repr(Own("s"))


def _make(cls: type[Any], count: int) -> None:
    for number in range(count):
        cls(number)


def test_few_objects_no_source() -> None:
    """The source of ``__init__`` is written once, and not for a class of a few objects."""

    @frozen_dataclass.dataclass(frozen=True)
    class Made:
        part: int

    first = Made.__init__
    _make(Made, frozen_dataclass._FEW)
    assert first is Made.__init__
    _make(Made, 1)
    second = Made.__init__
    _make(Made, 2)
    assert (False, True) == (first is second, Made.__init__ is second)
    assert ["self", "part"] == list(inspect.signature(second).parameters)


@pytest.mark.parametrize("before", [0, frozen_dataclass._FEW], ids=["by hand", "written"])
@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, 2, 3), {}), ((1,), {"part": 2}), ((1,), {"other": 2}), ((), {"more": 1})],
)
def test_arguments_that_do_not_fit(
    before: int, values: tuple[int, ...], named: dict[str, int]
) -> None:
    """What is raised is what the standard library's raises, for the first object as for others."""

    @frozen_dataclass.dataclass(frozen=True)
    class Ours:
        part: int
        more: int = 0

    theirs = _twin(Ours)
    _make(Ours, before)
    answers = [_answer(lambda cls: cls(*values, **named), each) for each in (theirs, Ours)]
    assert answers[0] == answers[1]
    assert "TypeError" in answers[1]


@pytest.mark.parametrize("before", [0, frozen_dataclass._FEW], ids=["by hand", "written"])
def test_fields_as_the_standard_library_sets_them(before: int) -> None:
    """Defaults, factories and what is derived: the first object as all others."""

    @frozen_dataclass.dataclass(frozen=True)
    class Fresh(Ours):
        last: int = 9

    _make(Fresh, before)
    expected = {"number": 4, "text": "b", "parts": [], "secret": "", "note": "n", "last": 9}
    assert {**expected, "derived": 5} == vars(Fresh(4, "b", note="n"))
    assert Fresh(1).parts is not Fresh(1).parts
