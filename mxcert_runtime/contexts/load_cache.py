"""Loads of authorities that this process has done, so that it need not do them again.

Parsing a bundle of 150 authorities takes OpenSSL 16 ms and 700 KB for each context. A context whose
connections are verified by an identity context needs none of it; what a load has read is kept, so
that it can be done for real later: with that content and no other, also when the file is gone by
then, and without a look at any file.
"""

from __future__ import annotations

import contextlib
import ssl
from collections import OrderedDict
from collections.abc import Iterable

from ..base import FileState, ForkSafeLock, NativeContext, content_of, dataclass, public_file
from .trust import (
    DataLoad,
    DefaultPathsLoad,
    DirectoryLoad,
    FileLoad,
    Load,
    Trust,
    TrustChangedError,
    may_be_read,
)

#: Loads that are known. A bundle has 200 KB as text.
_LIMIT = 32


@dataclass(frozen=True)
class KnownLoad:
    """A load that was done without an error, and the file that it read."""

    load: Load
    content: bytes | None = None

    def do(self, context: ssl.SSLContext) -> None:
        """Do it for real, with the effect that it had.

        Raises OSError where the process lacks something, such as descriptors.
        """
        load = self.load
        if isinstance(load, DataLoad):
            NativeContext.load_verify_locations(context, cadata=load.content)
        elif isinstance(load, FileLoad):
            self._load_content(context)
        else:
            # OpenSSL says nothing of a damaged default file, and takes what comes before.
            with contextlib.suppress(ssl.SSLError):
                self._load_content(context)
            if load.paths:
                NativeContext.load_verify_locations(context, capath=load.paths)

    def _load_content(self, context: ssl.SSLContext) -> None:
        if self.content is not None:
            with public_file(self.content) as path:
                NativeContext.load_verify_locations(context, cafile=path)


class LoadCache:
    """The loads that were done last; the least used go first."""

    #: whether a load that is known may wait until somebody looks
    lets_wait = True

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

    def keep(self, known: KnownLoad) -> None:
        """Remember a load; one of a directory costs nothing, and no key is kept."""
        if isinstance(known.load, DirectoryLoad) or _holds_key(known):
            return
        with self._lock:
            self._known[known.load] = known
            if len(self._known) > _LIMIT:
                self._known.popitem(last=False)


class NoLoadCache(LoadCache):
    """Knows nothing and remembers nothing, so that every load is done when it is asked for."""

    lets_wait = False

    def keep(self, known: KnownLoad) -> None:
        """Remember nothing."""


class KnownLoads:
    """The door to the cache that is in use, if one is: who asks need not know which."""

    def __init__(self) -> None:
        self._cache: LoadCache = NoLoadCache()

    @property
    def lets_wait(self) -> bool:
        """Whether a load that is known may wait until somebody looks."""
        return self._cache.lets_wait

    def start(self) -> None:
        """Remember loads from now on."""
        if not self._cache.lets_wait:
            self._cache = LoadCache()

    def stop(self) -> None:
        """Forget every load, and remember none from now on."""
        self._cache = NoLoadCache()

    def find(self, load: Load) -> KnownLoad | None:
        """The load, if it was done before and would read the same now."""
        return self._cache.find(load)

    def may_wait(self, loads: Iterable[Load]) -> tuple[KnownLoad, ...] | None:
        """What is known of loads that may all wait; ``None`` where one has to be done now."""
        cache, found = self._cache, []
        for load in loads:
            known = cache.find(load)
            if known is None or not may_be_read(load):
                return None
            found.append(known)
        return tuple(found) if cache.lets_wait else None

    def confirm(self, load: Load) -> bool:
        """Whether a load that has just been done would read the same now; then it is known."""
        try:
            known = _read_again(load)
        except (OSError, TrustChangedError):
            # What it has read cannot be told any more, for whatever reason.
            return False
        self._cache.keep(known)
        return True

    def load_trust(self, trust: Trust, context: ssl.SSLContext) -> None:
        """Load a trust into a new context.

        Raises :class:`~.contexts.trust.TrustChangedError` where it cannot be made again, and
        OSError where the process lacks something now.
        """
        for load in trust.loads:
            known = self.find(load) or _read_again(load)
            try:
                known.do(context)
            except (ssl.SSLError, ValueError) as error:
                raise TrustChangedError(f"{load!r} cannot be loaded again: {error}") from error
        if trust.directories_have_changed:
            raise TrustChangedError("a directory is not what it was for the caller")


def _read_again(load: Load) -> KnownLoad:
    """The load with the content of its file, which must be what it was."""
    if not isinstance(load, (FileLoad, DefaultPathsLoad)):
        return KnownLoad(load)
    content = content_of(load.path)
    state = None if content is None else FileState.holding(content)
    if state != load.state or (state is None and isinstance(load, FileLoad)):
        raise TrustChangedError(f"{load!r} is not what it was when the caller loaded it")
    return KnownLoad(load, content)


def _holds_key(known: KnownLoad) -> bool:
    """Nothing secret is kept, though somebody has put it beside the certificates."""
    return known.content is not None and b"PRIVATE KEY" in known.content


#: what this process has loaded
known_loads = KnownLoads()
