"""Regular expressions that are compiled when they are first used.

To compile one takes a tenth of a millisecond and more, and most of ours are for texts that are
wrong: no activation that goes well has a use for them.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr


class _LatePattern:
    """Has the methods of :class:`re.Pattern`, each its own attribute once it was asked for."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        # `re` remembers what it has compiled; of two threads that come first, either will do.
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return found


def late_pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What :func:`re.compile` gives, as far as one can tell from its methods."""
    pattern: Any = _LatePattern(text, flags)
    return pattern  # type: ignore[no-any-return]
