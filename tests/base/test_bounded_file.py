"""A file is read whole, and what is no file is refused without waiting for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mxcert_runtime.base.bounded_file import read_bounded
from tests.base.pipes import written_into
from tests.support.listener import TIMEOUT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the kinds of files are POSIX")

MIB = 1024**2


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe with a name, into which nobody writes."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def _words(path: str | Path, limit: int = MIB) -> str:
    with pytest.raises(OSError, match=r".") as caught:
        read_bounded(str(path), limit)
    return caught.value.strerror or ""


def test_a_file(tmp_path: Path) -> None:
    """The content, to the last byte that the bound allows, and not one more."""
    path = tmp_path / "file"
    path.write_bytes(b"\0" * MIB)
    assert b"\0" * MIB == read_bounded(str(path), MIB).reveal()
    path.write_bytes(b"\0" * (MIB + 1))
    assert "it is larger than 1 MiB" == _words(path)


def test_an_empty_file(tmp_path: Path) -> None:
    """What is empty is read as that, the null device too."""
    (tmp_path / "file").touch()
    assert b"" == read_bounded(str(tmp_path / "file")).reveal()
    assert b"" == read_bounded(os.devnull).reveal()


def test_a_file_of_the_system() -> None:
    """What has no size, and content all the same, is read."""
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("there is no /proc")
    assert b"Pid:" in read_bounded(str(path)).reveal()


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/tty", "/dev/random"])
def test_a_device(path: str, tmp_path: Path) -> None:
    """A device is refused before it is opened, behind a link as well."""
    if not os.path.exists(path):
        pytest.skip("there is no such device")
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    assert "it is a device" == _words(link)


def test_a_socket(tmp_path: Path) -> None:
    """A socket is called what it is."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert "it is a socket" == _words(tmp_path / "socket")


def test_a_directory(tmp_path: Path) -> None:
    """A directory has the system's own words."""
    assert "Is a directory" == _words(tmp_path)


def test_a_pipe_into_which_nobody_writes(pipe: Path) -> None:
    """It is a fault soon; nobody knows for whom it would wait."""
    assert "it is a pipe into which nobody writes to the end" == _words(pipe)


@pytest.mark.parametrize("size", [5, 3 * 65536])
def test_a_pipe_with_a_writer(pipe: Path, size: int) -> None:
    """The twin: what somebody writes is read to the end, be it more than a pipe holds at once."""
    writer = threading.Thread(target=pipe.write_bytes, args=(b"x" * size,), daemon=True)
    writer.start()
    with written_into(pipe):
        assert b"x" * size == read_bounded(str(pipe)).reveal()
    writer.join(TIMEOUT)


def test_a_pipe_without_an_end(pipe: Path) -> None:
    """What is written without an end is larger than the bound."""
    command = [
        sys.executable,
        "-c",
        f"with open({str(pipe)!r}, 'wb') as p:\n while 1: p.write(b'y')",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as writer:
        try:
            with written_into(pipe):
                assert "it is larger than 1 MiB" == _words(pipe)
        finally:
            writer.kill()


def test_what_a_shell_makes_of_a_command() -> None:
    """``<(command)`` is a pipe by the number of its descriptor."""
    read_end, write_end = os.pipe()
    try:
        os.write(write_end, b"secret\n")
        os.close(write_end)
        assert b"secret\n" == read_bounded(f"/dev/fd/{read_end}").reveal()
    finally:
        os.close(read_end)


def test_a_path_that_can_be_none() -> None:
    """A text that no path can be is a ValueError, as ``open`` has it."""
    with pytest.raises(ValueError, match="null"):
        read_bounded("a\0b")
