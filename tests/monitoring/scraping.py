"""A scrape as Prometheus makes it: over HTTP, parsed as its text format."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any

from prometheus_client.exposition import MetricsHandler
from prometheus_client.parser import text_string_to_metric_families

from tests.support.listener import TIMEOUT

#: sample name and labels, sorted
Key = tuple[str, tuple[tuple[str, str], ...]]


@contextmanager
def serving(registry: Any) -> Iterator[int]:
    """The port of a server that shows the registry."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), MetricsHandler.factory(registry))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(TIMEOUT)
        server.server_close()


def scrape(registry: Any) -> dict[Key, float]:
    """Every sample that a scrape of the registry sees."""
    with serving(registry) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode("utf-8")
        connection.close()
    return parsed(text)


def parsed(text: str) -> dict[Key, float]:
    """The samples of a text in Prometheus' format; each name and set of labels is there once."""
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in samples
            samples[key] = sample.value
    return samples


def key(name: str, **labels: str) -> Key:
    """The key of a sample."""
    return name, tuple(sorted(labels.items()))
