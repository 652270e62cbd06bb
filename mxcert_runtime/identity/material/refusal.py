"""What cryptography raises at material that it does not take, whatever its type."""

from __future__ import annotations

import warnings
from types import TracebackType


class RefusalsIgnored:
    """A context that a refusal leaves quietly, and with it the frames that hold secrets.

    cryptography names few of the types, they differ between releases, a warning may be an error,
    and a panic in Rust (such as 42's at a key on an unusual curve) is no ``Exception``. Warnings
    (of a negative serial number, of a country of three letters) would name this package as the
    one that has to change something, which is the business of whoever issues certificates.
    """

    def __enter__(self) -> None:
        self._quiet = warnings.catch_warnings()
        self._quiet.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._quiet.__exit__(kind, error, traceback)
        return isinstance(error, Exception) or type(error).__name__ == "PanicException"
