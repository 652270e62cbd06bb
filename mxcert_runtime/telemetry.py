"""The numbers of :func:`mxcert_runtime.metrics` as instruments of OpenTelemetry.

All are asynchronous instruments, which ask when somebody collects: a connection does not pay for
them. Importing this module needs `opentelemetry-api` (the extra ``otel``), and no SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Union

try:
    from opentelemetry.metrics import Observation, get_meter
except ImportError as error:
    remedy = "Install it: `pip install opentelemetry-api`"
    raise ImportError(f"mxcert_runtime.telemetry needs opentelemetry-api. {remedy}") from error

from .monitoring import INSTRUMENTS, Instrument

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider

Number = Union[int, float]


def observe(meter_provider: MeterProvider | None = None) -> None:
    """Make the instruments, once for each provider; ``None`` is the global one.

    Counters ``mxcert.connections`` (attributes ``identity`` and ``rule``), ``mxcert.reloads``
    (``outcome``), ``mxcert.handshakes.refused`` (``reason``) and ``mxcert.handshakes.failed``
    (``kind``); gauges ``mxcert.active``, ``mxcert.generation``, ``mxcert.last_load.timestamp``,
    ``mxcert.last_reload.succeeded``, ``mxcert.identity.days_left`` and
    ``mxcert.identity.file_differs`` (``identity``), ``mxcert.identity.info`` (``identity``,
    ``fingerprint``, ``file_fingerprint``), ``mxcert.certificate.time_left``,
    ``mxcert.certificate.expiry.timestamp`` and ``mxcert.certificate.lifetime`` (``identity``,
    ``kind``, ``subject``). An attribute is left out where there is none. What they mean stands at
    :func:`mxcert_runtime.metrics`.
    """
    meter = get_meter("mxcert_runtime", meter_provider=meter_provider)
    for each in INSTRUMENTS:
        make: Any = meter.create_observable_gauge
        if each.is_counter:
            make = meter.create_observable_counter
        make(each.name, [_reading(each)], each.unit, each.description)


def _reading(instrument: Instrument) -> Callable[[CallbackOptions], Iterable[Observation]]:
    """A callback that observes what an instrument reads."""

    def read(_: CallbackOptions) -> Iterator[Observation]:
        for values, number in instrument.read():
            yield _observation(number, zip(instrument.attributes, values))

    return read


def _observation(value: Number, attributes: Iterable[tuple[str, str | None]]) -> Observation:
    # Attributes of OpenTelemetry have no null.
    return Observation(value, {name: text for name, text in attributes if text is not None})
