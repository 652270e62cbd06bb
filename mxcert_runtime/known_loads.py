"""Loads of authorities that this process has done, so that it need not do them again.

Parsing a bundle of 150 authorities takes OpenSSL 16 ms and 700 KB for each context. A context whose
connections are verified by an identity context needs none of it; what a load has read is kept, so
that it can be done for real later, also when the file is gone by then.
"""

from __future__ import annotations

import contextlib
import ssl
from collections import OrderedDict
from dataclasses import dataclass

from .fork_safe_lock import ForkSafeLock
from .native_ssl import NativeContext
from .passing_files import public_file
from .trust import DataLoad, DefaultPathsLoad, DirectoryLoad, FileLoad, Load, is_as_it_was

#: Loads that are known. A bundle has 200 KB as text.
_LIMIT = 32


@dataclass(frozen=True)
class KnownLoad:
    """A load that was done without an error, and the file that it read."""

    load: Load
    content: bytes | None

    def do(self, context: ssl.SSLContext) -> None:
        """Do it for real, with the effect that it had."""
        if isinstance(self.load, DataLoad):
            NativeContext.load_verify_locations(context, cadata=self.load.content)
        elif isinstance(self.load, DefaultPathsLoad):
            # OpenSSL says nothing of a damaged default file, and takes what comes before.
            with contextlib.suppress(ssl.SSLError):
                self._load_content(context)
            if self.load.paths:
                NativeContext.load_verify_locations(context, capath=self.load.paths)
        else:
            self._load_content(context)

    def _load_content(self, context: ssl.SSLContext) -> None:
        if self.content is not None:
            with public_file(self.content) as path:
                NativeContext.load_verify_locations(context, cafile=path)


class KnownLoads:
    """The loads that were done last; the least used go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Load, KnownLoad] = OrderedDict()
        self._lock = ForkSafeLock()

    def find(self, load: Load) -> KnownLoad | None:
        """The load, if it was done before and would read the same now."""
        with self._lock:
            known = self._known.get(load)
            if known is not None:
                self._known.move_to_end(load)
            return known

    def remember(self, load: Load) -> None:
        """Note that a load has been done. One of a directory costs nothing, and is not noted."""
        if isinstance(load, DirectoryLoad) or load in self._known:
            return
        known = KnownLoad(load, _read(load))
        # What was read just now must be what was loaded.
        if not is_as_it_was(load) or _was_not_read(known):
            return
        with self._lock:
            self._known[load] = known
            if len(self._known) > _LIMIT:
                self._known.popitem(last=False)

    def forget_all(self) -> None:
        """Forget every load."""
        with self._lock:
            self._known.clear()


def _was_not_read(known: KnownLoad) -> bool:
    if not isinstance(known.load, (FileLoad, DefaultPathsLoad)):
        return False
    if known.content is None:
        # OpenSSL says nothing of a default file that it cannot open, for want of descriptors, say.
        return isinstance(known.load, FileLoad) or known.load.state is not None
    # Nothing secret is kept, though somebody has put it beside the certificates.
    return b"PRIVATE KEY" in known.content


def _read(load: Load) -> bytes | None:
    if isinstance(load, (FileLoad, DefaultPathsLoad)) and load.state is not None:
        with contextlib.suppress(OSError), open(load.path, "rb") as file:
            return file.read()
    return None


#: what this process has loaded
known_loads = KnownLoads()
