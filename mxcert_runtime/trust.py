"""What a context was told to trust, as a value: equal trusts verify alike.

A trust is the list of loads in their order. A file counts by its path and state, so that a file
changed since is told apart; loading it again then fails with :class:`TrustChangedError` rather
than trusting what the caller never loaded.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import sys
from dataclasses import dataclass, field
from typing import Any, Union

from .errors import MxcertError
from .file_state import DirectoryState, FileState, directory_states, is_unchanged, state_of
from .settings.presence import process_environ

#: Modules that ship the Mozilla bundle; a load of their file is default trust, not a choice.
_BUNDLE_MODULES = ("certifi", "pip._vendor.certifi")


class TrustChangedError(MxcertError):
    """A file of a trust is no longer what the caller loaded, so the trust cannot be made again."""


@dataclass(frozen=True)
class FileLoad:
    """``load_verify_locations(cafile=...)``: certificates and CRLs of a PEM file."""

    path: str
    state: FileState | None

    def into(self, context: ssl.SSLContext) -> None:
        context.load_verify_locations(cafile=self.path)


@dataclass(frozen=True)
class DirectoryLoad:
    """``load_verify_locations(capath=...)``: OpenSSL looks into them at each verification."""

    paths: str

    def into(self, context: ssl.SSLContext) -> None:
        context.load_verify_locations(capath=self.paths)


@dataclass(frozen=True)
class DataLoad:
    """``load_verify_locations(cadata=...)``: PEM text or DER bytes, told apart by digest."""

    digest: str
    content: str | bytes = field(repr=False, compare=False)

    def into(self, context: ssl.SSLContext) -> None:
        context.load_verify_locations(cadata=self.content)


@dataclass(frozen=True)
class DefaultPathsLoad:
    """``set_default_verify_paths()``: OpenSSL's own, or those of SSL_CERT_FILE and SSL_CERT_DIR."""

    path: str
    state: FileState | None
    paths: str

    def into(self, context: ssl.SSLContext) -> None:
        # By their names, since OpenSSL says nothing of a default file that it cannot read now.
        if self.state is not None:
            context.load_verify_locations(cafile=self.path)
        if self.paths:
            context.load_verify_locations(capath=self.paths)


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

    def load_into(self, context: ssl.SSLContext) -> None:
        """Load it into a new context.

        Raises :class:`TrustChangedError` where a file is not what it was.
        """
        for load in self.loads:
            _refuse_changed(load)
            try:
                load.into(context)
            except (OSError, ValueError) as error:
                changed = f"{load!r} cannot be loaded again: {error}"
                raise TrustChangedError(changed) from error
            _refuse_changed(load)
        if self.directories not in (None, directory_states(self._directory_paths())):
            raise TrustChangedError("a directory is not what it was for the caller")

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


def default_paths_load() -> DefaultPathsLoad:
    """The load of the default paths as they are now, as OpenSSL finds them."""
    path, paths = default_paths()
    return DefaultPathsLoad(path, state_of(path), paths)


def default_paths() -> tuple[str, str]:
    """The file and the list of directories that OpenSSL takes by default now."""
    found, environ = ssl.get_default_verify_paths(), process_environ()
    file = environ.get(found.openssl_cafile_env, found.openssl_cafile)
    # It may be a list of directories, which `found.capath` does not show.
    return file, environ.get(found.openssl_capath_env, found.openssl_capath)


def is_as_it_was(load: Load) -> bool:
    """Whether doing a load now would read what it read then."""
    if isinstance(load, DefaultPathsLoad):
        where = default_paths()
        return (load.path, load.paths) == where and is_unchanged(load.path, load.state)
    return not isinstance(load, FileLoad) or is_unchanged(load.path, load.state)


def may_be_read(load: Load) -> bool:
    """Whether this process may read the file of a load, as far as there is one."""
    if not isinstance(load, (FileLoad, DefaultPathsLoad)) or load.state is None:
        return True
    return os.access(load.path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)


def _refuse_changed(load: Load) -> None:
    if not is_as_it_was(load):
        raise TrustChangedError(f"{load!r} is not what it was when the caller loaded it")


def is_bundle(path: str | bytes | os.PathLike[str]) -> bool:
    """Whether ``path`` is a bundle of public authorities: certifi's, or the platform's own.

    To load one by its path is how libraries ask for default trust; it is no choice of theirs.
    """
    modules = (sys.modules.get(name) for name in _BUNDLE_MODULES)
    bundles = {module.where() for module in modules if module is not None}
    return os.fsdecode(path) in {*bundles, ssl.get_default_verify_paths().cafile}
