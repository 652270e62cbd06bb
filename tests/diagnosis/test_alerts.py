"""Alerts of servers about the client's certificate: the exception stays, and says more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.monitoring import counters
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion

from .alert_server import AlertServer
from .conftest import EARLY, EXPIRED, GOOD, NOBODY, UNKNOWN, USAGE, Refusals
from .exchanges import client_context, exchange, failure_of, over_memory
from .told import as_it_is, told_of, warnings_of

WAYS = (exchange, over_memory)
Way = Callable[..., bytes]

#: the alert of each host's refusal
ALERTS = {
    UNKNOWN: "unknown_ca",
    EXPIRED: "certificate_expired",
    EARLY: "bad_certificate",
    USAGE: "unsupported_certificate",
}
#: what the remedy names
REMEDIES = {
    UNKNOWN: "Give this host a rule with an identity that the server accepts",
    EXPIRED: "Renew `expired.test`",
    EARLY: "Give this host a rule with an identity that the server accepts",
    USAGE: "extended key usage `clientAuth`",
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("host", ALERTS)
def test_a_refused_certificate(
    host: str,
    way: Way,
    tls_version: TlsVersion,
    refusals: Refusals,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """Endpoint, rule, identity and remedy are told; the error is what it is without the plugin."""
    native = client_context(refusals.authority, refusals.leaves[host], tmp_path)
    expected = as_it_is(failure_of(native, host, refusals.port(tls_version), way))
    refusals.activate()
    caplog.clear()
    context = client_context(refusals.authority)
    error = failure_of(context, host, refusals.port(tls_version), way)
    told = told_of(error, caplog)
    leaf = refusals.leaves[host]
    assert expected == as_it_is(error)
    assert told[""].endswith(f"({ALERTS[host]})")
    # Memory BIOs do not tell where they lead.
    port = f":{refusals.port(tls_version)}" if way is exchange else ""
    assert told["endpoint"] == f"{host}{port}"
    assert f"rule `{host}` of settings argument" in told["decision"]
    assert leaf.subject in told["presented"]
    assert leaf.fingerprint[:16] in told["presented"]
    assert f"to {leaf.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC" in told["presented"]
    assert REMEDIES[host] in told["remedy"]
    assert f"`mxcert probe https://{host}{port}`" in told["remedy"]
    assert PASSWORD not in str(told)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_certificate(
    way: Way, tls_version: TlsVersion, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """Where none is presented the settings are named that would give one, and then what fits."""
    context = client_context(refusals.authority)
    port = refusals.port(tls_version)
    expected = as_it_is(failure_of(context, NOBODY, port, way))
    refusals.activate()
    caplog.clear()
    error = failure_of(context, NOBODY, port, way)
    first = told_of(error, caplog)
    caplog.clear()
    second = told_of(failure_of(context, NOBODY, port, way), caplog)
    alert = "certificate_required" if tls_version is TlsVersion.TLS13 else "handshake_failure"
    assert expected == as_it_is(error)
    assert f"({alert})" in first[""]
    assert first["presented"] == "nothing"
    assert first["decision"] == 'none (no rule, and unlisted_hosts = "none")'
    assert "the next connection to this endpoint will tell" in first["the server asks for"]
    assert "`nobody.test` in `ClientCertificateUsages`" in first["remedy"]
    assert second["the server asks for"] == "a certificate, and names no issuer"
    assert "add `nobody.test` to its `hosts` (settings argument, " in second["remedy"]


def test_success_says_nothing(
    tls_version: TlsVersion, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that is taken leaves no record."""
    refusals.activate()
    caplog.clear()
    for way in WAYS:
        answer = way(client_context(refusals.authority), GOOD, refusals.port(tls_version))
        assert answer.startswith(b"HTTP/1.1 200")
    assert [] == warnings_of(caplog)


def test_each_refusal_is_counted(refusals: Refusals) -> None:
    """Each failure that is explained counts once, by the name of its alert."""
    refusals.activate()
    before = counters.refusals()
    for version in (TlsVersion.TLS12, TlsVersion.TLS13):
        failure_of(client_context(refusals.authority), UNKNOWN, refusals.port(version))
        exchange(client_context(refusals.authority), GOOD, refusals.port(version))
    after = counters.refusals()
    assert {"unknown_ca": 2} == {
        k: v - before.get(k, 0) for k, v in after.items() if v != before.get(k)
    }


@pytest.fixture
def issuer_server(
    openssl_server: ServerFactory[OpensslServer],
    client_authority: Authority,
    tmp_path: Path,
    tls_version: TlsVersion,
    leaves: dict[str, Leaf],
) -> OpensslServer:
    """A server that names its issuer, and has a list of certificates that are revoked."""
    crl = tmp_path / "revoked.crl"
    crl.write_bytes(client_authority.revoke(leaves[GOOD]))
    options = ("-CRL", str(crl), "-crl_check")
    return openssl_server(
        hosts=[GOOD, UNKNOWN, NOBODY], demand=Demand.DEMAND, version=tls_version, options=options
    )


def test_issuers_and_revocation(
    issuer_server: OpensslServer,
    authority: Authority,
    client_files: ClientFiles,
    leaves: dict[str, Leaf],
    alpha: Leaf,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The second failure tells the issuers that count; which identity fits, and why another not."""
    caplog.set_level(logging.WARNING, "mxcert_runtime")
    identities = [
        client_files.identity(name, leaf, hosts=[name])
        for name, leaf in ((UNKNOWN, leaves[UNKNOWN]), (GOOD, leaves[GOOD]))
    ]
    mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": identities})
    context, port = client_context(authority), issuer_server.port
    revoked = told_of(failure_of(context, GOOD, port), caplog)
    facts = []
    for host in (UNKNOWN, NOBODY):
        failure_of(context, host, port)
        caplog.clear()
        facts.append(told_of(failure_of(context, host, port), caplog))
    unknown, nobody = facts
    issuer = "a certificate from CN=Client root,O=mxcert tests"
    assert revoked[""] == "the server says that the client certificate has been revoked " + (
        "(certificate_revoked)"
    )
    assert "Replace `good.test` by a new certificate" in revoked["remedy"]
    assert [issuer, issuer] == [each["the server asks for"] for each in facts]
    assert "no issuer of its chain is accepted" in unknown["presented"]
    assert "What fits is `good.test`: add `nobody.test`" in nobody["remedy"]


#: alerts by their numbers (RFC 8446, section 6), and those that are about something else
PLAIN = {
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    48: "unknown_ca",
    49: "access_denied",
    51: "decrypt_error",
    116: "certificate_required",
}
#: handshake_failure before the server has chosen a cipher, protocol_version, internal_error,
#: unrecognized_name, no_application_protocol
OTHERS = (40, 70, 80, 112, 120)


@pytest.mark.parametrize("number", PLAIN)
def test_every_alert_about_certificates(
    number: int, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """Every alert of TLS about a client's certificate is explained, whoever sends it."""
    with AlertServer(number) as server:
        context = client_context(refusals.authority)
        expected = as_it_is(failure_of(context, GOOD, server.port))
        refusals.activate()
        caplog.clear()
        error = failure_of(context, GOOD, server.port)
    assert expected == as_it_is(error)
    assert told_of(error, caplog)[""].endswith(f"({PLAIN[number]})")


@pytest.mark.parametrize("number", OTHERS)
def test_other_alerts_are_left_alone(
    number: int, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    """What has nothing to do with certificates has no note, although an identity was ready."""
    refusals.activate()
    caplog.clear()
    with AlertServer(number) as server:
        error: Any = failure_of(client_context(refusals.authority), GOOD, server.port)
    assert not hasattr(error, "__notes__")
    assert [] == warnings_of(caplog)
