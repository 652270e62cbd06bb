"""Patches on small modules and classes: in place once, away exactly, others left alone."""

from __future__ import annotations

import functools
import inspect
import itertools
import logging
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import wrapt

from mxcert_runtime.errors import PatchError
from mxcert_runtime.hooks.patching import (
    Addition,
    Build,
    Patch,
    Switch,
    attribute_of,
    unbound,
    wrapping,
)

_numbers = itertools.count()


class Base:
    """What a patched class inherits from."""

    def inherited(self) -> str:
        """Inherited, not its own."""
        return "inherited"


def _make_sample() -> type[Any]:
    class Sample(Base):
        """A class with one attribute of each kind."""

        def __new__(cls) -> Sample:
            """Made as any other."""
            return super().__new__(cls)

        def method(self, value: int = 1) -> str:
            """The method's own words."""
            return f"method {value}"

        @staticmethod
        def static(value: int = 1) -> str:
            """Static."""
            return f"static {value}"

        @classmethod
        def of_class(cls) -> str:
            """Of the class."""
            return f"class {cls.__name__}"

        @property
        def size(self) -> str:
            """A property."""
            return "size"

    return Sample


@pytest.fixture
def sample() -> type[Any]:
    """A new class, for the test to spoil."""
    return _make_sample()


def mark(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """A wrapper whose doing can be counted."""
    result = wrapped(*args, **kwargs)
    return f"<{result}>" if isinstance(result, str) else result


def patch_of(owner: Any, name: str, build: Build | None = None) -> Patch:
    """A patch that marks what the attribute returns."""
    return Patch(lambda: owner, name, build or wrapping(mark))


def own(owner: Any, name: str) -> Any:
    """What the owner itself stores under the name."""
    return vars(owner).get(name, "absent")


CALLS: dict[str, Callable[[Any], Any]] = {
    "method": lambda owner: owner().method(2),
    "static": lambda owner: owner.static(2) + owner().static(2),
    "of_class": lambda owner: owner.of_class() + owner().of_class(),
    "inherited": lambda owner: owner().inherited(),
}
MARKED = {
    "method": "<method 2>",
    "static": "<static 2><static 2>",
    "of_class": "<class Sample><class Sample>",
    "inherited": "<inherited>",
}


@pytest.mark.parametrize("name", CALLS)
def test_applied_acts_once_and_undone_not_at_all(sample: Any, name: str) -> None:
    """Each kind of attribute is wrapped once, however often applied, and restored as it was."""
    before, plain = own(sample, name), CALLS[name](sample)
    patch = patch_of(sample, name)
    patch.apply()
    patch.apply()
    assert MARKED[name] == CALLS[name](sample)
    patch.undo()
    assert own(sample, name) is before
    assert plain == CALLS[name](sample)
    patch.apply()
    assert MARKED[name] == CALLS[name](sample)


def test_absent_stays_absent(sample: Any) -> None:
    """What was inherited is inherited again, and the base class never changed."""
    base = own(Base, "inherited")
    patch = patch_of(sample, "inherited")
    patch.apply()
    assert own(Base, "inherited") is base
    assert "inherited" == Base().inherited()
    patch.undo()
    assert "absent" == own(sample, "inherited")


@pytest.mark.parametrize("name", ["method", "inherited"])
def test_undone_twice_is_undone_once(sample: Any, name: str) -> None:
    """A second undo does nothing, and so does an undo without an apply."""
    before = own(sample, name)
    patch = patch_of(sample, name)
    patch.undo()
    patch.apply()
    patch.undo()
    patch.undo()
    assert own(sample, name) is before


def test_new_is_patched(sample: Any) -> None:
    """``__new__`` takes a wrapper, and is a static method again behind it."""
    made: list[Any] = []

    def note(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        made.append(wrapped(*args, **kwargs))
        return made[-1]

    before = own(sample, "__new__")
    patch = patch_of(sample, "__new__", wrapping(note))
    patch.apply()
    assert [sample()] == made
    patch.undo()
    sample()
    assert 1 == len(made)
    assert own(sample, "__new__") is before


def test_instance_and_arguments_are_handed_on(sample: Any) -> None:
    """The wrapper sees the instance, and the original bound to it."""
    seen: list[Any] = []

    def note(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append((instance, args, kwargs))
        return wrapped(*args, **kwargs)

    patch_of(sample, "method", wrapping(note)).apply()
    instance = sample()
    assert "method 3" == instance.method(value=3)
    assert [(instance, (), {"value": 3})] == seen


def test_wrapt_half_imported(sample: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread that is importing wrapt at that moment is in nobody's way."""
    monkeypatch.setitem(sys.modules, "wrapt", ModuleType("wrapt"))
    patch = Patch(lambda: sample, "inherited", wrapping(mark))
    patch.apply()
    patch.undo()


def test_introspection_stays(sample: Any) -> None:
    """Name, signature and documentation are those of the original."""
    before = (sample.method.__name__, inspect.signature(sample.method), sample.method.__doc__)
    patch_of(sample, "method").apply()
    method = sample.method
    assert before == (method.__name__, inspect.signature(method), method.__doc__)


def test_a_property_by_its_own_build(sample: Any) -> None:
    """What is no function is replaced by what the patch builds of it, and heeds the switch."""

    def build(original: Any, switch: Switch) -> Any:
        return property(lambda self: f"<{original.fget(self)}>" if switch.on else "off")

    before = own(sample, "size")
    patch = patch_of(sample, "size", build)
    patch.apply()
    assert "<size>" == sample().size
    patch.undo()
    assert own(sample, "size") is before


def test_no_such_attribute(sample: Any) -> None:
    """A patch for what is not there raises, and leaves nothing."""
    before = dict(vars(sample))
    with pytest.raises(PatchError, match="nothing_here"):
        patch_of(sample, "nothing_here").apply()
    assert before == dict(vars(sample))


def test_no_such_owner() -> None:
    """A class that a module does not have is a PatchError as well: it is what activation says."""
    with pytest.raises(PatchError, match="NoSuchClass"):
        Patch(attribute_of("logging", "NoSuchClass"), "method", wrapping(mark)).apply()


def test_attribute_of() -> None:
    """Modules, classes, and what is in them; looked up when it is asked for."""
    assert attribute_of("logging")() is logging
    assert attribute_of("logging", "Logger")() is logging.Logger
    assert attribute_of("logging", "Logger.manager")() is logging.Logger.manager
    find = attribute_of("no_such_module_anywhere")
    with pytest.raises(ModuleNotFoundError):
        find()


def _foreign_by_name(owner: Any, name: str) -> None:
    """As most do it: the attribute is taken from the class, and a function put in its place."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def foreign(*args: Any, **kwargs: Any) -> Any:
        return f"foreign {original(*args, **kwargs)}"

    setattr(owner, name, foreign)


def _foreign_opaque(owner: Any, name: str) -> None:
    """As careless ones do it: without a trace of what is underneath."""
    original = getattr(owner, name)
    setattr(owner, name, lambda *args, **kwargs: f"foreign {original(*args, **kwargs)}")


def _foreign_by_wrapt(owner: Any, name: str) -> None:
    """As tracing agents do it."""

    def foreign(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return f"foreign {wrapped(*args, **kwargs)}"

    setattr(owner, name, wrapt.FunctionWrapper(vars(owner)[name], foreign))


FOREIGN = [_foreign_by_name, _foreign_opaque, _foreign_by_wrapt]


@pytest.mark.parametrize("put_on_top", FOREIGN)
@pytest.mark.parametrize("name", ["method", "inherited"])
def test_a_foreign_wrapper_stays(sample: Any, put_on_top: Any, name: str) -> None:
    """Another's wrapper survives undo, and we act once, not twice, when applied again."""
    plain = CALLS[name](sample)
    patch = patch_of(sample, name)
    patch.apply()
    put_on_top(sample, name)
    foreign = own(sample, name)
    patch.undo()
    assert own(sample, name) is foreign
    assert f"foreign {plain}" == CALLS[name](sample)
    for _ in range(3):
        patch.apply()
        assert 1 == CALLS[name](sample).count("<")
        patch.undo()
        assert own(sample, name) is foreign
        assert f"foreign {plain}" == CALLS[name](sample)


@pytest.mark.parametrize("put_on_top", FOREIGN)
def test_applied_again_beneath_a_foreign_wrapper(sample: Any, put_on_top: Any) -> None:
    """Applied twice with another's wrapper in between, we still act once, and can be undone."""
    patch = patch_of(sample, "method")
    patch.apply()
    put_on_top(sample, "method")
    patch.apply()
    assert 1 == sample().method().count("<")
    patch.undo()
    assert 0 == sample().method().count("<")


def test_a_foreign_wrapper_that_goes_again(sample: Any) -> None:
    """Where the other takes its wrapper away, our undone one is off, and then restored."""
    before = own(sample, "method")
    patch = patch_of(sample, "method")
    patch.apply()
    ours = own(sample, "method")
    _foreign_by_name(sample, "method")
    patch.undo()
    sample.method = ours
    assert "method 1" == sample().method()
    patch.apply()
    assert "<method 1>" == sample().method()
    patch.undo()
    assert own(sample, "method") is before


def test_a_replaced_attribute_is_not_taken_back(sample: Any) -> None:
    """What somebody put in our place stays there at undo."""
    patch = patch_of(sample, "method")
    patch.apply()
    sample.method = lambda self: "theirs"
    patch.undo()
    assert "theirs" == sample().method()


def test_functions_of_modules() -> None:
    """A module's function is patched for those who look it up in the module."""
    module = ModuleType("some_module")
    original = module.work = lambda: "work"  # type: ignore[attr-defined]
    patch = patch_of(module, "work")
    patch.apply()
    assert "<work>" == module.work()
    patch.undo()
    assert module.work is original


def _build_plain(original: Any, switch: Switch) -> Any:
    """A plain function in the place of a method, as the hot path has it."""
    original = unbound(original)
    return lambda self, *args, **kwargs: f"<{original(self, *args, **kwargs)}>"


class TestUnbound:
    """What stood before is called as it is without us, whatever it is."""

    def test_functions_are_called_as_they_are(self, sample: Any) -> None:
        """A function, of Python or of C, is not wrapped once more."""
        for function in (own(sample, "method"), str.upper, object.__repr__):
            assert function is unbound(function)

    @pytest.mark.parametrize("name", ["method", "inherited"])
    @pytest.mark.parametrize("put_on", FOREIGN)
    def test_foreign_wrappers(self, sample: Any, put_on: Any, name: str) -> None:
        """Another's wrapper that stood before is bound, and gets the arguments alone."""
        if name == "inherited" and put_on is _foreign_by_wrapt:
            sample.inherited = Base.inherited
        put_on(sample, name)
        plain = CALLS[name](sample)
        patch_of(sample, name, _build_plain).apply()
        assert f"<{plain}>" == CALLS[name](sample)

    def test_instance_of_a_foreign_wrapper(self, sample: Any) -> None:
        """A wrapper of wrapt is told the instance, and the rest of the arguments."""
        told: list[Any] = []

        def foreign(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            told.append((instance, args, kwargs))
            return wrapped(*args, **kwargs)

        sample.method = wrapt.FunctionWrapper(own(sample, "method"), foreign)
        patch_of(sample, "method", _build_plain).apply()
        instance = sample()
        instance.method(2)
        instance.method(value=3)
        assert [(instance, (2,), {}), (instance, (), {"value": 3})] == told

    def test_what_is_not_bound(self, sample: Any) -> None:
        """A callable that is no descriptor never saw the instance, and does not now."""

        class Answer:
            def __call__(self) -> list[int]:
                return [1, 2]

        sample.method = Answer()
        patch_of(sample, "method", _build_plain).apply()
        assert "<[1, 2]>" == sample().method()


@pytest.mark.parametrize("build", [wrapping(mark), _build_plain])
class TestInherited:
    """A method that the class inherits is the one that it would inherit without us."""

    @pytest.fixture
    def family(self) -> tuple[Any, Any]:
        """A class of its own, and one that inherits from it."""
        parent = type("Parent", (), {"act": lambda self: "act"})
        return parent, type("Child", (parent,), {})

    def test_wrapped_later(self, family: Any, build: Build) -> None:
        """What others put into the class that it comes from is called, and what they take away."""
        parent, child = family
        before = own(parent, "act")
        patch_of(child, "act", build).apply()
        _foreign_by_wrapt(parent, "act")
        assert ("<foreign act>", "foreign act") == (child().act(), parent().act())
        parent.act = before
        assert "<act>" == child().act()

    def test_unwrapped_later(self, family: Any, build: Build) -> None:
        """A wrapper that stood there before us is called for as long as it stands."""
        parent, child = family
        before = own(parent, "act")
        _foreign_by_wrapt(parent, "act")
        patch_of(child, "act", build).apply()
        assert "<foreign act>" == child().act()
        parent.act = before
        assert "<act>" == child().act()

    def test_of_several_classes(self, family: Any, build: Build) -> None:
        """A subclass with another parent beside ours is asked in its own order."""
        parent, child = family
        other = type("Other", (parent,), {"act": lambda self: "other"})
        both = type("Both", (child, other), {})
        patch_of(child, "act", build).apply()
        assert "<other>" == both().act()


class TestAddition:
    """An attribute of our own stands as long as the patches do."""

    def test_comes_and_goes(self, sample: Any) -> None:
        """It is there once applied, and nothing of it is left after undo, however often."""
        addition = Addition(lambda: sample, "_ours", "value")
        for _ in range(2):
            addition.apply()
            addition.apply()
            assert "value" == own(sample, "_ours")
            addition.undo()
            assert "absent" == own(sample, "_ours")

    def test_replaced(self, sample: Any) -> None:
        """What somebody put in its place stays there."""
        addition = Addition(lambda: sample, "_ours", "value")
        addition.apply()
        sample._ours = "theirs"
        addition.undo()
        assert "theirs" == own(sample, "_ours")
