"""What the note says in each situation of the settings: true, and with a remedy that fits it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.decisions import in_force
from mxcert_runtime.diagnosis.alerts import alert_of
from mxcert_runtime.diagnosis.note import Failure, note_lines
from tests.support.pki import now
from tests.support.server_tls import TlsVersion

from .conftest import GOOD, NOBODY, UNKNOWN, Refusals
from .exchanges import client_context, failure_of
from .told import told_of


def _told(refusals: Refusals, host: str, caplog: Any, context: Any = None) -> dict[str, str]:
    """What the second failure tells, which knows what the server asks for."""
    context = context or client_context(refusals.authority)
    port = refusals.port(TlsVersion.TLS13)
    failure_of(context, host, port)
    caplog.clear()
    return told_of(failure_of(context, host, port), caplog)


def test_a_rule_that_says_none(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    """The rule is named, and that it would have to go."""
    refusals.activate(no_certificate={"hosts": [NOBODY]})
    told = _told(refusals, NOBODY, caplog)
    assert told["decision"].startswith(f"none (rule `{NOBODY}` of settings argument")
    assert f"The rule `{NOBODY}` of settings argument" in told["remedy"]
    assert "says that nothing is presented: take it out" in told["remedy"]


def test_a_certificate_of_the_program(
    refusals: Refusals, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The program's own certificate is not taken for the one of the rule."""
    refusals.activate()
    own = client_context(refusals.authority, refusals.leaves[UNKNOWN], tmp_path)
    told = _told(refusals, GOOD, caplog, own)
    assert told["decision"].startswith("good.test (rule")
    assert told["presented"].startswith("the certificate that the program loads itself")
    assert refusals.leaves[GOOD].subject not in str(told)


def test_the_request_chose(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    """Without a rule, the identity that the server's request chose is the one that is told."""
    identities = [refusals.files.identity(host, refusals.leaves[host]) for host in (UNKNOWN, GOOD)]
    mxcert_runtime.activate(settings={"identity": identities})
    told = _told(refusals, NOBODY, caplog)
    assert "the server's request chooses among 2 identities" in told["decision"]
    assert told["presented"].startswith(f"`{UNKNOWN}`, {refusals.leaves[UNKNOWN].subject}")


def test_a_service(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    """The service stands with the endpoint."""
    refusals.activate()
    with mxcert_runtime.service("Billing.Invoices"):
        told = _told(refusals, NOBODY, caplog)
    port = refusals.port(TlsVersion.TLS13)
    assert told["endpoint"] == f"{NOBODY}:{port}, service Billing.Invoices"


def test_settings_of_the_environment(
    refusals: Refusals, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy names the setting that the deployment uses, and nothing of its passwords."""
    leaf = refusals.leaves[GOOD]
    for name, value in refusals.files.variables(leaf, usages={GOOD: leaf}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MXCERT_UNLISTED_HOSTS", "none")
    mxcert_runtime.activate()
    told = _told(refusals, NOBODY, caplog)
    assert f"add `{NOBODY}` with its path to `ClientCertificateUsages`" in told["remedy"]
    assert refusals.files.password not in str(told)


def test_no_line_ends(refusals: Refusals) -> None:
    """A name cannot forge a line of the log."""
    refusals.activate()
    assert in_force.current is not None
    alert = alert_of(ConnectionResetError())
    assert alert is not None
    decision = in_force.current.policy.select(GOOD)
    failure = Failure(
        alert,
        now(),
        in_force.current,
        decision,
        "a\nb\x1b.test",
        None,
        None,
        server_has_spoken=True,
    )
    lines = note_lines(failure)
    assert "endpoint: a\\nb\\x1b.test" in lines
    assert all(line.isprintable() for line in lines)
    assert failure.concerns_certificates
    assert not dataclasses.replace(failure, server_has_spoken=False).concerns_certificates
