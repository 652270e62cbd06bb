"""A value that never shows itself: not in a repr, a log, a pickle, JSON or a traceback.

Only :meth:`Secret.reveal` gives the value; pass its result straight on as an argument and keep it
in no variable, since tracebacks can show the variables of their frames.
"""

from __future__ import annotations

import hmac
from typing import AnyStr, Generic, NoReturn


def _as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


class Secret(Generic[AnyStr]):
    """Holds a password or key material as ``str`` or ``bytes``."""

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: AnyStr) -> None:
        self._value: AnyStr = value

    def reveal(self) -> AnyStr:
        """The value itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_as_bytes(self._value), _as_bytes(other._value))

    # A hash would be a fingerprint of the value that logs and sets could carry away.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied: it must not leave the process")
