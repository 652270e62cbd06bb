"""What stands in the place of pycurl's two types, where libcurl takes identities from memory."""

from __future__ import annotations

import functools
import gc
import re
import sys
from typing import Any

from ...base import logger as _logger
from ..patching import Library, Patch, Switch, attribute_of
from .handles import FollowedHandle, stand_in
from .multis import FollowedMulti, warn_of_older_handles

#: TLS of libcurl that takes a certificate and its key from memory, and CAs that count alone
_BACKENDS = re.compile(r"OpenSSL|LibreSSL|BoringSSL|AWS-LC|quictls", re.IGNORECASE)
_FIRST_LIBCURL = 7, 77


def _build_handle(standing: Any, switch: Switch) -> Any:
    return stand_in(FollowedHandle, standing) if type(standing) is type else standing


def _build_multi(standing: Any, switch: Switch) -> Any:
    return stand_in(FollowedMulti, standing) if type(standing) is type else standing


def _prepare() -> None:
    """Tell of what is older, of programs that have taken the types before."""
    import pycurl

    if not is_fit():
        _warn_of_backend()
    elif type(pycurl.Curl) is type and _is_taken(pycurl.Curl):
        warn_of_older_handles()


def is_fit() -> bool:
    """Whether this libcurl can take identities from memory."""
    import pycurl

    if not hasattr(pycurl, "version_info"):
        return False
    numbers, backend = pycurl.version_info()[1].split("."), pycurl.version_info()[5]
    version = tuple(int("".join(filter(str.isdigit, each)) or 0) for each in numbers[:2])
    active = re.sub(r"\([^)]*\)", "", str(backend))
    return (
        version >= _FIRST_LIBCURL
        and _BACKENDS.search(active) is not None
        and all(hasattr(pycurl, name) for name in ("SSLCERT_BLOB", "SSLKEY_BLOB", "CAINFO_BLOB"))
    )


def _is_taken(handle: type) -> bool:
    if handle.__subclasses__():
        return True
    modules = [each for name, each in sys.modules.items() if name.partition(".")[0] != "pycurl"]
    if any(vars(each).get("Curl") is handle for each in modules if hasattr(each, "__dict__")):
        return True
    return any(type(each) is handle for each in gc.get_objects())


@functools.lru_cache(maxsize=1)
def _warn_of_backend() -> None:
    import pycurl

    _logger.warning(
        "`pycurl` has TLS of its own (%s), which takes no identity from memory, and presents none. "
        "Use one whose libcurl is 7.77 or later with OpenSSL (such as the wheels of pycurl 7.45.4 "
        "and later), or give it certificate and key by `SSLCERT` and `SSLKEY`",
        getattr(pycurl, "version", "unknown"),
    )


def _patches() -> tuple[Patch, ...]:
    if not is_fit():
        return ()
    names = ["pycurl", *(each for each in ("pycurl.async_multi",) if each in sys.modules)]
    owners = [attribute_of(name) for name in names]
    return (
        *(Patch(owner, "Curl", _build_handle) for owner in owners),
        *(Patch(owner, "CurlMulti", _build_multi) for owner in owners),
    )


# It has no `__version__`: its libcurl says what it can do.
LIBRARY = Library("pycurl", _patches, prepare=_prepare)
