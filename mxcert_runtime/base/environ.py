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


def change_environ(name: str, value: str | None) -> None:
    """Set one variable, for this process and for those that it starts; ``None`` takes it out."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
