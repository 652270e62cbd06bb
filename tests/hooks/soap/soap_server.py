"""A small HTTPS SOAP server: it serves a WSDL, and answers a call with what it saw of the client.

The WSDL has the services ``Invoices`` (ports ``Main`` and ``Backup``) and ``Orders`` (port
``Main``), each port with a binding of its own, and ``Stock``, which shares the binding of
``Orders``. All are on one host; each port has a path of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.listener import Records
from tests.support.server_tls import ServerConnection, ServerTls, observe
from tests.support.tls_listener import HttpHandler, TlsListener

_NAMESPACE = "urn:mxcert:test"
#: service -> port -> (binding, path)
PORTS = {
    "Invoices": {
        "Main": ("InvoicesBinding", "/invoices"),
        "Backup": ("BackupBinding", "/backup"),
    },
    "Orders": {"Main": ("OrdersBinding", "/orders")},
    "Stock": {"Main": ("OrdersBinding", "/stock")},
}
_WSDL = """<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="urn:mxcert:test"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
  targetNamespace="urn:mxcert:test" name="Test">
  <types>
    <xsd:schema targetNamespace="urn:mxcert:test" elementFormDefault="qualified">
      <xsd:element name="Fetch"><xsd:complexType/></xsd:element>
      <xsd:element name="FetchResponse"><xsd:complexType><xsd:sequence>
        <xsd:element name="fingerprint" type="xsd:string"/>
      </xsd:sequence></xsd:complexType></xsd:element>
    </xsd:schema>
  </types>
  <message name="FetchIn"><part name="parameters" element="tns:Fetch"/></message>
  <message name="FetchOut"><part name="parameters" element="tns:FetchResponse"/></message>
  <portType name="Type"><operation name="Fetch">
    <input message="tns:FetchIn"/><output message="tns:FetchOut"/>
  </operation></portType>
  {bindings}
  {services}
</definitions>"""
_BINDING = """<binding name="{name}" type="tns:Type">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Fetch"><soap:operation soapAction="urn:Fetch"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>
    </operation></binding>"""
_SERVICE = '<service name="{name}">{ports}</service>'
_PORT = '<port name="{name}" binding="tns:{binding}"><soap:address location="{location}"/></port>'
_ANSWER = """<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
  <FetchResponse xmlns="urn:mxcert:test"><fingerprint>{fingerprint}</fingerprint></FetchResponse>
</soap:Body></soap:Envelope>"""
NOTHING = "nothing"


def wsdl(base: str) -> str:
    """The WSDL, whose addresses are below ``base``."""
    names = dict.fromkeys(binding for ports in PORTS.values() for binding, _ in ports.values())
    services = [
        _SERVICE.format(name=service, ports=_ports(ports, base)) for service, ports in PORTS.items()
    ]
    bindings = [_BINDING.format(name=name) for name in names]
    return _WSDL.format(bindings="\n".join(bindings), services="\n".join(services))


def _ports(ports: dict[str, tuple[str, str]], base: str) -> str:
    return "".join(
        _PORT.format(name=name, binding=binding, location=base + path)
        for name, (binding, path) in ports.items()
    )


@dataclass(frozen=True)
class SoapCall:
    """One call as the server saw it; ``fingerprint`` is what the client presented."""

    path: str
    fingerprint: str | None


class SoapServer(TlsListener):
    """``wsdl_seen`` are the fingerprints of those who fetched the WSDL."""

    def __init__(self, tls: ServerTls) -> None:
        super().__init__(tls)
        self.calls: Records[SoapCall] = Records()
        self.wsdl_seen: Records[str | None] = Records()

    def url(self, host: str = "soap.test", path: str = "") -> str:
        """A URL of this server."""
        return super().url(host, path)

    def _converse(self, connection: ServerConnection, number: int) -> None:
        _Handler(connection, number, self)


class _Handler(HttpHandler):
    def __init__(self, connection: ServerConnection, number: int, owner: SoapServer) -> None:
        self._connection = connection
        self._number = number
        self._owner = owner
        super().__init__(connection)

    def do_GET(self) -> None:
        self._owner.wsdl_seen.append(self._fingerprint())
        host = self.headers["Host"].partition(":")[0]
        self._send(wsdl(self._owner.url(host)))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        fingerprint = self._fingerprint()
        self._owner.calls.append(SoapCall(self.path, fingerprint))
        self._send(_ANSWER.format(fingerprint=fingerprint or NOTHING))

    def _fingerprint(self) -> str | None:
        return observe(self._connection, self._number).fingerprint

    def _send(self, text: str) -> None:
        self.send_whole(200, {"Content-Type": "text/xml; charset=utf-8"}, text.encode("utf-8"))
