"""What Prometheus sees in a scrape, after real handshakes, in one process and in many."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("prometheus_client", reason="prometheus_client is not installed")

from prometheus_client import CollectorRegistry

import mxcert_runtime
from mxcert_runtime import prometheus
from mxcert_runtime.errors import Fault
from mxcert_runtime.monitoring import counters
from mxcert_runtime.monitoring.reloads import note_reload
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf, now, pem
from tests.support.plain_client import fetch, plain_context
from tests.support.server_tls import Demand
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

from .scraping import key, parsed, scrape


@pytest.fixture(autouse=True)
def fresh_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own counters stay as they are."""
    for name in ("_connections", "_refusals", "_failures", "_reloads"):
        monkeypatch.setattr(counters, name, {})


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry with nothing but our numbers."""
    registry = CollectorRegistry()
    prometheus.register(registry)
    return registry


@pytest.fixture
def settings(client_files: ClientFiles, gamma: Leaf, authority: Authority) -> dict[str, Any]:
    """One identity with a chain and CAs of its own."""
    identity = client_files.identity("gamma", gamma, hosts=["localhost"], authorities=[authority])
    return {"watch": "off", "identity": [identity]}


def test_handshakes_and_then_a_scrape(
    registry: CollectorRegistry,
    settings: dict[str, Any],
    gamma: Leaf,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
) -> None:
    """Connections, refusals, failures, generation, expiry and fingerprints are all there."""
    mxcert_runtime.activate(settings)
    context = plain_context(authority)
    taking = tls_server(demand=Demand.DEMAND)
    refusing = tls_server(demand=Demand.DEMAND, client_authorities=[Authority("Nobody's root")])
    assert [gamma.fingerprint] * 2 == [fetch(taking.url(), context)["fingerprint"] for _ in "12"]
    with pytest.raises(OSError, match=r"alert|closed|reset"):
        fetch(refusing.url(), context)
    seen = scrape(registry)
    assert 3 == seen[key("mxcert_connections_total", identity="gamma", rule="localhost")]
    assert 1 == seen[key("mxcert_handshakes_refused_total", reason="unknown_ca")]
    assert 1 == seen[key("mxcert_handshakes_failed_total", kind="certificate-refused")]
    assert 1 == seen[key("mxcert_active")]
    assert mxcert_runtime.metrics()["generation"] == seen[key("mxcert_generation")]
    assert 0 == seen[key("mxcert_identity_file_differs", identity="gamma")]
    fingerprints = {"fingerprint": gamma.fingerprint, "file_fingerprint": gamma.fingerprint}
    assert 1 == seen[key("mxcert_identity_info", identity="gamma", **fingerprints)]
    for kind, certificate in [
        ("leaf", gamma.certificate),
        ("chain", gamma.chain[0]),
        ("ca", authority.certificate),
    ]:
        labels = {"identity": "gamma", "kind": kind}
        labels["subject"] = certificate.subject.rfc4514_string()
        end = certificate.not_valid_after_utc.timestamp()
        assert end == seen[key("mxcert_certificate_expiry_timestamp_seconds", **labels)]
        assert 0 < seen[key("mxcert_certificate_time_left_seconds", **labels)] < end
        life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        assert life.total_seconds() == seen[key("mxcert_certificate_lifetime_seconds", **labels)]


def test_each_scrape_is_of_its_moment(
    registry: CollectorRegistry, settings: dict[str, Any], alpha: Leaf, client_files: ClientFiles
) -> None:
    """Reloads, a file that was replaced, and what is not in force any more."""
    assert 0 == scrape(registry)[key("mxcert_active")]
    mxcert_runtime.activate(settings)
    note_reload("failed", [Fault("a file", "is damaged", "Replace it")])
    path = Path(settings["identity"][0]["pkcs12"])
    path.write_bytes(alpha.pkcs12(client_files.password, rounds=1))
    seen = scrape(registry)
    assert 1 == seen[key("mxcert_identity_file_differs", identity="gamma")]
    assert 1 == seen[key("mxcert_reloads_total", outcome="failed")]
    assert 0 == seen[key("mxcert_last_reload_succeeded")]
    note_reload("applied")
    assert 1 == scrape(registry)[key("mxcert_last_reload_succeeded")]
    mxcert_runtime.deactivate()
    seen = scrape(registry)
    assert 0 == seen[key("mxcert_active")]
    assert [] == [name for name, _ in seen if name.startswith("mxcert_certificate")]


def test_the_text_is_the_same(registry: CollectorRegistry, settings: dict[str, Any]) -> None:
    """Programs without a registry get the same samples as text, and nothing secret in it."""
    mxcert_runtime.activate(settings)
    text = prometheus.text()
    assert set(scrape(registry)) == set(parsed(text))
    assert settings["identity"][0]["password"] not in text


def test_two_with_the_same_labels_are_one_sample(
    registry: CollectorRegistry, client_files: ClientFiles, alpha: Leaf, tmp_path: Path
) -> None:
    """Two CAs of one name would be one name twice, which breaks a scrape: the first end counts."""
    late, soon = Authority("Twin"), Authority("Twin", not_after=now().replace(year=2030))
    bundle = tmp_path / "twins.pem"
    bundle.write_bytes(pem(late.certificate, soon.certificate))
    mxcert_runtime.activate(
        {"ca": [str(bundle)], "identity": [client_files.identity("one", alpha)]}
    )
    labels = {"identity": "", "kind": "ca", "subject": late.subject}
    ends = [each.certificate.not_valid_after_utc.timestamp() for each in (late, soon)]
    seen = scrape(registry)[key("mxcert_certificate_expiry_timestamp_seconds", **labels)]
    assert min(ends) == seen


_WORKERS = """
    import json, os, sys
    import mxcert_runtime
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess
    from mxcert_runtime import prometheus
    from tests.support.plain_client import fetch
    import ssl

    settings, urls = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    prometheus.register()
    mxcert_runtime.activate(settings)
    context = ssl.create_default_context(cafile=sys.argv[3])
    workers = []
    for number, url in enumerate(urls, 1):
        reading, writing = os.pipe()
        going, leave = os.pipe()
        pid = os.fork()
        if pid == 0:
            for _ in range(number):
                fetch(url, context)
            if number == 1:
                mxcert_runtime.activate(settings)
            prometheus.flush()
            os.write(writing, b".")
            os.read(going, 1)
            os._exit(0)
        os.read(reading, 1)
        workers.append((pid, leave))
    prometheus.flush()

    def show():
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry).decode()

    shown = [show()]
    for pid, leave in workers:
        os.write(leave, b".")
        os.waitpid(pid, 0)
        multiprocess.mark_process_dead(pid)
    mxcert_runtime.deactivate()
    prometheus.flush()
    print(json.dumps(shown + [show()]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_multiprocess_mode(
    settings: dict[str, Any],
    gamma: Leaf,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    client_files: ClientFiles,
    tmp_path: Path,
) -> None:
    """Counters are the sum over the workers, also of those that have gone; gauges are the worst."""
    folder = tmp_path / "multiprocess"
    folder.mkdir()
    server = tls_server()
    trusted = str(client_files.authority(authority))
    urls = json.dumps([server.url(), server.url()])
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    arguments = json.dumps(settings), urls, trusted
    running, ended = map(parsed, run_client(_WORKERS, *arguments, environment=environment).json())
    assert [gamma.fingerprint] * 3 == [answer["fingerprint"] for answer in server.answers]
    connections = key("mxcert_connections_total", identity="gamma", rule="localhost")
    assert (3, 3) == (running[connections], ended[connections])
    # The parent and one worker have put one generation in force, the other worker two.
    assert 1 == running[key("mxcert_generation")]
    assert (1, 0) == (running[key("mxcert_active")], ended[key("mxcert_active")])
    labels = {"identity": "gamma", "kind": "leaf", "subject": gamma.subject}
    end = key("mxcert_certificate_expiry_timestamp_seconds", **labels)
    assert gamma.certificate.not_valid_after_utc.timestamp() == running[end]
    # Nothing is in force any more, so nothing can expire.
    assert float("inf") == ended[end]
    assert 0 == running[key("mxcert_identity_file_differs", identity="gamma")]
    # No reload has failed: there was none.
    assert float("inf") == running[key("mxcert_last_reload_succeeded")]


def test_a_thread_writes_in_multiprocess_mode(settings: dict[str, Any], tmp_path: Path) -> None:
    """Without any call of the program, what was counted is in the files at its end."""
    script = """
        import json, sys
        import mxcert_runtime
        from mxcert_runtime import prometheus
        from mxcert_runtime.monitoring.counters import count_failure
        prometheus.WRITE_INTERVAL = float(sys.argv[1])
        prometheus.register()
        count_failure("other")
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess
        if sys.argv[1] == "0.01":
            import threading
            for _ in range(600):
                registry = CollectorRegistry()
                multiprocess.MultiProcessCollector(registry)
                if b'failed_total{kind="other"} 1.0' in generate_latest(registry):
                    print("true")
                    break
                threading.Event().wait(0.05)
            else:
                print("false")
        else:
            print("true")
    """
    for interval in ("0.01", "3600"):
        folder = tmp_path / interval
        folder.mkdir()
        environment = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
        assert run_client(script, interval, environment=environment, host_patterns=()).json()
        shown = run_client(
            """
            import json
            from prometheus_client import CollectorRegistry, generate_latest, multiprocess
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
            print(json.dumps(generate_latest(registry).decode()))
            """,
            environment=environment,
            host_patterns=(),
        ).json()
        assert 1 == parsed(shown)[key("mxcert_handshakes_failed_total", kind="other")]


def test_without_prometheus_client_the_error_says_what_to_install() -> None:
    """The package itself needs none of it."""
    script = """
        import json, sys
        sys.modules["prometheus_client"] = None
        import mxcert_runtime
        mxcert_runtime.metrics()
        try:
            from mxcert_runtime import prometheus
        except ImportError as error:
            print(json.dumps(str(error)))
    """
    assert "`pip install prometheus_client`" in run_client(script, host_patterns=()).json()
