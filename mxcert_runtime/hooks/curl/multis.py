"""``pycurl.CurlMulti``: what a handle presents is put into it when it is added."""

from __future__ import annotations

import functools
import weakref
from typing import Any

from ...base import logger as _logger
from .handles import (
    CLOSED,
    MULTI,
    ROUNDS,
    FollowedHandle,
    begin_transfer,
    end_transfer,
    explained,
    is_idle,
    rounds_of,
    tell_of_redirect,
    transfer_of,
)


# The base is pycurl's own class.
class FollowedMulti:
    """What stands before pycurl's own methods."""

    def add_handle(self, curl: Any) -> Any:
        if not isinstance(curl, FollowedHandle) and type(curl).__name__ == "Curl":
            warn_of_older_handles()
        if not isinstance(curl, FollowedHandle) or not is_idle(curl):
            return super().add_handle(curl)  # type: ignore[misc]
        begin_transfer(curl, rounds_of(self))
        try:
            result = super().add_handle(curl)  # type: ignore[misc]
        except BaseException:
            end_transfer(curl)
            raise
        vars(curl)[MULTI] = weakref.ref(self)
        return result

    def remove_handle(self, curl: Any) -> Any:
        result = super().remove_handle(curl)  # type: ignore[misc]
        if isinstance(curl, FollowedHandle):
            vars(curl).pop(MULTI, None)
            transfer = end_transfer(curl)
            if transfer is not None:
                tell_of_redirect(curl, transfer)
        return result

    def perform(self) -> Any:
        vars(self)[ROUNDS] = rounds_of(self) + 1
        return super().perform()  # type: ignore[misc]

    def socket_action(self, *args: Any, **kwargs: Any) -> Any:
        vars(self)[ROUNDS] = rounds_of(self) + 1
        return super().socket_action(*args, **kwargs)  # type: ignore[misc]

    def socket_all(self) -> Any:
        vars(self)[ROUNDS] = rounds_of(self) + 1
        return super().socket_all()  # type: ignore[misc]

    def close(self) -> Any:
        result = super().close()  # type: ignore[misc]
        vars(self)[CLOSED] = True
        return result

    def info_read(self, *args: Any, **kwargs: Any) -> Any:
        queued, good, bad = super().info_read(*args, **kwargs)  # type: ignore[misc]
        return queued, good, [_with_words(*each) for each in bad]


def _with_words(curl: Any, code: int, message: str) -> tuple[Any, int, str]:
    transfer = transfer_of(curl) if isinstance(curl, FollowedHandle) else None
    words = None if transfer is None else explained(curl, transfer)
    return curl, code, words or message


@functools.lru_cache(maxsize=1)
def warn_of_older_handles() -> None:
    """Warn once that there are handles that present nothing."""
    _logger.warning(
        "handles of `pycurl` are older than mxcert_runtime, or made by a class that was taken "
        "before it: they present nothing. Import mxcert_runtime first"
    )
