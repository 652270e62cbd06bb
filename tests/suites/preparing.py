"""Making what a suite needs: its environment with this package in it, and its source."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from tests.support.subprocesses import ROOT

from .values import Suite


def prepare(suite: Suite) -> None:
    """The environment, anew where its list has changed, with this checkout and the source in it."""
    if suite.environment.prepare() or not suite.source.is_dir():
        suite.environment.pip("install", "--no-deps", "--editable", str(ROOT))
        with tempfile.TemporaryDirectory() as folder:
            _download(suite, folder)
            [archive] = Path(folder).glob("*.tar.gz")
            _unpack(archive, suite)


def _download(suite: Suite, folder: str) -> None:
    source_only = ("--no-deps", "--no-binary", suite.distribution, "--dest", folder)
    suite.environment.pip("download", *source_only, f"{suite.distribution}=={suite.version}")


def _unpack(archive: Path, suite: Suite) -> None:
    """Only what is named: beside a whole source the library itself would be taken from there."""
    with tempfile.TemporaryDirectory(dir=suite.environment.folder) as folder:
        with tarfile.open(archive) as packed:
            members = [each for each in packed if is_wanted(each.name, suite)]
            packed.extractall(folder, members, filter="data")
        [root] = Path(folder).iterdir()
        root.rename(suite.source)


def is_wanted(name: str, suite: Suite) -> bool:
    """Whether a member of the archive, below its one root, is to be unpacked."""
    inside = PurePosixPath(*PurePosixPath(name).parts[1:])
    unpacked = map(PurePosixPath, suite.unpacked)
    return any(path in (inside, *inside.parents) for path in unpacked)
