"""What is released: the same bytes for the same commit, and metadata that name the project."""

from __future__ import annotations

import email
import gzip
import importlib.util
import io
import os
import subprocess
import sys
import tarfile
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import cleaned
from tests.support.subprocesses import ROOT

EPOCH = 1_700_000_000
_METADATA = """
import sys
from setuptools.build_meta import prepare_metadata_for_build_wheel
prepare_metadata_for_build_wheel(sys.argv[-1])
"""


def _script() -> Any:
    specification = importlib.util.spec_from_file_location("release", ROOT / ".ci/release.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


RELEASE = _script()


def _archive(names: list[str], *, time: int, owner: int, mode: int, content: bytes = b"x") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.mtime, member.uid, member.mode = time, owner, mode
            member.uname = f"user{owner}"
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_an_sdist_is_the_same_whoever_makes_it() -> None:
    """Time, owner, umask and order of the files are not in it, and the content is."""
    one = _archive(["a", "b"], time=1, owner=0, mode=0o600)
    other = _archive(["b", "a"], time=2, owner=5, mode=0o664)
    assert one != other
    made = RELEASE.normalized(one, EPOCH)
    assert made == RELEASE.normalized(other, EPOCH)
    with tarfile.open(fileobj=io.BytesIO(made)) as tar:
        found = [(one.name, one.mtime, one.mode, one.uname) for one in tar.getmembers()]
        assert [("a", EPOCH, 0o644, ""), ("b", EPOCH, 0o644, "")] == found
    with gzip.GzipFile(fileobj=io.BytesIO(made)) as file:
        file.read(1)
        assert EPOCH == file.mtime


def test_other_content_is_another_sdist() -> None:
    """The twin."""
    one = _archive(["a"], time=1, owner=0, mode=0o600)
    other = _archive(["a"], time=1, owner=0, mode=0o600, content=b"y")
    assert RELEASE.normalized(one, EPOCH) != RELEASE.normalized(other, EPOCH)


@pytest.mark.parametrize("content", [b"same", b"other", None])
def test_builds_that_differ(content: bytes | None, tmp_path: Path) -> None:
    """A file that is another one, or is missing, is named; builds that are the same pass."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, each in ((one, b"same"), (other, content)):
        folder.mkdir()
        if each is not None:
            (folder / "a.whl").write_bytes(each)
    if content == b"same":
        RELEASE.compare(one, other)
        return
    with pytest.raises(RELEASE.NotReproducibleError, match=r"a\.whl"):
        RELEASE.compare(one, other)


def test_hashes(tmp_path: Path) -> None:
    """They are what `sha256sum` reads, and it tells a file that has changed."""
    (tmp_path / "a.whl").write_bytes(b"content")
    RELEASE.write_sums(tmp_path)
    command = ["sha256sum", "--check", "--strict", "--quiet", RELEASE.SUMS]
    try:
        assert 0 == subprocess.run(command, cwd=tmp_path, capture_output=True).returncode
    except FileNotFoundError:
        pytest.skip("there is no sha256sum")
    (tmp_path / "a.whl").write_bytes(b"other")
    assert 1 == subprocess.run(command, cwd=tmp_path, capture_output=True).returncode


def _metadata(folder: Path, **variables: str) -> Message:
    """What the metadata of a wheel would say; nothing is built in the checkout."""
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "mxcert_runtime").mkdir()
    (folder / "mxcert_runtime/__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-c", _METADATA, str(folder)],
        cwd=folder,
        env={**cleaned(os.environ), "PYTHONWARNINGS": "", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert 0 == done.returncode, done.stderr
    (path,) = folder.glob("*.dist-info/METADATA")
    return email.message_from_string(path.read_text(encoding="utf-8"))


@pytest.mark.any_python
def test_metadata(tmp_path: Path) -> None:
    """Whoever releases says where the project is; its four addresses and authors are in it."""
    url = "https://forge.example/group/mxcert"
    metadata = _metadata(tmp_path, MXCERT_PROJECT_URL=f"{url}/")
    assert "The mxcert_runtime authors" == metadata["Author"]
    assert [
        f"Repository, {url}",
        f"Documentation, {url}/tree/HEAD/docs",
        f"Changelog, {url}/blob/HEAD/CHANGELOG.md",
        f"Issues, {url}/issues",
    ] == metadata.get_all("Project-URL")


@pytest.mark.any_python
def test_metadata_without_an_address(tmp_path: Path) -> None:
    """The twin: none is made up."""
    assert None is _metadata(tmp_path).get_all("Project-URL")
