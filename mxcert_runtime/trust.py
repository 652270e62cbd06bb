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
from typing import Union

from .errors import MxcertError
from .settings.presence import process_environ

#: Modules that ship the Mozilla bundle; a load of their file is default trust, not a choice.
_BUNDLE_MODULES = ("certifi", "pip._vendor.certifi")


class TrustChangedError(MxcertError):
    """A file of a trust is no longer what the caller loaded, so the trust cannot be made again."""


@dataclass(frozen=True)
class FileState:
    """Tells the contents of a file apart without reading it."""

    size: int
    modified_ns: int
    #: cannot be set back, as the time of modification can
    changed_ns: int
    inode: int
    device: int


@dataclass(frozen=True)
class FileLoad:
    """``load_verify_locations(cafile=...)``: certificates and CRLs of a PEM file."""

    path: str
    state: FileState | None

    def into(self, context: ssl.SSLContext) -> None:
        context.load_verify_locations(cafile=self.path)


@dataclass(frozen=True)
class DirectoryLoad:
    """``load_verify_locations(capath=...)``: OpenSSL looks into it at each verification."""

    path: str

    def into(self, context: ssl.SSLContext) -> None:
        context.load_verify_locations(capath=self.path)


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

    file: str
    state: FileState | None
    directories: str

    def into(self, context: ssl.SSLContext) -> None:
        context.set_default_verify_paths()


Load = Union[FileLoad, DirectoryLoad, DataLoad, DefaultPathsLoad]


@dataclass(frozen=True)
class Trust:
    """Loads in their order, each once. Empty: trusts nobody."""

    loads: tuple[Load, ...] = ()

    def plus(self, *loads: Load) -> Trust:
        """This trust and further loads."""
        new = tuple(load for load in loads if load not in self.loads)
        return Trust(self.loads + new) if new else self

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
        return any(isinstance(load, (DirectoryLoad, DefaultPathsLoad)) for load in self.loads)

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


def file_load(path: str) -> FileLoad:
    """The load of a file as it is now."""
    return FileLoad(path, _state(path))


def data_load(content: str | bytes) -> DataLoad:
    """The load of PEM text or DER bytes."""
    # Text and bytes of the same octets load differently, hence the mark in front.
    octets = b"t" + content.encode() if isinstance(content, str) else b"b" + content
    return DataLoad(hashlib.sha256(octets).hexdigest(), content)


def default_paths_load() -> DefaultPathsLoad:
    """The load of the default paths as they are now, as OpenSSL finds them."""
    paths, environ = ssl.get_default_verify_paths(), process_environ()
    file = environ.get(paths.openssl_cafile_env, paths.openssl_cafile)
    # It may be a list of directories, which `paths.capath` does not show.
    directories = environ.get(paths.openssl_capath_env, paths.openssl_capath)
    return DefaultPathsLoad(file, _state(file), directories)


def _refuse_changed(load: Load) -> None:
    changed = (isinstance(load, FileLoad) and load.state != _state(load.path)) or (
        isinstance(load, DefaultPathsLoad) and load != default_paths_load()
    )
    if changed:
        raise TrustChangedError(f"{load!r} is not what it was when the caller loaded it")


def _state(path: str) -> FileState | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return FileState(
        found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
    )


def is_bundle(path: str | bytes | os.PathLike[str]) -> bool:
    """Whether ``path`` is a bundle of public authorities: certifi's, or the platform's own.

    To load one by its path is how libraries ask for default trust; it is no choice of theirs.
    """
    modules = (sys.modules.get(name) for name in _BUNDLE_MODULES)
    bundles = {module.where() for module in modules if module is not None}
    return os.fsdecode(path) in {*bundles, ssl.get_default_verify_paths().cafile}
