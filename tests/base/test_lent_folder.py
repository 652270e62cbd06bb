"""Files lent by path: what is in them, who may read them, and that nothing of them stays."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mxcert_runtime.base import LentFolder, Secret
from tests.support.subprocesses import run_client

pytestmark = pytest.mark.skipif(os.name == "nt", reason="modes and descriptors are of POSIX")
needs_memory = pytest.mark.skipif(
    sys.platform != "linux", reason="files in memory are those of Linux"
)
CONTENT = Secret(b"a key that nobody may see")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def _on_disk(folder: LentFolder) -> str:
    return folder.put_on_disk("key.pem", CONTENT)


def _in_memory(folder: LentFolder) -> str:
    path = folder.put_in_memory("key.pem", CONTENT)
    assert path is not None
    return path


WAYS = [_on_disk, pytest.param(_in_memory, marks=needs_memory)]


@pytest.mark.parametrize("put", WAYS)
def test_read_by_its_path(temporary: Path, put: Callable[[LentFolder], str]) -> None:
    """It is a plain file of this user with mode 0600, in a folder of mode 0700."""
    folder = LentFolder()
    path = Path(put(folder))
    assert CONTENT.reveal() == path.read_bytes()
    found = path.stat()
    assert (stat.S_IFREG | 0o600, os.geteuid()) == (found.st_mode, found.st_uid)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
    assert temporary == path.parent.parent
    folder.close()


@pytest.mark.parametrize("put", WAYS)
def test_nothing_stays(temporary: Path, put: Callable[[LentFolder], str]) -> None:
    """No file, no folder and no descriptor; a path leads nowhere, whatever is lent next."""
    before = _descriptors()
    folder = LentFolder()
    path = put(folder)
    folder.close()
    folder.close()
    assert [] == list(temporary.iterdir())
    assert _descriptors() <= before
    other = LentFolder()
    assert path != put(other)
    assert not os.path.exists(path)
    other.close()


def _descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd")) if sys.platform == "linux" else set()


@needs_memory
def test_no_key_on_a_disk(temporary: Path) -> None:
    """What is in memory leaves a link behind, and no content, in the folder."""
    folder = LentFolder()
    path = Path(_in_memory(folder))
    assert path.is_symlink()
    assert f"/proc/{os.getpid()}/fd/" == os.readlink(path).rstrip("0123456789")
    folder.close()


@needs_memory
def test_wiped_for_whoever_holds_it_open(temporary: Path) -> None:
    """A descriptor that somebody has kept shows nothing afterwards; before that it does."""
    folder = LentFolder()
    with open(_in_memory(folder), "rb") as kept:
        assert CONTENT.reveal() == kept.read()
        folder.close()
        kept.seek(0)
        assert b"" == kept.read()


@pytest.mark.parametrize("put", WAYS)
def test_cleaned_up_by_another(temporary: Path, put: Callable[[LentFolder], str]) -> None:
    """What somebody else has removed, or put beside it, is no error at the end."""
    folder = LentFolder()
    path = Path(put(folder))
    path.unlink()
    beside = path.with_name("beside")
    beside.write_text("of another")
    folder.close()
    assert [beside] == list(path.parent.iterdir())


def test_a_disk_that_is_full(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written of it goes with the rest."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder = LentFolder()
    monkeypatch.setattr("mxcert_runtime.base.lent_folder.write_all", refuse)
    for put in (folder.put_on_disk, folder.put_in_memory):
        with pytest.raises(OSError, match="No space"):
            put("key.pem", CONTENT)
    folder.close()
    assert [] == list(temporary.iterdir())


_FORKING = """
import os, sys
from mxcert_runtime.base import LentFolder, Secret
folder = LentFolder()
paths = [folder.put_on_disk("disk.pem", Secret(b"1"))]
paths += [folder.put_in_memory("memory.pem", Secret(b"2"))]
child = os.fork()
if not child:
    folder.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print([open(path).read() for path in paths])
folder.close()
print([os.path.exists(path) for path in paths])
"""


@needs_memory
def test_a_forked_process_closes_its_own_only() -> None:
    """The files of the process that made them are as they were."""
    assert "['1', '2']\n[False, False]\n" == run_client(_FORKING).stdout


@pytest.mark.parametrize("put", WAYS)
def test_write_that_fails(temporary: Path, put: Callable[[LentFolder], str]) -> None:
    """Nothing is left of it, and it can be done again, as when a disk is full for a while."""
    resource = pytest.importorskip("resource")
    before, folder = _descriptors(), LentFolder()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            put(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert before == _descriptors()
    assert CONTENT.reveal() == Path(put(folder)).read_bytes()
    folder.close()
    assert [] == list(temporary.iterdir())


@needs_memory
def test_proc_of_other_processes(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this process has another number there, no memory is lent, and a disk serves."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    before, folder = _descriptors(), LentFolder()
    assert None is folder.put_in_memory("key.pem", CONTENT)
    assert before == _descriptors()
    assert CONTENT.reveal() == Path(_on_disk(folder)).read_bytes()
    folder.close()
    assert [] == list(temporary.iterdir())
