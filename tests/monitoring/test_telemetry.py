"""The metrics as instruments of OpenTelemetry, read by its SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mxcert_runtime import activate, deactivate
from mxcert_runtime.monitoring import counters
from mxcert_runtime.monitoring.reloads import note_reload
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import run_client

sdk = pytest.importorskip("opentelemetry.sdk.metrics", reason="the SDK is not installed")
export = pytest.importorskip("opentelemetry.sdk.metrics.export")
telemetry = pytest.importorskip("mxcert_runtime.telemetry")


@pytest.fixture(autouse=True)
def fresh_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own counters stay as they are."""
    for name in ("_connections", "_refusals", "_failures", "_reloads"):
        monkeypatch.setattr(counters, name, {})


@pytest.fixture
def reader() -> Iterator[Any]:
    """Reads the instruments of a provider of its own."""
    reader = export.InMemoryMetricReader()
    provider = sdk.MeterProvider(metric_readers=[reader])
    telemetry.observe(provider)
    yield reader
    provider.shutdown()


def read(reader: Any) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The values of each instrument, by their attributes."""
    [resource] = reader.get_metrics_data().resource_metrics
    # The SDK may measure itself.
    [scope] = [each for each in resource.scope_metrics if each.scope.name == "mxcert_runtime"]
    return {
        metric.name: {
            tuple(sorted(point.attributes.items())): point.value
            for point in metric.data.data_points
        }
        for metric in scope.metrics
    }


def test_counts_are_observed(reader: Any) -> None:
    """Each count has its attributes; one that is ``None`` is left out."""
    for pair in [("alpha", "good.example"), ("alpha", "good.example"), ("alpha", None)]:
        counters.connection_tally(*pair).add()
    counters.count_refusal("certificate_required")
    counters.count_reload("applied")
    values = read(reader)
    assert {
        (("identity", "alpha"), ("rule", "good.example")): 2,
        (("identity", "alpha"),): 1,
    } == values["mxcert.connections"]
    assert {(("reason", "certificate_required"),): 1} == values["mxcert.handshakes.refused"]
    assert 1 == values["mxcert.reloads"][(("outcome", "applied"),)]
    assert 0 == values["mxcert.reloads"][(("outcome", "failed"),)]


def test_each_reading_is_of_its_moment(reader: Any, client_files: ClientFiles, alpha: Leaf) -> None:
    """What is in force is asked when somebody reads."""
    assert {(): 0} == read(reader)["mxcert.active"]
    activate({"identity": [client_files.identity("alpha", alpha)]})
    values = read(reader)
    assert ({(): 1}, [(("identity", "alpha"),)]) == (
        values["mxcert.active"],
        list(values["mxcert.identity.days_left"]),
    )
    deactivate()
    values = read(reader)
    assert ({(): 0}, None) == (values["mxcert.active"], values.get("mxcert.identity.days_left"))


def test_it_works_without_the_sdk_and_not_without_the_api() -> None:
    """With the API alone nothing happens; without it the error says what to install."""
    script = """
        import json, sys
        from mxcert_runtime import telemetry
        telemetry.observe()
        loaded = "opentelemetry.sdk" in sys.modules or "ssl" in sys.modules
        for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
            del sys.modules[name]
        sys.modules["opentelemetry"] = None
        del sys.modules["mxcert_runtime.telemetry"]
        try:
            import mxcert_runtime.telemetry
        except ImportError as error:
            print(json.dumps([loaded, str(error)]))
    """
    loaded, error = run_client(script, host_patterns=()).json()
    assert (False, True) == (loaded, "`pip install opentelemetry-api`" in error)


def test_all_that_prometheus_has(
    reader: Any, client_files: ClientFiles, gamma: Leaf, authority: Authority
) -> None:
    """The same numbers under the same names, with dots, and with the same attributes."""
    pytest.importorskip("prometheus_client", reason="prometheus_client is not installed")
    from mxcert_runtime import prometheus

    entry = client_files.identity("gamma", gamma, hosts=["localhost"], authorities=[authority])
    activate({"identity": [entry]})
    counters.connection_tally("gamma", "localhost").add()
    counters.count_refusal("unknown_ca")
    counters.count_failure("certificate-refused")
    note_reload("applied")
    observed = {
        name.replace(".", "_"): {tuple(sorted(dict(each))) for each in points}
        for name, points in read(reader).items()
    }
    scraped: dict[str, set[tuple[str, ...]]] = {}
    for family in prometheus.Collector().collect():
        name = family.name.removesuffix("_seconds")
        for sample in family.samples:
            labels = (label for label, value in sample.labels.items() if value)
            scraped.setdefault(name, set()).add(tuple(sorted(labels)))
    assert scraped == observed


def test_expiry_is_observed(
    reader: Any, client_files: ClientFiles, gamma: Leaf, authority: Authority
) -> None:
    """Leaf, chain and CA, each with its end and the time that is left."""
    entry = client_files.identity("gamma", gamma, hosts=["localhost"], authorities=[authority])
    activate({"identity": [entry]})
    values = read(reader)
    certificates = {"leaf": gamma.certificate, "chain": gamma.chain[0]}
    for kind, certificate in {**certificates, "ca": authority.certificate}.items():
        subject = certificate.subject.rfc4514_string()
        key = (("identity", "gamma"), ("kind", kind), ("subject", subject))
        end = certificate.not_valid_after_utc.timestamp()
        assert end == values["mxcert.certificate.expiry.timestamp"][key]
        assert 0 < values["mxcert.certificate.time_left"][key] < end
