"""The environment of this process; nothing else in the package names ``os.environ``.

Every import of the package runs this, so it imports nothing that a bare interpreter has not loaded.
"""

from __future__ import annotations

import os

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def process_environ() -> Mapping[str, str]:
    """The environment, as it is at each look."""
    return os.environ


def copied_environ() -> dict[str, str]:
    """The environment of this moment, which stays as it is whatever becomes of it."""
    # `dict(os.environ)` raises KeyError where another thread takes a variable out meanwhile.
    found = ((name, os.environ.get(name)) for name in list(os.environ))
    return {name: value for name, value in found if value is not None}


def change_environ(name: str, value: str | None) -> None:
    """Set one variable, for this process and for those that it starts; ``None`` takes it out."""
    if value is None:
        try:  # noqa: SIM105 (contextlib is not loaded in a bare interpreter)
            del os.environ[name]
        except KeyError:  # another thread was faster, for which even `pop` raises
            pass
    else:
        os.environ[name] = value
