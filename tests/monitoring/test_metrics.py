"""``metrics()``: plain data about what this process did, in any program."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from mxcert_runtime import activate, deactivate, metrics
from mxcert_runtime.monitoring.counters import count_refusal, count_reload
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf, now
from tests.support.plain_client import fetch, plain_context
from tests.support.server_tls import Demand
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

_DAY = datetime.timedelta(days=1)


def counts(group: str, before: dict[str, Any]) -> dict[tuple[Any, ...], int]:
    """What a group of counts has grown by since the metrics before, by its other values."""

    def by_key(data: dict[str, Any]) -> dict[tuple[Any, ...], int]:
        return {tuple(entry.values())[:-1]: entry["count"] for entry in data[group]}

    earlier = by_key(before)
    grown = {key: count - earlier.get(key, 0) for key, count in by_key(metrics()).items()}
    return {key: count for key, count in grown.items() if count}


def test_metrics_without_settings() -> None:
    """All keys are there, all is zero, and nothing heavy is loaded for it."""
    script = """
        import json, sys
        import mxcert_runtime
        data = mxcert_runtime.metrics()
        heavy = {"ssl", "cryptography", "wrapt", "urllib3", "OpenSSL", "opentelemetry"}
        print(json.dumps([data, sorted(heavy & set(sys.modules))]))
    """
    reloads = [{"outcome": outcome, "count": 0} for outcome in ("applied", "unchanged", "failed")]
    nothing = {
        "active": False,
        "generation": 0,
        "loaded_at": None,
        "connections": [],
        "refusals": [],
        "failures": [],
        "reloads": reloads,
        "last_reload": None,
        "identities": [],
        "certificates": [],
    }
    assert [nothing, []] == run_client(script, host_patterns=()).json()


@pytest.fixture
def settings(client_files: ClientFiles, alpha: Leaf, client_authority: Authority) -> dict[str, Any]:
    """An identity for one host and a service, another without a rule that expires soon."""
    short = client_authority.issue("short", not_after=now() + 9 * _DAY, server=False)
    return {
        "unlisted_hosts": "none",
        "identity": [
            client_files.identity("alpha", alpha, hosts=["good.example"], services=["Billing"]),
            client_files.identity("short", short),
        ],
        "no_certificate": {"hosts": ["open.example"]},
    }


def test_activity_and_identities(settings: dict[str, Any], alpha: Leaf) -> None:
    """Identities are there with their days while they are in force, and not after."""
    activate(settings)
    data = metrics()
    assert (True, ["alpha", "short"]) == (
        data["active"],
        [each["identity"] for each in data["identities"]],
    )
    first, second = data["identities"]
    assert alpha.certificate.not_valid_after_utc.isoformat() == first["not_after"]
    assert 8.9 < second["days_left"] <= 9
    deactivate()
    assert (False, []) == (metrics()["active"], metrics()["identities"])


def test_an_expired_identity_has_negative_days(
    client_files: ClientFiles, client_authority: Authority
) -> None:
    """The days go on below zero."""
    leaf = client_authority.issue("old", not_before=now() - 9 * _DAY, not_after=now() - 2 * _DAY)
    activate({"identity": [client_files.identity("old", leaf)]})
    [identity] = metrics()["identities"]
    assert -2.1 < identity["days_left"] <= -2


def test_metrics_are_json(settings: dict[str, Any]) -> None:
    """They come back from JSON as they are, and hold nothing secret."""
    activate(settings)
    data = metrics()
    text = json.dumps(data)
    assert data == json.loads(text)
    assert settings["identity"][0]["password"] not in text


@pytest.mark.usefixtures("loopback_names")
def test_connections_are_counted(
    settings: dict[str, Any],
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    alpha: Leaf,
) -> None:
    """Each connection counts for its identity and rule; one while nothing is in force does not."""
    server = tls_server(hosts=["good.example", "open.example", "other.example"])
    context = plain_context(authority)
    fetch(server.url("good.example"), context)
    before = metrics()
    activate(settings)
    seen = [
        fetch(server.url(host), context)["fingerprint"]
        for host in ("good.example", "good.example", "open.example", "other.example")
    ]
    assert [alpha.fingerprint, alpha.fingerprint, None, None] == seen
    expected = {("alpha", "good.example"): 2, (None, "open.example"): 1, (None, None): 1}
    assert expected == counts("connections", before)
    deactivate()
    fetch(server.url("good.example"), context)
    assert expected == counts("connections", before)


def test_counts_outlive_generations(
    settings: dict[str, Any], tls_server: ServerFactory[TlsServer], authority: Authority
) -> None:
    """A connection after another activation adds to those before it."""
    server = tls_server()
    context = plain_context(authority)
    settings["no_certificate"]["hosts"].append("localhost")
    before = metrics()
    for _ in range(2):
        activate(settings)
        fetch(server.url(), context)
    assert {(None, "localhost"): 2} == counts("connections", before)


def test_reloads_and_refusals_are_shown() -> None:
    """What was counted by reason and outcome is in the metrics by reason and outcome."""
    before = metrics()
    count_refusal("certificate_required")
    count_reload("failed")
    assert {("certificate_required",): 1} == counts("refusals", before)
    assert {("failed",): 1} == counts("reloads", before)


def test_a_refused_handshake_is_counted(
    settings: dict[str, Any], tls_server: ServerFactory[TlsServer], authority: Authority
) -> None:
    """A server that requires a certificate which the rules withhold counts as a refusal."""
    server = tls_server(demand=Demand.DEMAND)
    activate(settings)
    before = metrics()
    with pytest.raises(OSError, match=r"alert|certificate|closed|reset"):
        fetch(server.url(), plain_context(authority))
    assert 1 == sum(counts("refusals", before).values())
