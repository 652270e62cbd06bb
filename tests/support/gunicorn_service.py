"""A service of gunicorn with two workers, in a process of its own, on a Unix socket."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .listener import TIMEOUT
from .subprocesses import client_environment

_CONFIGURATION = """
workers = 2
preload_app = {preload}
bind = "unix:{socket}"
"""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


class GunicornService:
    """``application`` is the text of a module with a WSGI ``application``."""

    def __init__(
        self,
        folder: Path,
        application: str,
        environment: Mapping[str, str],
        *,
        preload: bool,
        configuration: str = "",
    ) -> None:
        self._socket = folder / "gunicorn.sock"
        (folder / "service.py").write_text(application, encoding="utf-8")
        file = folder / "gunicorn.conf.py"
        told = _CONFIGURATION.format(preload=preload, socket=self._socket)
        file.write_text(told + configuration, encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", str(file), "service:application"],
            cwd=folder,
            env=client_environment(environment, host_patterns=()),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        lines = []
        for line in self._process.stderr:
            lines.append(line)
            if "Listening at" in line:
                return
        raise AssertionError("gunicorn has ended:\n" + "".join(lines))

    def ask(self, path: str) -> str:
        """What one of the workers answers."""
        connection = _UnixConnection(self._socket)
        connection.request("GET", path)
        text = connection.getresponse().read().decode("utf-8")
        connection.close()
        return text

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate(timeout=TIMEOUT)


@contextmanager
def running_service(
    folder: Path, application: str, environment: Mapping[str, str], **how: object
) -> Iterator[GunicornService]:
    """A service until the end."""
    service = GunicornService(folder, application, environment, **how)  # type: ignore[arg-type]
    try:
        yield service
    finally:
        service.close()
