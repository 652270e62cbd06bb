"""Patches among wrappers of others: bound as they are, never lost, and never acting twice."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import wrapt

from mxcert_runtime.hooks.patching import Build, Switch, unbound, wrapping
from tests.hooks.samples import CALLS, Base, mark, own, patch_of


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
