"""What a context was told to trust, as a value: equal trusts verify alike.

A trust is the list of loads in their order. A file counts by its path and content, so that a file
changed since is told apart.
"""

from __future__ import annotations

import _ssl
import contextlib
import hashlib
import os
from dataclasses import field
from os import access as may_access
from typing import Any, Union

from ..base import (
    DirectoryState,
    FileState,
    UnknownEnvironmentError,
    dataclass,
    directory_states,
    hashed_files,
    late_pattern,
    loaded_module,
    openssl_variable,
    state_of,
)
from ..errors import MxcertError

#: Modules that ship the Mozilla bundle; a load of their file is default trust, not a choice.
_BUNDLE_MODULES = ("certifi", "pip._vendor.certifi")

#: Asked here, since somebody may put another function into ``os``; see :mod:`.base.file_state`.
_KNOWS_EFFECTIVE_IDS = os.access in os.supports_effective_ids

#: A scheme with a colon; one letter is a drive of Windows.
_URI = late_pattern(r"[A-Za-z][A-Za-z0-9+.-]+:")


class TrustChangedError(MxcertError):
    """A file of a trust is no longer what the caller loaded, so the trust cannot be made again."""


@dataclass(frozen=True)
class FileLoad:
    """``load_verify_locations(cafile=...)``: certificates and CRLs of a PEM file."""

    path: str
    state: FileState | None


@dataclass(frozen=True)
class DirectoryLoad:
    """``load_verify_locations(capath=...)``: OpenSSL looks into them at each verification."""

    paths: str


@dataclass(frozen=True)
class DataLoad:
    """``load_verify_locations(cadata=...)``: PEM text or DER bytes, told apart by digest."""

    digest: str
    content: str | bytes = field(repr=False, compare=False)


@dataclass(frozen=True)
class DefaultPathsLoad:
    """``set_default_verify_paths()``: OpenSSL's own, or those of SSL_CERT_FILE and SSL_CERT_DIR."""

    path: str
    state: FileState | None
    paths: str


#: Loads after which OpenSSL looks into directories.
DIRECTORY_LOADS = (DirectoryLoad, DefaultPathsLoad)

Load = Union[FileLoad, DirectoryLoad, DataLoad, DefaultPathsLoad]


@dataclass(frozen=True)
class Trust:
    """Loads in their order, each once. Empty: trusts nobody.

    ``directories`` is what its directories hold at one moment. Only with that does it say all that
    is trusted, so that contexts of two callers may be verified alike; OpenSSL keeps what it finds
    in a directory, hence a later moment is another trust.
    """

    loads: tuple[Load, ...] = ()
    directories: tuple[DirectoryState, ...] | None = None

    def plus(self, *loads: Load) -> Trust:
        """This trust and further loads."""
        new = tuple(load for load in loads if load not in self.loads)
        return Trust(self.loads + new) if new else self

    def as_of_now(self) -> Trust:
        """This trust with what its directories hold now."""
        return Trust(self.loads, directory_states(self._directory_paths()))

    @property
    def is_shareable(self) -> bool:
        """Whether it says all that is trusted."""
        return self.directories is not None or not self.has_directories

    @property
    def is_default(self) -> bool:
        """Whether it holds default trust: the platform's, or the bundle that certifi ships."""
        return any(
            isinstance(load, DefaultPathsLoad)
            or (isinstance(load, FileLoad) and is_bundle(load.path))
            for load in self.loads
        )

    @property
    def has_directories(self) -> bool:
        """Whether OpenSSL looks for authorities in directories too, at each verification."""
        return any(isinstance(load, DIRECTORY_LOADS) for load in self.loads)

    @property
    def directories_have_changed(self) -> bool:
        """Whether its directories hold something else than at the moment that it is of."""
        return self.directories not in (None, directory_states(self._directory_paths()))

    def files_in_directories(self) -> list[str]:
        """The paths of what OpenSSL could find in its directories now.

        Raises OSError where one of them cannot be listed.
        """
        return [path for each in self._directory_paths() for path in hashed_files(each)]

    def _directory_paths(self) -> list[str]:
        # OpenSSL takes lists of directories in both places.
        lists = [each.paths for each in self.loads if isinstance(each, DIRECTORY_LOADS)]
        return [path for each in lists for path in each.split(os.pathsep) if path]


def file_load(path: str) -> FileLoad:
    """The load of a file as it is now."""
    return FileLoad(path, state_of(path))


def data_load(content: str | bytes) -> DataLoad:
    """The load of PEM text or DER bytes."""
    # Text and bytes of the same octets load differently, hence the mark in front.
    octets = b"t" + content.encode() if isinstance(content, str) else b"b" + content
    return DataLoad(hashlib.sha256(octets).hexdigest(), content)


def described_loads(
    cafile: str | bytes | os.PathLike[str] | None = None,
    capath: str | bytes | os.PathLike[str] | None = None,
    cadata: Any = None,
) -> tuple[Load, ...]:
    """The loads of one call of ``load_verify_locations``.

    Raises TypeError and ValueError, where CPython does so too.
    """
    loads: list[Load] = []
    if cafile is not None:
        loads.append(file_load(os.fsdecode(cafile)))
    if capath is not None:
        loads.append(DirectoryLoad(os.fsdecode(capath)))
    if cadata is not None:
        # `bytes` alone would take a number for a length.
        content = cadata if isinstance(cadata, str) else bytes(memoryview(cadata))
        loads.append(data_load(content))
    return tuple(loads)


def default_paths_load() -> DefaultPathsLoad | None:
    """The load of the default paths as they are now; ``None`` where only OpenSSL knows it."""
    try:
        path, paths = default_paths()
    except UnknownEnvironmentError:
        return None
    return None if _is_uri(paths) else DefaultPathsLoad(path, state_of(path), paths)


def _is_uri(paths: str) -> bool:
    # From version 3 on OpenSSL also takes the whole of it for the URI of a store, such as a token.
    return _URI.match(paths) is not None


def default_paths() -> tuple[str, str]:
    """The file and the list of directories that OpenSSL takes by default now.

    Raises :class:`~.base.c_environment.UnknownEnvironmentError`.
    """
    found = _ssl.get_default_verify_paths()
    file, directories = openssl_variable(found[0]), openssl_variable(found[2])
    return found[1] if file is None else file, found[3] if directories is None else directories


def may_be_read(load: Load) -> bool:
    """Whether this process may read the file of a load, as far as there is one."""
    if not isinstance(load, (FileLoad, DefaultPathsLoad)) or load.state is None:
        return True
    return may_access(load.path, os.R_OK, effective_ids=_KNOWS_EFFECTIVE_IDS)


def is_bundle(path: str | bytes | os.PathLike[str]) -> bool:
    """Whether ``path`` is a bundle of public authorities: certifi's, or the platform's own.

    To load one by its path is how libraries ask for default trust; it is no choice of theirs.
    """
    modules = map(loaded_module, _BUNDLE_MODULES)
    bundles = {module.where() for module in modules if module is not None}
    with contextlib.suppress(UnknownEnvironmentError):
        bundles.add(default_paths()[0])
    return os.fsdecode(path) in bundles
