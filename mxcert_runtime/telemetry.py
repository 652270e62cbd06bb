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
    remedy = "Install mxcert-runtime[otel]"
    raise ImportError(f"mxcert_runtime.telemetry needs opentelemetry-api. {remedy}") from error

from .monitoring.metrics import metrics

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider

Number = Union[int, float]


def observe(meter_provider: MeterProvider | None = None) -> None:
    """Make the instruments, once for each provider; ``None`` is the global one.

    Counters ``mxcert.connections`` (attributes ``identity`` and ``rule``, each left out where
    there is none), ``mxcert.handshakes.refused`` (``reason``) and ``mxcert.reloads``
    (``outcome``); gauges ``mxcert.identity.days_left`` (``identity``) and ``mxcert.active`` (1 or
    0). What they mean stands at :func:`mxcert_runtime.metrics`.
    """
    meter = get_meter("mxcert_runtime", meter_provider=meter_provider)
    meter.create_observable_counter(
        "mxcert.connections",
        [_reading("connections", "count", "identity", "rule")],
        "{connection}",
        "Client connections that were begun, by the identity presented and the rule that decided",
    )
    meter.create_observable_counter(
        "mxcert.handshakes.refused",
        [_reading("refusals", "count", "reason")],
        "{handshake}",
        "Handshakes that failed over a certificate",
    )
    meter.create_observable_counter(
        "mxcert.reloads",
        [_reading("reloads", "count", "outcome")],
        "{reload}",
        "Reloads of the settings, by what they came to",
    )
    meter.create_observable_gauge(
        "mxcert.identity.days_left",
        [_reading("identities", "days_left", "identity")],
        "d",
        "Days until the certificate expires; negative once it has",
    )
    meter.create_observable_gauge(
        "mxcert.active", [_observe_activity], "1", "Whether settings are in force"
    )


def _reading(
    group: str, value: str, *attributes: str
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    """A callback that observes one value of each entry of a group of the metrics."""

    def read(_: CallbackOptions) -> Iterator[Observation]:
        for entry in metrics()[group]:
            yield _observation(entry[value], {name: entry[name] for name in attributes})

    return read


def _observation(value: Number, attributes: dict[str, Any]) -> Observation:
    # Attributes of OpenTelemetry have no null.
    return Observation(value, {name: text for name, text in attributes.items() if text is not None})


def _observe_activity(_: CallbackOptions) -> list[Observation]:
    return [Observation(int(metrics()["active"]))]
