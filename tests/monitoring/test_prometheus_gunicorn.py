"""A service of gunicorn with several workers: one scrape of any of them tells of all."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client", reason="prometheus_client is not installed")
pytest.importorskip("gunicorn", reason="gunicorn is not installed")

from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.gunicorn_service import GunicornService, running_service
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
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

def child_exit(server, worker):
    multiprocess.mark_process_dead(worker.pid)
"""


@pytest.fixture(params=[False, True], ids=["each worker loads", "preloaded"])
def service(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    client_files: ClientFiles,
    alpha: Leaf,
    authority: Authority,
    tls_server: ServerFactory[TlsServer],
) -> Iterator[GunicornService]:
    """The service, which calls a server under the identity of its settings."""
    files = tmp_path / "multiprocess"
    files.mkdir()
    environment = client_files.variables(usages={"localhost": alpha})
    environment["TARGET"] = tls_server().url("localhost")
    environment["TRUSTED"] = str(client_files.authority(authority))
    environment["PROMETHEUS_MULTIPROC_DIR"] = str(files)
    how = {"preload": request.param, "configuration": _CONFIGURATION}
    with running_service(tmp_path, _APPLICATION, environment, **how) as service:
        yield service


def scrape_until(service: GunicornService, calls: int) -> dict[Key, float]:
    """A scrape that tells of so many calls; the last one, where none does."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        seen = parsed(service.ask("/metrics"))
        if calls_in(seen) == calls or time.monotonic() > deadline:
            return seen


def calls_in(seen: dict[Key, float]) -> float:
    """How many connections presented an identity."""
    return sum(
        value
        for (name, labels), value in seen.items()
        if name == "mxcert_connections_total" and dict(labels)["identity"]
    )


def test_all_workers_in_one_scrape(service: GunicornService, alpha: Leaf) -> None:
    """The calls of both are summed, also of one that has gone; the certificate is there once."""
    workers: list[str] = []
    while len(set(workers)) < 2:
        workers.append(service.ask("/"))
    seen = scrape_until(service, len(workers))
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
    assert total == calls_in(scrape_until(service, total))
