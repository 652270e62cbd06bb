"""The numbers of :func:`mxcert_runtime.metrics` for Prometheus, by way of prometheus_client.

In one process a collector asks when somebody scrapes: a connection does not pay for it. Under
prometheus_client's multiprocess mode whoever scrapes sees only what each process has written to its
files, so there every process writes its numbers, once in a second and at its end. Importing this
module needs `prometheus_client` (the extra ``prometheus``).
"""

from __future__ import annotations

import atexit
import functools
import math
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

try:
    from prometheus_client import (
        REGISTRY,
        CollectorRegistry,
        Counter,
        Gauge,
        generate_latest,
        values as _values,
    )
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
except ImportError as error:
    remedy = "Install it: `pip install prometheus_client`"
    raise ImportError(f"mxcert_runtime.prometheus needs prometheus_client. {remedy}") from error

from .base import logger as _logger
from .monitoring import IDENTITY_INFO, INSTRUMENTS, Instrument, Number

if TYPE_CHECKING:
    _Labels = tuple[str, ...]

#: Seconds between two writes in multiprocess mode; a scrape comes every ten or so.
WRITE_INTERVAL = 1.0

#: Labels that change with each renewal would fill the files of multiprocess mode without end.
_WRITTEN = tuple(each for each in INSTRUMENTS if each is not IDENTITY_INFO)


_writers: list[_Writer] = []


def register(registry: Any = REGISTRY) -> None:
    """Add the numbers to a registry of prometheus_client; call it once, at the program's start.

    Under multiprocess mode (``PROMETHEUS_MULTIPROC_DIR``) counters are the sums of all processes,
    and of gauges the worst of the processes that live is shown: the certificate that expires
    first, the oldest generation. As for every gauge there, the server must call
    ``prometheus_client.multiprocess.mark_process_dead`` when a worker has gone. A forked worker
    goes on by itself. ``mxcert_identity_info`` is not there, since its labels change.
    """
    if getattr(_values.ValueClass, "_multiprocess", False):
        writer = _Writer(registry)
        _writers.append(writer)
        writer.start()
    else:
        registry.register(Collector())


def flush() -> None:
    """Write the numbers of this process now, under multiprocess mode.

    For servers in which threads do not run (uWSGI without ``enable-threads``), and for workers that
    end without Python's own end. Without that mode it does nothing.
    """
    for writer in _writers:
        writer.write()


def text() -> str:
    """The numbers of this process in Prometheus' text format, for programs with no registry."""
    registry = CollectorRegistry()
    registry.register(Collector())
    exposed: bytes = generate_latest(registry)
    return exposed.decode("utf-8")


class Collector:
    """Makes the metrics at each scrape, out of the numbers of this process."""

    def describe(self) -> Iterator[Any]:
        """The metrics without their numbers, by which a registry sees that no name is taken."""
        return map(_family, INSTRUMENTS)

    def collect(self) -> Iterator[Any]:
        """The metrics."""
        for instrument in INSTRUMENTS:
            family = _family(instrument)
            for values, number in instrument.read():
                family.add_metric(_labels(values), number)
            yield family


def _family(instrument: Instrument) -> Any:
    kind = CounterMetricFamily if instrument.is_counter else GaugeMetricFamily
    return kind(
        instrument.prometheus_name, instrument.description, labels=list(instrument.attributes)
    )


def _labels(values: tuple[str | None, ...]) -> _Labels:
    # To Prometheus an empty label is none.
    return tuple(value or "" for value in values)


class _Writer:
    """Keeps metrics of prometheus_client at the numbers of this process."""

    def __init__(self, registry: Any) -> None:
        self._metrics = [(each, _metric(each, registry)) for each in _WRITTEN]
        #: by metric name and labels, what this process has written last
        self._written: dict[tuple[str, _Labels], Number] = {}
        # A signal handler may write, or fork, while its own thread writes.
        self._lock = threading.RLock()

    def start(self) -> None:
        """Write from now on, in this process and in those that are forked from it."""
        self.write()
        self._begin()
        atexit.register(self.write)
        if hasattr(os, "register_at_fork"):
            # A child forked amid a write would find prometheus_client's lock taken for ever.
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._begin_anew,
            )

    def _begin_anew(self) -> None:
        # The files and the counts of a child are its own, and begin at zero. Nothing is written
        # yet: most children become another program.
        self._written = {}
        self._lock.release()
        self._begin()

    def _begin(self) -> None:
        threading.Thread(target=self._go_on, name="mxcert-prometheus", daemon=True).start()

    def _go_on(self) -> None:
        waiting = threading.Event()
        while not waiting.wait(WRITE_INTERVAL):
            try:
                self.write()
            except Exception as fault:  # a full disk must not end it for good
                _logger.debug("the numbers for Prometheus cannot be written: %r", fault)

    def write(self) -> None:
        """Bring the files to the numbers of this moment."""
        # Read first: what reads may wait for somebody who forks, and whoever forks waits for us.
        read = [
            (each, metric, {_labels(values): number for values, number in each.read()})
            for each, metric in self._metrics
        ]
        with self._lock:
            for instrument, metric, points in read:
                write = self._write_counts if instrument.is_counter else self._write_gauges
                write(instrument, metric, points)

    def _write_counts(
        self, instrument: Instrument, metric: Any, points: dict[_Labels, Number]
    ) -> None:
        for labels, number in points.items():
            key = instrument.name, labels
            # Another thread may have read later, and written first.
            grown = max(0, number - self._written.get(key, 0))
            _child(metric, labels).inc(grown)
            self._written[key] = self._written.get(key, 0) + grown

    def _write_gauges(
        self, instrument: Instrument, metric: Any, points: dict[_Labels, Number]
    ) -> None:
        # Nothing can be taken out of the files: what is gone must look like no trouble.
        harmless = math.inf if instrument.is_worst_when_low else 0
        known = [labels for name, labels in self._written if name == instrument.name]
        # One without labels is there from the beginning, and says 0 by itself.
        known += [()] * (not instrument.attributes)
        for labels in dict.fromkeys([*points, *known]):
            number = points.get(labels, harmless)
            if self._written.get((instrument.name, labels)) != number:
                _child(metric, labels).set(number)
                self._written[instrument.name, labels] = number


def _metric(instrument: Instrument, registry: Any) -> Any:
    make = Counter
    if not instrument.is_counter:
        mode = "livemin" if instrument.is_worst_when_low else "livemax"
        make = functools.partial(Gauge, multiprocess_mode=mode)
    return make(
        instrument.prometheus_name, instrument.description, instrument.attributes, registry=registry
    )


def _child(metric: Any, labels: _Labels) -> Any:
    return metric.labels(*labels) if labels else metric
