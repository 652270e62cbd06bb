"""A server program of the system, in a folder of its own, by whom it may be run.

Programs that refuse to be root run as `nobody`. They take no listening socket from outside, so a
port is looked for, and another where somebody else was quicker. What they print is read from their
start on, and says when they are ready.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from .environment import cleaned
from .listener import TIMEOUT, Records, bind_loopback
from .pki import pem
from .server_tls import ServerTls

_NOBODY = "nobody"
_TAKEN = re.compile(
    "address already in use|eaddrinuse|there is already a epmd running", re.IGNORECASE
)
_END = "(it has ended)"
_holders: list[tempfile.TemporaryDirectory[str]] = []


def program(name: str, *folders: str) -> str:
    """The path of a program; skips the test where there is none."""
    if os.name != "posix":
        pytest.skip("servers of the system run on POSIX systems only")
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *folders))
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def unprivileged() -> dict[str, Any]:
    """Arguments of ``Popen`` for a program that root may not run."""
    return {"user": _NOBODY, "group": _group(), "extra_groups": []} if os.geteuid() == 0 else {}


def unprivileged_user() -> int:
    """The number of whom such programs run as."""
    import pwd

    return pwd.getpwnam(_NOBODY).pw_uid if os.geteuid() == 0 else os.geteuid()


def own(folder: Path) -> None:
    """Give a folder and what is in it to whom unprivileged programs run as."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, _NOBODY, _group())


def _group() -> int:
    import pwd

    return pwd.getpwnam(_NOBODY).pw_gid


def run_unprivileged(command: Sequence[str], *, stdin: bytes = b"") -> None:
    """Run a program to its end; a failure shows what it has printed."""
    done = subprocess.run(
        command,
        check=False,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        cwd="/",
        env=cleaned(os.environ),
        **unprivileged(),
    )
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")


def write_certificates(tls: ServerTls, folder: Path) -> None:
    """``leaf.crt`` and ``leaf.key`` of a server, and ``clients.pem``, whom it trusts."""
    tls.leaf.write_pem(folder)
    authorities = (each.certificate for each in tls.client_authorities)
    (folder / "clients.pem").write_bytes(pem(*authorities))


def free_port() -> int:
    """A port of loopback that nobody has at the moment."""
    (listening,) = bind_loopback()
    with listening:
        port: int = listening.getsockname()[1]
        return port


class Daemon(ABC):
    """A context manager around one process; ``output`` has the lines that it has printed."""

    #: what the line says by which it is ready
    ready: re.Pattern[str]
    #: what ends it without waiting for its clients
    ending = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = None

    def __init__(self) -> None:
        self.output: Records[str] = Records()
        self.folder = Path()

    @abstractmethod
    def prepare(self) -> None:
        """Put into :attr:`folder` what it needs, whatever its port."""

    @abstractmethod
    def command(self) -> list[str]:
        """What runs in the foreground, on a port that is looked for now."""

    def account(self) -> dict[str, Any]:
        """Arguments of ``Popen``: whom it runs as."""
        return unprivileged()

    def environment(self) -> dict[str, str]:
        """Its variables, once :meth:`command` has looked for a port."""
        return cleaned(os.environ)

    def hand_over(self) -> None:
        """Let whom it runs as have what was prepared."""
        own(self.folder)

    def __enter__(self) -> Any:
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.prepare()
            self.hand_over()
            stack.callback(self._stop)
            for _ in range(5):
                self._start()
                if self._is_ready():
                    self._stack = stack.pop_all()
                    return self
                self._stop()
                if not any(map(_TAKEN.search, self.output)):
                    break
            raise AssertionError("it does not start:\n" + "\n".join(self.output))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.output.clear()
        self._process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=self.environment(),
            **self.account(),
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.output.append(line.decode("utf-8", "replace").rstrip())
        self.output.append(_END)

    def line(self, pattern: re.Pattern[str], *, after: int = 0) -> re.Match[str]:
        """What the first line with this in it has there, as soon as it is printed.

        ``after`` is how many lines are not looked at, since they were printed before.
        """
        count = after + 1
        while True:
            line = self.output.wait_for(count)[count - 1]
            found = pattern.search(line)
            if found is not None:
                return found
            assert line != _END, "\n".join(self.output)
            count += 1

    def _is_ready(self) -> bool:
        """Wait for the line that says so; ``False`` where the process ends before."""
        end = re.escape(_END)
        return self.line(re.compile(f"{self.ready.pattern}|^{end}$"))[0] != _END

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(self.ending)
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(TIMEOUT)
        self._reading.join(TIMEOUT)


def kept_folder() -> Path:
    """A new folder of whom unprivileged programs run as, until this process ends."""
    holder = tempfile.TemporaryDirectory()
    _holders.append(holder)
    own(Path(holder.name))
    return Path(holder.name)


def copy_kept(template: Path, target: Path) -> None:
    """A copy of a folder with its modes."""
    shutil.copytree(template, target, symlinks=True)
    target.chmod(template.stat().st_mode & 0o7777)
