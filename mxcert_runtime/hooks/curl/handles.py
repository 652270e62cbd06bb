"""``pycurl.Curl``: a C type, so a class of ours stands in its place.

What a program sets on a handle has to be followed, since libcurl tells nobody.
"""

from __future__ import annotations

import functools
from abc import ABCMeta
from typing import Any

from ...base import Secret
from ...decisions.current_service import current_service
from .options import CA_CERTS, Options
from .transfers import Transfer

#: Where a handle has its options and its transfer; in its dictionary, where pycurl looks for none.
_OPTIONS, _TRANSFER = "_mxcert_options", "_mxcert_transfer"
#: Where a handle says that it is closed, and on which multi it is; older versions tell neither.
CLOSED, MULTI = "_mxcert_is_closed", "_mxcert_multi"
#: Where a handle has the service of its next transfer, if whoever prepared it knew that.
SERVICE = "_mxcert_service"
#: Where a handle says that it performs, and a multi how often it was driven.
_PERFORMS, ROUNDS = "_mxcert_performs", "_mxcert_rounds"


def options_of(curl: Any) -> Options:
    """What the program has set on a handle."""
    known: Options | None = vars(curl).get(_OPTIONS)
    if known is None:
        known = vars(curl)[_OPTIONS] = Options()
    return known


def begin_transfer(curl: Any, rounds: int = 0) -> Transfer:
    """Prepare a transfer; what is left of one that ended past us goes first."""
    end_transfer(curl)
    transfer = Transfer(options_of(curl), _setting(curl), rounds)
    own = vars(curl)
    transfer.begin(own.pop(SERVICE) if SERVICE in own else current_service.get())
    vars(curl)[_TRANSFER] = transfer
    return transfer


def decide_anew(curl: Any) -> None:
    """Prepare the transfer of a handle on a multi once more, since an option has changed."""
    old = transfer_of(curl)
    if old is None:
        return
    is_under_way = _is_under_way(curl, old)
    if is_under_way and old.url is None:
        return  # it presents nothing
    # libcurl reads the URL when it begins, and all else at each connection.
    url = old.url if is_under_way else None
    end_transfer(curl)
    transfer = Transfer(options_of(curl), _setting(curl), old.rounds)
    vars(curl)[_TRANSFER] = transfer
    transfer.begin_anew(old.service, url)


def _is_under_way(curl: Any, transfer: Transfer) -> bool:
    reference = vars(curl).get(MULTI)
    multi = None if reference is None else reference()
    return multi is not None and rounds_of(multi) != transfer.rounds


def rounds_of(multi: Any) -> int:
    """How often a multi was driven so far."""
    rounds: int = vars(multi).get(ROUNDS, 0)
    return rounds


def end_transfer(curl: Any) -> Transfer | None:
    """Take out what was put into a handle, if anything is left."""
    transfer: Transfer | None = vars(curl).pop(_TRANSFER, None)
    if transfer is not None:
        transfer.end()
    return transfer


def transfer_of(curl: Any) -> Transfer | None:
    """What is put into a handle now."""
    transfer: Transfer | None = vars(curl).get(_TRANSFER)
    return transfer


def _setting(curl: Any) -> Any:
    """Sets an option past what follows the program."""
    base = type(curl).base_of_pycurl

    def set_option(option: int, value: Any) -> None:
        if value is None:
            base.unsetopt(curl, option)
        elif isinstance(value, Secret):
            base.setopt(curl, option, value.reveal())
        else:
            base.setopt(curl, option, value)

    return set_option


# The base is pycurl's own class.
class FollowedHandle:
    """What stands before pycurl's own methods."""

    base_of_pycurl: Any

    def setopt(self, option: Any, value: Any) -> Any:
        result = super().setopt(option, value)  # type: ignore[misc]
        if options_of(self).note(option, value):
            decide_anew(self)
        return result

    def unsetopt(self, option: Any) -> Any:
        result = super().unsetopt(option)  # type: ignore[misc]
        if options_of(self).note(option, None):
            decide_anew(self)
        return result

    def setopt_string(self, option: Any, value: Any) -> Any:
        result = super().setopt_string(option, value)  # type: ignore[misc]
        if options_of(self).note(option, value):
            decide_anew(self)
        return result

    def set_ca_certs(self, value: Any) -> Any:
        result = super().set_ca_certs(value)  # type: ignore[misc]
        options_of(self).note_name(CA_CERTS, value)
        decide_anew(self)
        return result

    def reset(self) -> Any:
        result = super().reset()  # type: ignore[misc]
        options_of(self).values.clear()
        decide_anew(self)
        return result

    def close(self) -> Any:
        result = super().close()  # type: ignore[misc]
        vars(self)[CLOSED] = True
        return result

    def duphandle(self) -> Any:
        copy = super().duphandle()  # type: ignore[misc]
        options = vars(copy)[_OPTIONS] = options_of(self).copy()
        transfer = transfer_of(self)
        if transfer is not None:
            transfer.left_in(options, _setting(copy)).end()
        return copy

    def perform(self) -> Any:
        return _performed(self, super().perform)  # type: ignore[misc]

    def perform_rb(self) -> Any:
        return _performed(self, super().perform_rb)  # type: ignore[misc]

    def perform_rs(self) -> Any:
        return _performed(self, super().perform_rs)  # type: ignore[misc]


@functools.cache
def stand_in(followed: type, base: type) -> type:
    """The class that stands in the place of one of pycurl's.

    Every object of pycurl's is an instance of it, also one that is older; an ABC may be mixed with
    others.
    """

    def subclasshook(cls: type, other: type) -> Any:
        return issubclass(other, base) if cls is ours else NotImplemented

    namespace: dict[str, Any] = {
        "__doc__": base.__doc__,
        "__module__": base.__module__,
        "__subclasshook__": classmethod(subclasshook),
        "base_of_pycurl": base,
    }
    ours: type = ABCMeta(base.__name__, (followed, base), namespace)
    return ours


def _performed(curl: Any, perform: Any) -> Any:
    if not is_idle(curl):
        return perform()  # pycurl says what is wrong
    import pycurl

    transfer, failed = begin_transfer(curl), None
    vars(curl)[_PERFORMS] = True
    try:
        return perform()
    except pycurl.error as error:
        words = explained(curl, transfer)
        if words is None:
            raise
        failed = pycurl.error(error.args[0], words)
    finally:
        vars(curl).pop(_PERFORMS, None)
        end_transfer(curl)
        if failed is None:
            tell_of_redirect(curl, transfer)
    raise failed


def is_idle(curl: Any) -> bool:
    """Whether a transfer of the handle may begin."""
    if _PERFORMS in vars(curl):
        return False  # this is called back by it
    reference = vars(curl).get(MULTI)
    multi = None if reference is None else reference()
    return (multi is None or CLOSED in vars(multi)) and not _is_closed(curl)


def _is_closed(curl: Any) -> bool:
    # Newer versions have it; a multi may close its handles itself.
    return CLOSED in vars(curl) or getattr(curl, "closed", False) is True


def explained(curl: Any, transfer: Transfer) -> str | None:
    """Why a transfer failed, where that is by us."""
    url = _effective_url(curl)
    return None if url is None else transfer.explained(url)


def tell_of_redirect(curl: Any, transfer: Transfer) -> None:
    """Warn where a transfer has ended at a host with a rule of its own."""
    url = _effective_url(curl) if options_of(curl).follows else None
    if url is not None:
        transfer.tell_of_redirect(url)


def _effective_url(curl: Any) -> str | None:
    import pycurl

    if _is_closed(curl):
        return None
    try:
        url: str | None = curl.getinfo(pycurl.EFFECTIVE_URL)
    except (pycurl.error, UnicodeError):
        return None
    return url
