"""What cryptography raises at material that it does not take, whatever its type."""

from __future__ import annotations

from types import TracebackType


class RefusalsIgnored:
    """A context that a refusal leaves quietly, and with it the frames that hold secrets.

    cryptography names few of the types, they differ between releases, a warning may be an error,
    and a panic in Rust (such as 42's at a key on an unusual curve) is no ``Exception``.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return isinstance(error, Exception) or type(error).__name__ == "PanicException"
