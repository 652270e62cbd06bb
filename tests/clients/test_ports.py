"""Rules with a port: they win over those without, and apply only where the port is known."""

from __future__ import annotations

import logging
import ssl
from typing import Any

import pytest

from tests.clients import calls
from tests.clients.calls import Call, name_of
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Leaf
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS

#: the calls whose port is the socket's, or told by the layer that dials
TOLD = (
    calls.urllib_request,
    calls.http_client,
    calls.wrap_socket,
    *calls.URLLIB3,
    *calls.HTTPX[:2],
)


@pytest.fixture
def other(tls_server: ServerFactory[TlsServer], tls_version: TlsVersion) -> TlsServer:
    """The same names on another port."""
    return tls_server(hosts=[*HOSTS, "a.wild.test"], version=tls_version)


@pytest.fixture
def context(stage: Stage) -> ssl.SSLContext:
    """A context that trusts the servers."""
    return ssl.create_default_context(cafile=stage.ca_file)


def _settings(files: ClientFiles, rules: dict[str, Leaf]) -> dict[str, Any]:
    leaves = {leaf.fingerprint: leaf for leaf in rules.values()}
    return {
        "identity": [
            files.identity(
                print_, leaf, hosts=[host for host, used in rules.items() if used is leaf]
            )
            for print_, leaf in leaves.items()
        ]
    }


@pytest.mark.parametrize("call", TOLD, ids=name_of)
class TestToldPort:
    def test_port_wins_over_host(
        self,
        stage: Stage,
        other: TlsServer,
        context: ssl.SSLContext,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
        call: Call,
    ) -> None:
        """``host:port`` counts on that port, ``host`` on all others."""
        rules = {f"{ALPHA_HOST}:{stage.server.port}": alpha, ALPHA_HOST: beta}
        stage.activate(**_settings(client_files, rules))
        answers = [call(url, context) for url in (stage.url(ALPHA_HOST), other.url(ALPHA_HOST))]
        assert [alpha.fingerprint, beta.fingerprint] == [each["fingerprint"] for each in answers]

    def test_other_port_gets_none(
        self,
        stage: Stage,
        other: TlsServer,
        context: ssl.SSLContext,
        client_files: ClientFiles,
        alpha: Leaf,
        call: Call,
    ) -> None:
        """A rule for one port alone is none for another."""
        stage.activate(**_settings(client_files, {f"{ALPHA_HOST}:{stage.server.port}": alpha}))
        answers = [call(url, context) for url in (stage.url(ALPHA_HOST), other.url(ALPHA_HOST))]
        assert [alpha.fingerprint, None] == [each["fingerprint"] for each in answers]


def test_wildcards(
    stage: Stage,
    other: TlsServer,
    context: ssl.SSLContext,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
    gamma: Leaf,
) -> None:
    """``host`` wins over ``*.domain:port``, which wins over ``*.domain``."""
    wild = {f"*.wild.test:{other.port}": alpha, "*.wild.test": beta}
    url = other.url("a.wild.test")
    for rules, expected in (
        ({**wild, "a.wild.test": gamma}, gamma),
        (wild, alpha),
        ({"*.wild.test": beta}, beta),
    ):
        stage.activate(**_settings(client_files, rules))
        assert expected.fingerprint == calls.http_client(url, context)["fingerprint"]


class TestUnknownPort:
    """Memory BIOs, of which nobody has said where they lead."""

    @pytest.fixture
    def unknown(self, tls_server: ServerFactory[TlsServer], tls_version: TlsVersion) -> str:
        """A host that no other test uses: the warning comes once for each in a process."""
        return f"unknown-{tls_version.name.lower()}.test"

    def test_what_a_port_rule_does_not_give_is_withheld(
        self,
        stage: Stage,
        tls_server: ServerFactory[TlsServer],
        tls_version: TlsVersion,
        context: ssl.SSLContext,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
        unknown: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Neither the rule with the port nor the one without counts, and one warning says so."""
        server = tls_server(hosts=[unknown], version=tls_version)
        rules = {f"{unknown}:{server.port}": alpha, unknown: beta}
        stage.activate(**_settings(client_files, rules))
        with caplog.at_level(logging.WARNING, "mxcert_runtime"):
            seen = [calls.wrap_bio(server.url(unknown), context) for _ in range(3)]
        assert [None] * 3 == [each["fingerprint"] for each in seen]
        (warning,) = [each for each in caplog.records if each.name == "mxcert_runtime"]
        assert unknown in warning.getMessage()

    def test_other_hosts_are_not_warned_of(
        self,
        stage: Stage,
        context: ssl.SSLContext,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A host that no rule with a port names is served without a warning."""
        rules = {f"elsewhere.test:{stage.server.port}": alpha, BETA_HOST: beta}
        stage.activate(**_settings(client_files, rules))
        with caplog.at_level(logging.WARNING, "mxcert_runtime"):
            answer = calls.wrap_bio(stage.url(BETA_HOST), context)
        assert beta.fingerprint == answer["fingerprint"]
        assert [] == [each for each in caplog.records if each.name == "mxcert_runtime"]
