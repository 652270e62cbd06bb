"""A service of gunicorn with several workers: one scrape of any of them tells of all."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client", reason="prometheus_client is not installed")
pytest.importorskip("gunicorn", reason="gunicorn is not installed")

from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import client_environment
from tests.support.tls_server import TlsServer

from .scraping import Key, parsed

_APPLICATION = """
import os, ssl, threading, urllib.request
import mxcert_runtime
from mxcert_runtime import prometheus
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

prometheus.WRITE_INTERVAL = 0.01
prometheus.register()
context = ssl.create_default_context(cafile=os.environ["TRUSTED"])

def application(environ, start_response):
    if environ["PATH_INFO"] == "/metrics":
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        body = generate_latest(registry)
    else:
        urllib.request.urlopen(os.environ["TARGET"], context=context).read()
        body = b"%d" % os.getpid()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
_CONFIGURATION = """
from prometheus_client import multiprocess

workers = 2
preload_app = PRELOAD
bind = "unix:SOCKET"

def child_exit(server, worker):
    multiprocess.mark_process_dead(worker.pid)
"""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


class _Service:
    """gunicorn in a process of its own."""

    def __init__(self, folder: Path, environment: dict[str, str], *, preload: bool) -> None:
        self._socket = folder / "gunicorn.sock"
        (folder / "service.py").write_text(_APPLICATION)
        configuration = _CONFIGURATION.replace("PRELOAD", str(preload))
        file = folder / "gunicorn.conf.py"
        file.write_text(configuration.replace("SOCKET", str(self._socket)))
        files = folder / "multiprocess"
        files.mkdir()
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(files)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", str(file), "service:application"],
            cwd=folder,
            env=client_environment(environment, host_patterns=()),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "Listening at" in line:
                break

    def ask(self, path: str) -> str:
        """What one of the workers answers."""
        connection = _UnixConnection(self._socket)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def scrape_until(self, calls: int) -> dict[Key, float]:
        """A scrape that tells of so many calls; the last one, where none does."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            seen = parsed(self.ask("/metrics"))
            if calls_in(seen) == calls or time.monotonic() > deadline:
                return seen

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate(timeout=TIMEOUT)


@pytest.fixture(params=[False, True], ids=["each worker loads", "preloaded"])
def service(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    client_files: ClientFiles,
    alpha: Leaf,
    authority: Authority,
    tls_server: ServerFactory[TlsServer],
) -> Iterator[_Service]:
    """The service, which calls a server under the identity of its settings."""
    environment = client_files.variables(usages={"localhost": alpha})
    environment["TARGET"] = tls_server().url("localhost")
    environment["TRUSTED"] = str(client_files.authority(authority))
    service = _Service(tmp_path, environment, preload=request.param)
    yield service
    service.close()


def calls_in(seen: dict[Key, float]) -> float:
    """How many connections presented an identity."""
    return sum(
        value
        for (name, labels), value in seen.items()
        if name == "mxcert_connections_total" and dict(labels)["identity"]
    )


def test_all_workers_in_one_scrape(service: _Service, alpha: Leaf) -> None:
    """The calls of both are summed, also of one that has gone; the certificate is there once."""
    workers: list[str] = []
    while len(set(workers)) < 2:
        workers.append(service.ask("/"))
    seen = service.scrape_until(len(workers))
    assert len(workers) == calls_in(seen)
    ends = [
        value
        for (name, _), value in seen.items()
        if name == "mxcert_certificate_expiry_timestamp_seconds"
    ]
    assert [alpha.certificate.not_valid_after_utc.timestamp()] == ends
    os.kill(int(workers[0]), signal.SIGTERM)
    more = [service.ask("/") for _ in range(5)]
    total = len(workers) + len(more)
    assert total == calls_in(service.scrape_until(total))
