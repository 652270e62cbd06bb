"""The package and each of its dependencies in a folder of its own, as bundles of wheels have them.

The dependencies are those of the tests' environment, copied by their records.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tests.support.installation import Installation, Installations

PACKAGE = "mxcert-runtime"
_NAME = re.compile(r"[\w.-]+")


def empty_environment(folder: Path) -> Installation:
    """An environment without anything."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    return Installation(folder)


def dependencies(name: str = PACKAGE) -> set[str]:
    """The distributions that one needs, theirs included, as far as they are installed."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for required in _required_by(waiting.pop()):
            if required not in found:
                found.add(required)
                waiting.append(required)
    return found


def _required_by(name: str) -> Iterator[str]:
    for line in importlib.metadata.requires(name) or ():
        match = _NAME.match(line)
        if match is None or "extra ==" in line:
            continue
        try:
            importlib.metadata.distribution(match[0])
        except importlib.metadata.PackageNotFoundError:
            continue  # what this version of Python has no need of
        yield match[0]


def copy_distribution(name: str, folder: Path) -> Path:
    """Copy an installed distribution with its records into a folder, commands left out."""
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or ():
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        target = folder / PurePosixPath(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(distribution.locate_file(file)), target)
    return folder


def extract_package(installations: Installations, folder: Path) -> Path:
    """Extract the built wheel into a folder, its ``.pth`` file included."""
    (wheel,) = installations.folder.glob("wheel/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder
