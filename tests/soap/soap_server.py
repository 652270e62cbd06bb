"""A small HTTPS SOAP server: it serves a WSDL, and answers a call with what it saw of the client.

The WSDL has the services ``Invoices`` (ports ``Main`` and ``Backup``) and ``Orders`` (port
``Main``), each port with a binding of its own, and ``Stock``, which shares the binding of
``Orders``. All are on one host; each port has a path of its own.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

from tests.support.listener import TIMEOUT, Listener, Records
from tests.support.server_tls import ServerConnection, ServerEnd, ServerTls, close_politely, observe

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


class SoapServer:
    """A context manager. ``wsdl_seen`` are the fingerprints of those who fetched the WSDL."""

    def __init__(self, tls: ServerTls) -> None:
        self._end = ServerEnd(tls)
        self._listener = Listener(self._serve)
        self.calls: Records[SoapCall] = Records()
        self.wsdl_seen: Records[str | None] = Records()

    def url(self, host: str = "soap.test", path: str = "") -> str:
        """A URL of this server."""
        return f"https://{host}:{self._listener.port}{path}"

    def __enter__(self) -> SoapServer:
        self._listener.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.__exit__(kind, error, traceback)

    def _serve(self, plain: socket.socket, number: int) -> None:
        connection = self._end.handshake(plain, number)
        if connection is None:
            return
        try:
            _Handler(connection, number, self)
        finally:
            close_politely(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = TIMEOUT

    def __init__(self, connection: ServerConnection, number: int, owner: SoapServer) -> None:
        self._connection = connection
        self._number = number
        self._owner = owner
        super().__init__(connection, connection.getpeername(), None)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the records hold what tests want to know."""

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
        content = text.encode("utf-8")
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
