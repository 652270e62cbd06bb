"""An unmodified zeep client presents the certificate of the WSDL service that it calls."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

import pytest

pytest.importorskip("zeep")

import zeep

import mxcert_runtime
from mxcert_runtime import service
from mxcert_runtime.decisions.current_service import current_service
from tests.hooks.soap.conftest import SoapStage
from tests.hooks.soap.soap_server import SoapCall
from tests.support.hook_contract import HookContract
from tests.support.listener import TIMEOUT

PREFIXED = {"alpha": ["Shop.Invoices"], "beta": ["Shop.Orders"]}


def call(stage: SoapStage, client: Any, service_name: str, port: str = "Main") -> str | None:
    """The name of what the server sees of one call."""
    return stage.named(client.bind(service_name, port).Fetch())


def client_of(stage: SoapStage) -> Any:
    """A client as programs make it: with the URL alone."""
    return zeep.Client(stage.wsdl_url)


class TestServices:
    def test_two_on_one_host(self, stage: SoapStage) -> None:
        """Two services of one host see two certificates, the third none, in any order."""
        stage.activate(PREFIXED, service_prefixes=["Shop"])
        client = client_of(stage)
        names = ["Invoices", "Orders", "Stock", "Orders", "Invoices", "Stock"]
        expected = ["alpha", "beta", None, "beta", "alpha", None]
        assert expected == [call(stage, client, name) for name in names]

    def test_default_service(self, stage: SoapStage) -> None:
        """``client.service`` is the first service of the WSDL."""
        stage.activate(PREFIXED, service_prefixes=["Shop"])
        assert "alpha" == stage.named(client_of(stage).service.Fetch())

    def test_wsdl_is_no_call(self, stage: SoapStage) -> None:
        """Fetching the WSDL goes by the host: no service is called yet."""
        stage.activate(PREFIXED, service_prefixes=["Shop"])
        client_of(stage)
        assert [None] == stage.server.wsdl_seen

    def test_client_older_than_activation(self, stage: SoapStage) -> None:
        """A client and a proxy that were made before the activation are served too."""
        client = client_of(stage)
        invoices, orders = client.bind("Invoices", "Main"), client.bind("Orders", "Main")
        before = stage.named(invoices.Fetch())
        stage.activate(PREFIXED, service_prefixes=["Shop"])
        after = [stage.named(proxy.Fetch()) for proxy in (invoices, orders)]
        assert (None, ["alpha", "beta"]) == (before, after)

    def test_without_rule(self, stage: SoapStage, caplog: pytest.LogCaptureFixture) -> None:
        """Services that no setting knows get nothing, and no warning."""
        stage.activate({"alpha": ["Other.Service"], "beta": ["Shop.Orders"]})
        client = client_of(stage)
        assert [None, None] == [call(stage, client, name) for name in ("Invoices", "Orders")]
        assert [] == [each for each in caplog.records if each.levelname == "WARNING"]

    def test_rule_of_none(self, stage: SoapStage) -> None:
        """A service whose rule says none gets nothing, though its host has a certificate."""
        settings = stage.settings({}, no_certificate={"services": ["Orders"]})
        settings["identity"][0]["hosts"] = ["soap.test"]
        mxcert_runtime.activate(settings=settings)
        client = client_of(stage)
        assert ["alpha", None] == [call(stage, client, name) for name in ("Invoices", "Orders")]

    def test_error_ends_the_scope(self, stage: SoapStage) -> None:
        """A call that fails leaves no scope behind."""
        stage.activate(PREFIXED, service_prefixes=["Shop"])
        client = client_of(stage)
        with pytest.raises(TypeError):
            client.bind("Invoices", "Main").Fetch(what="no such parameter")
        assert current_service.get() is None


NAMES = [
    (["Shop.Invoices"], ["Shop"], "Main", True),
    (["Shop.Invoices"], ["Other", "Shop"], "Backup", True),
    (["Shop.Invoices"], ["Other"], "Main", False),
    (["Shop.Invoices"], [], "Main", False),
    (["Invoices"], [], "Main", True),
    (["Invoices"], ["Shop"], "Backup", True),
    (["Invoices.Main"], [], "Main", True),
    (["Invoices.Main"], ["Shop"], "Main", True),
    (["Invoices.Main"], [], "Backup", False),
    (["invoices"], [], "Main", False),
    (["Main"], [], "Main", False),
]

PRECEDENCE = [
    # the prefixes in their order, then the bare name, then the one with the port
    ({"alpha": ["Shop.Invoices"], "beta": ["Invoices"]}, ["Shop"], "alpha"),
    ({"alpha": ["Shop.Invoices"], "beta": ["Bank.Invoices"]}, ["Bank", "Shop"], "beta"),
    ({"alpha": ["Shop.Invoices"], "beta": ["Bank.Invoices"]}, ["Shop", "Bank"], "alpha"),
    ({"alpha": ["Invoices.Main"], "beta": ["Invoices"]}, ["Shop"], "beta"),
    ({"alpha": ["Invoices.Main"], "beta": ["Shop.Invoices"]}, ["Shop"], "beta"),
]


class TestNames:
    @pytest.mark.parametrize(("names", "prefixes", "port", "is_known"), NAMES)
    def test_known_by(
        self, stage: SoapStage, names: list[str], prefixes: list[str], port: str, is_known: bool
    ) -> None:
        """A service is known as ``Prefix.Service``, as ``Service`` and as ``Service.Port``."""
        more = {"service_prefixes": prefixes} if prefixes else {}
        stage.activate({"beta": names}, **more)
        presented = call(stage, client_of(stage), "Invoices", port)
        assert ("beta" if is_known else None) == presented

    @pytest.mark.parametrize(("services", "prefixes", "expected"), PRECEDENCE)
    def test_order(
        self,
        stage: SoapStage,
        services: dict[str, list[str]],
        prefixes: list[str],
        expected: str,
    ) -> None:
        """Where several names are known, the first that is tried counts."""
        stage.activate(services, service_prefixes=prefixes)
        assert expected == call(stage, client_of(stage), "Invoices")

    def test_prefixes_of_the_environment(
        self, stage: SoapStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``MXCERT_SERVICE_PREFIXES`` goes with the ClientCertificates family."""
        usages = {"Shop.Invoices": stage.leaves["alpha"], "Bank.Orders": stage.leaves["beta"]}
        for name, value in stage.files.variables(usages=usages).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("MXCERT_UNLISTED_HOSTS", "none")
        monkeypatch.setenv("MXCERT_SERVICE_PREFIXES", "Shop, Bank")
        mxcert_runtime.activate()
        client = client_of(stage)
        names = ("Invoices", "Orders", "Stock")
        assert ["alpha", "beta", None] == [call(stage, client, name) for name in names]


class TestProgram:
    def test_own_scope_goes_first(self, stage: SoapStage) -> None:
        """A service that the program names counts, if it is known; else the WSDL's does."""
        stage.activate(PREFIXED, service_prefixes=["Shop"])
        client = client_of(stage)
        with service("Shop.Orders"):
            known = call(stage, client, "Invoices")
        with service("Shop.Nobody"):
            unknown = call(stage, client, "Invoices")
        assert ("beta", "alpha") == (known, unknown)

    def test_another_address(self, stage: SoapStage) -> None:
        """``create_service`` with another address keeps the service of its binding."""
        stage.activate(PREFIXED, service_prefixes=["Shop"])
        client = client_of(stage)
        address = stage.server.url("elsewhere.test", "/moved")
        proxy = client.create_service("{urn:mxcert:test}BackupBinding", address)
        assert "alpha" == stage.named(proxy.Fetch())
        (seen,) = stage.server.calls
        assert SoapCall("/moved", stage.leaves["alpha"].fingerprint) == seen

    def test_shared_binding(self, stage: SoapStage) -> None:
        """Where services share a binding, the address tells which of them is called."""
        stage.activate({"alpha": ["Stock"], "beta": ["Orders"]})
        client = client_of(stage)
        binding = "{urn:mxcert:test}OrdersBinding"
        made = [client.create_service(binding, stage.server.url(path=path)) for path in PATHS]
        bound = [client.bind(name, "Main") for name in ("Stock", "Orders")]
        presented = [stage.named(proxy.Fetch()) for proxy in (*made, *bound)]
        assert ["alpha", "beta", "alpha", "beta"] == presented

    def test_own_certificate(self, stage: SoapStage, tmp_path: Any) -> None:
        """A session with a certificate of its own keeps it."""
        import requests

        stage.activate(PREFIXED, service_prefixes=["Shop"])
        with requests.Session() as session:
            session.cert = tuple(map(str, stage.leaves["beta"].write_pem(tmp_path)))
            client = zeep.Client(stage.wsdl_url, transport=zeep.Transport(session=session))
            assert "beta" == call(stage, client, "Invoices")


PATHS = ("/stock", "/orders")


class TestAsync:
    def test_two_on_one_host(self, stage: SoapStage) -> None:
        """The async client too, with both services at the same time."""
        httpx = pytest.importorskip("httpx")
        from zeep.transports import AsyncTransport

        stage.activate(PREFIXED, service_prefixes=["Shop"])
        trust = ssl.create_default_context(cafile=stage.ca_file)

        async def run() -> list[str | None]:
            transport = AsyncTransport(
                client=httpx.AsyncClient(verify=trust, timeout=TIMEOUT),
                wsdl_client=httpx.Client(verify=trust, timeout=TIMEOUT),
            )
            async with zeep.AsyncClient(stage.wsdl_url, transport=transport) as client:
                names = ("Invoices", "Orders", "Stock", "Orders", "Invoices")
                proxies = [client.bind(name, "Main") for name in names]
                answers = await asyncio.gather(*(proxy.Fetch() for proxy in proxies))
            transport.wsdl_client.close()
            return [stage.named(answer) for answer in answers]

        assert ["alpha", "beta", None, "beta", "alpha"] == asyncio.run(run())


class TestContract(HookContract):
    targets = (
        "zeep.proxy:OperationProxy.__call__",
        "zeep.proxy:AsyncOperationProxy.__call__",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import io

        import requests
        import zeep

        text = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t"
            xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="urn:t">
            <types><schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t">
                <element name="Ask"><complexType/></element></schema></types>
            <message name="In"><part name="parameters" element="t:Ask"/></message>
            <portType name="T"><operation name="Ask"><input message="t:In"/></operation></portType>
            <binding name="B" type="t:T"><soap:binding style="document"
                transport="http://schemas.xmlsoap.org/soap/http"/>
                <operation name="Ask"><input><soap:body use="literal"/></input></operation>
            </binding>
            <service name="S"><port name="P" binding="t:B"><soap:address location="URL"/></port>
            </service></definitions>"""
        with requests.Session() as session:
            session.verify = ca_file
            transport = zeep.Transport(session=session)
            wsdl = io.BytesIO(text.replace("URL", url).encode())
            client = zeep.Client(wsdl, transport=transport)
            with client.settings(raw_response=True):
                return json.loads(client.service.Ask().content)
