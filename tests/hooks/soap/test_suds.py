"""An unmodified suds client presents the certificate of the WSDL service that it calls."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("suds")

from suds.client import Client

from mxcert_runtime import service
from tests.hooks.soap.conftest import SoapStage
from tests.hooks.soap.soap_server import SoapCall
from tests.hooks.soap.test_zeep import NAMES, PRECEDENCE, PREFIXED
from tests.support.hook_contract import HookContract


def client_of(stage: SoapStage) -> Any:
    """A client as programs make it, but without the cache on disk."""
    return Client(stage.wsdl_url, cache=None)


def call(stage: SoapStage, client: Any, service_name: str, port: str = "Main") -> str | None:
    """The name of what the server sees of one call."""
    return stage.named(client.service[service_name][port].Fetch())


def test_two_on_one_host(stage: SoapStage) -> None:
    """Two services of one host see two certificates, the third none, in any order."""
    stage.activate(PREFIXED, service_prefixes=["Shop"])
    client = client_of(stage)
    names = ["Invoices", "Orders", "Stock", "Orders", "Invoices", "Stock"]
    expected = ["alpha", "beta", None, "beta", "alpha", None]
    assert expected == [call(stage, client, name) for name in names]
    assert [None] == stage.server.wsdl_seen


def test_shared_binding(stage: SoapStage) -> None:
    """Where services share a binding, the service that the program picks counts."""
    stage.activate({"alpha": ["Stock"], "beta": ["Orders"]})
    client = client_of(stage)
    assert ["alpha", "beta"] == [call(stage, client, name) for name in ("Stock", "Orders")]


@pytest.mark.parametrize(("names", "prefixes", "port", "is_known"), NAMES)
def test_known_by(
    stage: SoapStage, names: list[str], prefixes: list[str], port: str, is_known: bool
) -> None:
    """A service is known as ``Prefix.Service``, as ``Service`` and as ``Service.Port``."""
    more = {"service_prefixes": prefixes} if prefixes else {}
    stage.activate({"beta": names}, **more)
    presented = call(stage, client_of(stage), "Invoices", port)
    assert ("beta" if is_known else None) == presented


@pytest.mark.parametrize(("services", "prefixes", "expected"), PRECEDENCE)
def test_order(
    stage: SoapStage, services: dict[str, list[str]], prefixes: list[str], expected: str
) -> None:
    """Where several names are known, the first that is tried counts."""
    stage.activate(services, service_prefixes=prefixes)
    assert expected == call(stage, client_of(stage), "Invoices")


def test_own_scope_goes_first(stage: SoapStage) -> None:
    """A service that the program names counts, if it is known; else the WSDL's does."""
    stage.activate(PREFIXED, service_prefixes=["Shop"])
    client = client_of(stage)
    with service("Shop.Orders"):
        known = call(stage, client, "Invoices")
    with service("Shop.Nobody"):
        unknown = call(stage, client, "Invoices")
    assert ("beta", "alpha") == (known, unknown)


def test_another_address(stage: SoapStage) -> None:
    """A location of the program's own keeps the service."""
    stage.activate(PREFIXED, service_prefixes=["Shop"])
    client = client_of(stage)
    client.set_options(location=stage.server.url("elsewhere.test", "/moved"))
    assert ["alpha", "beta"] == [call(stage, client, name) for name in ("Invoices", "Orders")]
    leaves = stage.leaves
    expected = [SoapCall("/moved", leaves[name].fingerprint) for name in ("alpha", "beta")]
    assert expected == stage.server.calls


def test_without_rule(stage: SoapStage) -> None:
    """Services that no setting knows get nothing."""
    stage.activate({"alpha": ["Other.Service"]})
    client = client_of(stage)
    assert [None, None] == [call(stage, client, name) for name in ("Invoices", "Orders")]


class TestContract(HookContract):
    targets = ("suds.client:Method.__call__",)

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import json
        import os

        from suds.client import Client
        from suds.plugin import MessagePlugin
        from suds.store import DocumentStore

        class Received(MessagePlugin):
            """Keeps the JSON of the test server, and gives suds nothing to read."""

            def received(self, context):
                self.content = context.reply
                context.reply = b""

        text = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t"
            xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="urn:t">
            <types><schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t">
                <element name="Ask"><complexType/></element></schema></types>
            <message name="In"><part name="parameters" element="t:Ask"/></message>
            <portType name="T"><operation name="Ask"><input message="t:In"/></operation></portType>
            <binding name="B" type="t:T"><soap:binding style="document"
                transport="http://schemas.xmlsoap.org/soap/http"/>
                <operation name="Ask"><soap:operation soapAction="ask"/>
                <input><soap:body use="literal"/></input></operation>
            </binding>
            <service name="S"><port name="P" binding="t:B"><soap:address location="URL"/></port>
            </service></definitions>"""
        os.environ["SSL_CERT_FILE"] = ca_file
        try:
            store = DocumentStore(wsdl=text.replace("URL", url).encode())
            received = Received()
            client = Client("suds://wsdl", cache=None, documentStore=store, plugins=[received])
            client.service.Ask()
            return json.loads(received.content)
        finally:
            del os.environ["SSL_CERT_FILE"]
