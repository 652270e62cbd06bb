"""``mxcert probe`` against servers of the system: taken with the identity, refused without."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.probing import Probe, probe_with, wait_for_refusals
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand

from .conftest import HOSTS, KNOWN, NOBODY

pytestmark = [pytest.mark.any_python, pytest.mark.usefixtures("loopback_names")]


@pytest.fixture
def probe(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    alpha: Leaf,
    authority: Authority,
) -> Probe:
    """KNOWN has alpha's identity and no other host has any; the servers' authority is trusted."""
    settings = client_files.variables(usages={KNOWN: alpha}, authorities=[authority])
    return probe_with(monkeypatch, capsys, {**settings, "MXCERT_UNLISTED_HOSTS": "none"})


_KINDS = {
    "postgresql": ("postgresql_server", "port", None),
    "mariadb": ("mariadb_server", "port", None),
    "nats": ("nats_server", "port", None),
    "rediss": ("redis_server", "port", "+PONG"),
    "mqtts": ("mosquitto_server", "port", None),
    "ldaps": ("slapd_server", "port", "LDAP result 0"),
    "ldap": ("slapd_server", "plain_port", "LDAP result 0"),
    "smtp": ("postfix_server", "port", None),
    "imap": ("dovecot_server", "imap", None),
    "ftp": ("vsftpd_server", "port", None),
}
#: these demand no certificate in the handshake, whatever they are told
_ABOVE_TLS = "postgresql", "mariadb", "imap", "smtp"


@pytest.mark.parametrize("scheme", _KINDS)
def test_probe(
    request: pytest.FixtureRequest,
    probe: Probe,
    scheme: str,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It presents what the rule gives; the host without one is refused where TLS can do that."""
    fixture, port, answer = _KINDS[scheme]
    server: Any = request.getfixturevalue(fixture)(hosts=HOSTS, demand=Demand.DEMAND)

    taken = probe(f"{scheme}://{KNOWN}:{getattr(server, port)}")
    expected = (0, "taken") if scheme in _ABOVE_TLS else (1, "refused")
    if "refused" in expected:
        wait_for_refusals(monkeypatch)
    bare = probe(f"{scheme}://{NOBODY}:{getattr(server, port)}")

    assert (0, "taken", alpha.fingerprint) == (taken.status, taken.outcome, taken.presented)
    assert answer in (None, taken.data["answer"])
    assert "it says at login only" in taken.remedy
    assert (*expected, None) == (bare.status, bare.outcome, bare.presented)
