"""A service's rule is the first to count; settings may say which hosts a service is."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime import SettingsError, explain, service
from mxcert_runtime.decisions.policy import Decision
from tests.clients import calls
from tests.clients.calls import Call, name_of
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer

CALLS = (calls.urllib_request, calls.wrap_bio, calls.requests_session, calls.httpx_async)


def presented(decision: Decision) -> str:
    """The identity's name, or the choice."""
    return decision.identity.name if decision.identity else decision.choice.value


PRECEDENCE = [
    (None, "https://a.test/", "alpha"),
    ("Billing.Orders", "https://a.test/", "beta"),
    ("Billing.Orders", "https://elsewhere.test/", "beta"),
    ("Billing.Invoices", "https://b.test:8443/", "alpha"),
    ("Billing.Invoices", "https://never.test/", "alpha"),
    ("Billing.Open", "https://a.test/", "none"),
    ("Billing.Open", "https://b.test:8443/", "none"),
    # names that no rule has
    ("Nobody.Knows", "https://a.test/", "alpha"),
    ("Nobody.Knows", "https://b.test:8443/", "beta"),
    ("Nobody.Knows", "https://never.test/", "none"),
    ("Nobody.Knows", "https://elsewhere.test/", "none"),
    # compared exactly
    ("billing.orders", "https://a.test/", "alpha"),
    # a host's name is none of a service
    ("b.test", "https://a.test/", "alpha"),
]


@pytest.mark.usefixtures("active")
class TestPrecedence:
    @pytest.mark.parametrize(("name", "url", "expected"), PRECEDENCE)
    def test_explained(self, name: str | None, url: str, expected: str) -> None:
        """A service with a rule wins over every host; one without falls through to the host."""
        assert expected == presented(explain(url, service=name))

    @pytest.mark.parametrize(("name", "url", "expected"), PRECEDENCE[1:])
    def test_in_the_scope(self, name: str, url: str, expected: str) -> None:
        """Inside of the scope the answer is the same, and behind it the host's again."""
        outside = presented(explain(url))
        with service(name):
            assert expected == presented(explain(url))
        assert outside == presented(explain(url))

    def test_argument_over_scope(self) -> None:
        """The service that ``explain`` is asked about goes over the one that the code is in."""
        with service("Billing.Orders"):
            decision = explain("https://a.test/", service="Billing.Invoices")
        assert "alpha" == presented(decision)

    def test_reason(self) -> None:
        """The reason names the rule of the service."""
        assert "Billing.Orders" in explain("https://a.test/", service="Billing.Orders").reason

    def test_inner_scope_without_rule(self) -> None:
        """An inner service without a rule falls through to the host, not to the outer service."""
        with service("Billing.Orders"), service("Nobody.Knows"):
            assert "alpha" == presented(explain("https://a.test/"))


@pytest.fixture
def server(loopback_names: LoopbackNames, tls_server: ServerFactory[TlsServer]) -> TlsServer:
    """One server that is every host."""
    return tls_server(hosts=["a.test", "b.test", "orders.test", "others.test"])


@pytest.fixture
def trusting(client_files: ClientFiles, authority: Authority) -> ssl.SSLContext:
    """A client's context."""
    return ssl.create_default_context(cafile=str(client_files.authority(authority)))


@pytest.mark.parametrize("call", CALLS, ids=name_of)
class TestConnections:
    def test_service_and_host(
        self,
        server: TlsServer,
        trusting: ssl.SSLContext,
        settings: dict[str, Any],
        alpha: Leaf,
        beta: Leaf,
        call: Call,
    ) -> None:
        """One host sees the certificate of whichever service calls, or of its own rule."""
        mxcert_runtime.activate(settings)
        url = server.url("a.test")
        seen = []
        for name in ("Billing.Orders", "Billing.Open", "Billing.Invoices", "Nobody.Knows"):
            with service(name):
                seen.append(call(url, trusting)["fingerprint"])
        seen.append(call(server.url("b.test"), trusting)["fingerprint"])
        assert [
            beta.fingerprint,
            None,
            alpha.fingerprint,
            alpha.fingerprint,
            beta.fingerprint,
        ] == seen

    def test_mapped_host(
        self,
        server: TlsServer,
        trusting: ssl.SSLContext,
        settings: dict[str, Any],
        beta: Leaf,
        call: Call,
    ) -> None:
        """Code that names no service gets the certificate of the one that the host belongs to."""
        mapped = {**settings, "services": {"Billing.Orders": ["orders.test"]}}
        mxcert_runtime.activate(mapped)
        assert beta.fingerprint == call(server.url("orders.test"), trusting)["fingerprint"]
        assert call(server.url("others.test"), trusting)["fingerprint"] is None


def _mapped(settings: dict[str, Any], **services: Any) -> dict[str, Any]:
    named = {name.replace("_", "."): hosts for name, hosts in services.items()}
    return {**settings, "services": named}


class TestMapping:
    def test_file(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        client_files: ClientFiles,
        alpha: Leaf,
    ) -> None:
        """``[services]`` of the file gives hosts, wildcards and ports to a service."""
        entry = client_files.identity("alpha", alpha, services=["Billing.Orders"])
        lines = ['unlisted_hosts = "none"', "[[identity]]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
        lines += ["[services]", '"Billing.Orders" = ["o.test", "*.o.test:8443"]']
        path = tmp_path / "mxcert.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setenv("MXCERT_CONFIG", str(path))
        mxcert_runtime.activate()
        urls = ["o.test", "o.test:1", "x.o.test:8443", "x.o.test:443", "other.test"]
        expected = ["alpha", "alpha", "alpha", "none", "none"]
        assert expected == [presented(explain(url)) for url in urls]

    def test_environment(
        self,
        monkeypatch: pytest.MonkeyPatch,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
    ) -> None:
        """``MXCERT_SERVICES`` does so beside settings of the family."""
        usages = {"Billing.Orders": beta, "Billing.Invoices": alpha}
        for name, value in client_files.variables(usages=usages).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("MXCERT_SERVICES", '{"Billing.Orders": ["o.test"]}')
        monkeypatch.setenv("MXCERT_UNLISTED_HOSTS", "none")
        mxcert_runtime.activate()
        fingerprints = [
            decision.identity and decision.identity.fingerprint
            for decision in (
                explain("o.test"),
                explain("p.test"),
                explain("p.test", service="Billing.Invoices"),
            )
        ]
        assert [beta.fingerprint, None, alpha.fingerprint] == fingerprints

    def test_none_is_mapped_too(self, settings: dict[str, Any]) -> None:
        """The hosts of a service that gets no certificate get none, default or not."""
        mapped = _mapped({**settings, "unlisted_hosts": "offer"}, Billing_Open=["open.test"])
        mxcert_runtime.activate(mapped)
        assert "none" == presented(explain("open.test"))
        assert "server-request" == presented(explain("other.test"))

    def test_same_identity_twice(self, settings: dict[str, Any]) -> None:
        """A host that has the very same identity by another rule is no conflict."""
        mxcert_runtime.activate(_mapped(settings, Billing_Invoices=["a.test", "A.TEST."]))
        assert "alpha" == presented(explain("a.test"))

    def test_named_service_still_wins(self, settings: dict[str, Any]) -> None:
        """Code that does name another service gets that one's."""
        mxcert_runtime.activate(_mapped(settings, Billing_Orders=["o.test"]))
        assert "beta" == presented(explain("o.test"))
        assert "alpha" == presented(explain("o.test", service="Billing.Invoices"))

    @pytest.mark.parametrize(
        ("services", "words"),
        [
            ({"Billing_Orders": ["a.test"]}, ["'a.test'", "'Billing.Orders'", "another"]),
            ({"Billing_Orders": ["A.Test."]}, ["'Billing.Orders'", "another"]),
            ({"Billing_Orders": ["never.test"]}, ["'never.test'", "another"]),
            ({"Billing_Open": ["a.test"]}, ["'a.test'", "another"]),
            (
                {"Billing_Orders": ["o.test"], "Billing_Invoices": ["o.test"]},
                ["'o.test'", "'Billing.Invoices'", "another"],
            ),
            ({"Nobody_Knows": ["o.test"]}, ["'Nobody.Knows'", "no identity"]),
            ({"Billing_Orders": ["https://o.test/path"]}, ["o.test"]),
        ],
    )
    def test_conflict(
        self, settings: dict[str, Any], services: dict[str, Any], words: list[str]
    ) -> None:
        """A host of a service that another rule has, and a service without one, are faults."""
        with pytest.raises(SettingsError) as caught:
            mxcert_runtime.activate(_mapped(settings, **services))
        (fault,) = caught.value.faults
        assert [] == [word for word in words if word not in f"{fault.problem} {fault.origin}"]
        assert "services" in fault.origin
        assert fault.remedy

    def test_all_conflicts_at_once(self, settings: dict[str, Any]) -> None:
        """Each host in conflict is a fault of its own."""
        mapped = _mapped(settings, Billing_Orders=["a.test", "never.test"], Nobody_Knows=["x.test"])
        with pytest.raises(SettingsError) as caught:
            mxcert_runtime.activate(mapped)
        assert 3 == len(caught.value.faults)
