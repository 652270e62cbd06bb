"""Patches on small modules and classes: in place once, away exactly, others left alone."""

from __future__ import annotations

import inspect
import logging
import sys
from types import ModuleType
from typing import Any

import pytest

from mxcert_runtime.errors import PatchError
from mxcert_runtime.hooks.patching import Addition, Patch, Switch, attribute_of, wrapping
from tests.hooks.samples import CALLS, Base, mark, own, patch_of

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
