"""Which files were read is known, and whether they hold something else by now: by content."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mxcert_runtime.base.bounded_file import MAX_BYTES, read_bounded
from mxcert_runtime.base.files_read import Marks, changed_files, files_read
from tests.base.pipes import written_into


def _read(*paths: Path) -> Marks:
    with files_read() as marks:
        for path in paths:
            try:
                read_bounded(str(path))
            except OSError:
                continue
    return marks


def _touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def _rename_alike(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def _write_same_size(path: Path) -> None:
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _become_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _lead_elsewhere(path: Path) -> None:
    other = path.with_suffix(".other")
    other.write_text("two")
    path.unlink()
    path.symlink_to(other)


CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "nothing": (lambda path: None, False),
    "touched": (_touch, False),
    "replaced by one that is alike": (_rename_alike, False),
    "written over, with size and times kept": (_write_same_size, True),
    "written over": (lambda path: path.write_text("another"), True),
    "gone": (lambda path: path.unlink(), True),
    "a directory": (_become_directory, True),
    "a link to elsewhere": (_lead_elsewhere, True),
}


@pytest.mark.parametrize("is_old", [False, True], ids=["just written", "long settled"])
@pytest.mark.parametrize(("change", "has_changed"), CHANGES.values(), ids=CHANGES)
def test_a_change(
    change: Callable[[Path], object], has_changed: bool, is_old: bool, tmp_path: Path
) -> None:
    """What a file holds counts, whatever its times say; and a second look says the same."""
    path = tmp_path / "file"
    path.write_text("one")
    if is_old:
        _touch(path)
    marks = _read(path)
    change(path)
    expected = [str(path)] if has_changed else []
    assert [expected] * 2 == [changed_files(marks) for _ in range(2)]


def test_a_file_that_comes(tmp_path: Path) -> None:
    """A path at which nothing could be read has changed once there is a file."""
    path = tmp_path / "file"
    marks = _read(path)
    assert [] == changed_files(marks)
    path.write_text("one")
    assert [str(path)] == changed_files(marks)


@pytest.mark.usefixtures("settled")
@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """It has not changed as long as it may not, and has once it may."""
    path = tmp_path / "file"
    path.write_text("one")
    path.chmod(0)
    marks = _read(path)
    assert [] == changed_files(marks)
    path.chmod(0o600)
    assert [str(path)] == changed_files(marks)


@pytest.mark.usefixtures("settled")
def test_what_is_too_large(tmp_path: Path) -> None:
    """It is not read again and again, and has changed once it is smaller."""
    path = tmp_path / "file"
    path.write_bytes(bytes(MAX_BYTES + 1))
    marks = _read(path)
    assert [] == changed_files(marks)
    path.write_bytes(b"one")
    assert [str(path)] == changed_files(marks)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such pipes")
def test_a_pipe_is_left_alone(tmp_path: Path) -> None:
    """It gives its content once, and nobody else may take it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_text, args=("one",), daemon=True).start()
    with written_into(path):
        marks = _read(path)
    assert ([str(path)], []) == (list(marks), changed_files(marks))


def test_only_what_is_read_within(tmp_path: Path) -> None:
    """Reading elsewhere, and in another thread, is no part of it."""
    paths = [tmp_path / name for name in ("before", "within", "other")]
    for path in paths:
        path.write_text("one")
    read_bounded(str(paths[0]))
    with files_read() as marks:
        read_bounded(str(paths[1]))
        other = threading.Thread(target=read_bounded, args=(str(paths[2]),))
        other.start()
        other.join()
    assert [str(paths[1])] == list(marks)


def test_no_mark_shows_what_is_in_a_file(tmp_path: Path) -> None:
    """A digest has a key of this process, so it cannot be looked up in a table."""
    import hashlib

    path = tmp_path / "password"
    path.write_text("secret")
    (mark,) = _read(path).values()
    plain = hashlib.blake2b(b"secret", digest_size=16).digest()
    assert plain not in vars(mark).values()
    assert "secret" not in repr(mark)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are written now count as written long ago."""
    monkeypatch.setattr("mxcert_runtime.base.file_state._SETTLED_NS", 0)


@pytest.mark.usefixtures("settled")
def test_a_directory(tmp_path: Path) -> None:
    """It is not read again and again, and has changed once there is a file."""
    path = tmp_path / "file"
    path.mkdir()
    marks = _read(path)
    assert [] == changed_files(marks)
    path.rmdir()
    path.write_text("one")
    assert [str(path)] == changed_files(marks)


@pytest.mark.usefixtures("settled")
def test_no_free_descriptor(tmp_path: Path) -> None:
    """What could not be read for want of descriptors is read again, though it has not changed."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "file"
    path.write_text("one")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with path.open() as file:
        # The lowest that is free may be lower, hence one that is taken for sure.
        taken = [os.dup(file.fileno()) for _ in range(32)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(taken), limits[1]))
        try:
            marks = _read(path)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            for each in taken:
                os.close(each)
    assert [str(path)] == changed_files(marks)


def test_changed_since_it_was_tried(tmp_path: Path) -> None:
    """What was written just now may have been so after it was tried: it is read once more."""
    path = tmp_path / "file"
    path.write_bytes(bytes(MAX_BYTES + 1))
    assert [str(path)] == changed_files(_read(path))
