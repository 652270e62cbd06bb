"""A class to be patched, a wrapper whose doing can be counted, and what is there then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mxcert_runtime.hooks.patching import Build, Patch, wrapping


class Base:
    """What a patched class inherits from."""

    def inherited(self) -> str:
        """Inherited, not its own."""
        return "inherited"


def make_sample() -> type[Any]:
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
