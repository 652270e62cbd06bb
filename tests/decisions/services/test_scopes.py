"""The scope of a service holds inside, there alone, and however the code inside ends."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from mxcert_runtime import service
from mxcert_runtime.decisions.current_service import current_service


class TestContextManager:
    def test_holds_inside(self) -> None:
        """The service is the current one inside the block, and no longer behind it."""
        with service("A.B"):
            assert "A.B" == current_service.get()
        assert current_service.get() is None

    def test_gives_itself(self) -> None:
        """``as`` names the scope, which knows its name."""
        scope = service("A.B")
        with scope as entered:
            assert scope is entered
        assert "A.B" == scope.name

    def test_nests(self) -> None:
        """The inner service counts inside, and the outer one again behind it."""
        seen = []
        with service("Outer"):
            with service("Inner"):
                seen.append(current_service.get())
            seen.append(current_service.get())
        assert ["Inner", "Outer"] == seen
        assert current_service.get() is None

    def test_one_object_nests_in_itself(self) -> None:
        """One object may be entered again while it is entered, with another in between."""
        scope = service("Same")
        with scope, service("Other"), scope:
            assert "Same" == current_service.get()
        assert current_service.get() is None

    def test_one_object_again(self) -> None:
        """One object serves one block after the other."""
        scope = service("A.B")
        for _ in range(3):
            with scope:
                assert "A.B" == current_service.get()
            assert current_service.get() is None

    @pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, GeneratorExit, StopIteration])
    def test_ends_with_an_error(self, error: type[BaseException]) -> None:
        """An error of any kind comes through as it is, and ends the scopes that it passes."""
        raised = error()
        with service("Outermost"):
            with pytest.raises(error) as caught, service("Outer"), service("Inner"):
                raise raised
            assert "Outermost" == current_service.get()
        assert raised is caught.value
        assert raised.__context__ is None

    @pytest.mark.parametrize("name", ["", None, 1, b"A.B"])
    def test_name_is_a_text(self, name: Any) -> None:
        """Anything but a text that is not empty is a TypeError where it is written."""
        with pytest.raises(TypeError, match="named by a text"):
            service(name)

    def test_left_where_it_was_never_entered(self) -> None:
        """Closing in another context (a loop does so with abandoned generators) raises nothing."""
        import contextvars

        scope = service("A.B")
        scope.__enter__()
        try:
            contextvars.Context().run(scope.__exit__, None, None, None)
        finally:
            scope.__exit__(None, None, None)


class TestFunction:
    def test_holds_during_the_call(self) -> None:
        """The service is the current one while the function runs, and no longer."""

        @service("A.B")
        def ask(first: int, *, second: int) -> tuple[str | None, int]:
            return current_service.get(), first + second

        assert ("A.B", 3) == ask(1, second=2)
        assert current_service.get() is None

    def test_error(self) -> None:
        """The function's error comes through, and ends the scope."""

        @service("A.B")
        def fail() -> None:
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            fail()
        assert current_service.get() is None

    def test_recursion(self) -> None:
        """A function that calls itself leaves one scope at a time."""

        @service("A.B")
        def count(left: int) -> list[str | None]:
            deeper = count(left - 1) if left else []
            return [*deeper, current_service.get()]

        assert ["A.B"] * 4 == count(3)
        assert current_service.get() is None

    def test_keeps_its_face(self) -> None:
        """Name, text and signature are the function's own."""

        def ask(first: int, *, second: int = 2) -> int:
            """Its text."""
            return first + second

        wrapped = service("A.B")(ask)
        assert ("ask", "Its text.") == (wrapped.__name__, wrapped.__doc__)
        assert inspect.signature(ask) == inspect.signature(wrapped)

    def test_method(self) -> None:
        """It decorates methods, static ones and those of the class."""

        class Calls:
            @service("A.Method")
            def method(self) -> tuple[Any, str | None]:
                return self, current_service.get()

            @classmethod
            @service("A.Class")
            def of_class(cls) -> tuple[Any, str | None]:
                return cls, current_service.get()

            @staticmethod
            @service("A.Static")
            def static() -> str | None:
                return current_service.get()

        calls = Calls()
        assert (calls, "A.Method") == calls.method()
        assert (Calls, "A.Class") == Calls.of_class()
        assert "A.Static" == Calls.static()

    def test_decorators_nest(self) -> None:
        """The decorator nearest to the function is the inner scope."""

        @service("Outer")
        @service("Inner")
        def ask() -> str | None:
            return current_service.get()

        assert "Inner" == ask()
        assert current_service.get() is None
