"""The numbers of :func:`mxcert_runtime.metrics` as instruments: one row for each, whoever reads it.

Names and units are those of OpenTelemetry's conventions; Prometheus' follow from them by the rules
of both (dots become underscores, and units and ``total`` stand at the end).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Optional, Union

from ..base import dataclass
from .metrics import measure

Number = Union[int, float]
#: the values of the attributes, in their order, and the number
Point = tuple[tuple[Optional[str], ...], Number]

#: of units that the name does not hold already
_SUFFIXES = {"s": "_seconds"}


@dataclass(frozen=True)
class Instrument:
    """One number, or one for each set of attributes."""

    name: str
    #: UCUM
    unit: str
    description: str
    attributes: tuple[str, ...]
    read: Callable[[], Iterable[Point]]
    is_counter: bool = False
    #: whether, of several processes, the one with the least is looked at, or the one with the most
    is_worst_when_low: bool = True

    @property
    def prometheus_name(self) -> str:
        """Without the ``_total`` of a counter, which prometheus_client adds."""
        return self.name.replace(".", "_") + _SUFFIXES.get(self.unit, "")


def _counts(group: str, *attributes: str) -> Callable[[], Iterator[Point]]:
    def read() -> Iterator[Point]:
        for entry in measure(group):
            yield tuple(entry[name] for name in attributes), entry["count"]

    return read


def _each_lowest(
    group: str, attributes: tuple[str, ...], value: Callable[[dict[str, Any]], Number]
) -> Callable[[], Iterable[Point]]:
    """The lowest value of the entries that have the same attributes, such as a CA and its twin."""

    def read() -> Iterable[Point]:
        points: dict[tuple[str | None, ...], Number] = {}
        for entry in measure(group):
            key = tuple(entry[name] for name in attributes)
            points[key] = min(value(entry), points.get(key, value(entry)))
        return points.items()

    return read


def _single(read_value: Callable[[], Number | None]) -> Callable[[], Iterator[Point]]:
    def read() -> Iterator[Point]:
        value = read_value()
        if value is not None:
            yield (), value

    return read


def _last_load() -> float | None:
    text = measure("loaded_at")
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _last_reload_succeeded() -> int | None:
    last = measure("last_reload")
    return None if last is None else int(last["outcome"] != "failed")


def _end(entry: dict[str, Any]) -> float:
    return datetime.fromisoformat(entry["not_after"]).timestamp()


def _lifetime(entry: dict[str, Any]) -> float:
    return _end(entry) - datetime.fromisoformat(entry["not_before"]).timestamp()


def _differing_files() -> Iterator[Point]:
    for entry in measure("identities"):
        if entry["file_fingerprint"] is not None or entry["file_problem"] is not None:
            differs = entry["file_fingerprint"] != entry["fingerprint"]
            yield (entry["identity"],), int(differs)


def _fingerprints() -> Iterator[Point]:
    for entry in measure("identities"):
        yield (entry["identity"], entry["fingerprint"], entry["file_fingerprint"]), 1


_OF_CERTIFICATE = ("identity", "kind", "subject")

#: its attributes change with each renewal
IDENTITY_INFO = Instrument(
    "mxcert.identity.info",
    "1",
    "SHA-256 of each identity's certificate in memory, and of the one that its file holds now",
    ("identity", "fingerprint", "file_fingerprint"),
    _fingerprints,
)

INSTRUMENTS = (
    Instrument(
        "mxcert.active",
        "1",
        "Whether settings are in force",
        (),
        _single(lambda: int(measure("active"))),
    ),
    Instrument(
        "mxcert.connections",
        "{connection}",
        "Client connections that were begun, by the identity presented and the rule that decided",
        ("identity", "rule"),
        _counts("connections", "identity", "rule"),
        is_counter=True,
    ),
    Instrument(
        "mxcert.handshakes.refused",
        "{handshake}",
        "Handshakes that failed over a certificate, by alert",
        ("reason",),
        _counts("refusals", "reason"),
        is_counter=True,
    ),
    Instrument(
        "mxcert.handshakes.failed",
        "{handshake}",
        "Handshakes that failed over whatever, by kind; connection-closed and closed-without-answer"
        " are servers that closed and sent no alert",
        ("kind",),
        _counts("failures", "kind"),
        is_counter=True,
    ),
    Instrument(
        "mxcert.reloads",
        "{reload}",
        "Reloads of the settings, by what they came to",
        ("outcome",),
        _counts("reloads", "outcome"),
        is_counter=True,
    ),
    Instrument(
        "mxcert.last_reload.succeeded",
        "1",
        "Whether the last reload left in force what the settings say",
        (),
        _single(_last_reload_succeeded),
    ),
    Instrument(
        "mxcert.generation",
        "1",
        "How many generations of settings the process has put in force",
        (),
        _single(lambda: int(measure("generation"))),
    ),
    Instrument(
        "mxcert.last_load.timestamp",
        "s",
        "When the generation in force was put there, in seconds since 1970",
        (),
        _single(_last_load),
    ),
    Instrument(
        "mxcert.identity.days_left",
        "d",
        "Days until the certificate of an identity expires; negative once it has",
        ("identity",),
        _each_lowest("identities", ("identity",), lambda entry: entry["days_left"]),
    ),
    Instrument(
        "mxcert.identity.file_differs",
        "1",
        "Whether the file of an identity holds another certificate than memory, or none",
        ("identity",),
        _differing_files,
        is_worst_when_low=False,
    ),
    IDENTITY_INFO,
    Instrument(
        "mxcert.certificate.time_left",
        "s",
        "Time until a leaf, a certificate of its chain or a CA expires; negative once it has",
        _OF_CERTIFICATE,
        _each_lowest("certificates", _OF_CERTIFICATE, lambda entry: entry["seconds_left"]),
    ),
    Instrument(
        "mxcert.certificate.expiry.timestamp",
        "s",
        "When a leaf, a certificate of its chain or a CA expires, in seconds since 1970",
        _OF_CERTIFICATE,
        _each_lowest("certificates", _OF_CERTIFICATE, _end),
    ),
    Instrument(
        "mxcert.certificate.lifetime",
        "s",
        "For how long a leaf, a certificate of its chain or a CA is valid in all",
        _OF_CERTIFICATE,
        _each_lowest("certificates", _OF_CERTIFICATE, _lifetime),
    ),
)
