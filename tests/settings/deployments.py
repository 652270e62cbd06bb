"""Sound settings in every format, with a secret wherever one belongs, for tests that spoil them."""

from __future__ import annotations

import base64
import json

#: what every password and every PKCS12 here holds, and nothing else
MARK = "Pw5Q7zN2"
PASSWORD = f"{MARK}-one"
ENCODED = base64.b64encode(PASSWORD.encode()).decode()
CONTENT = base64.b64encode(b"\x30\x80" + MARK.encode() * 3).decode()
#: none of these may show itself
SECRETS = (MARK, ENCODED, CONTENT)

_IDENTITY = {
    "name": "billing",
    "pkcs12": "a.p12",
    "password": PASSWORD,
    "hosts": ["api.x.example", "*.pay.example:8443", "[::1]:5"],
    "services": ["Billing.Invoices"],
    "ca": ["ca.pem"],
}
_NATIVE = {
    "unlisted_hosts": "none",
    "expired_identities": "warn",
    "trust_cache": False,
    "service_prefixes": ["Billing"],
    "ca": ["ca.pem"],
    "identity": [
        _IDENTITY,
        {"certificate": "x.pem", "key": "x.key", "password": PASSWORD},
        {"name": "printed", "source": {"kind": "command", "command": ["issue", PASSWORD]}},
    ],
    "no_certificate": {"hosts": ["public.example"], "services": ["A.B"]},
    "services": {"Billing.Invoices": ["invoices.example"]},
}
_TOML = f"""\
unlisted_hosts = "none"
trust_cache = true
service_prefixes = ["A", "B"]
ca = ["ca.pem"]
[[identity]]
name = "billing"
pkcs12 = 'C:\\certs\\a.p12'
password = "{PASSWORD}"
hosts = ["api.x.example", "*.pay.example:8443"]
services = ["Billing.Invoices"]
[[identity]]
certificate = "x.pem"
password = '''{PASSWORD}'''
[[identity]]
name = "printed"
source = {{ kind = "command", command = ["issue", "--token", "{PASSWORD}"], timeout = 5 }}
[no_certificate]
hosts = ["public.example"]
[services]
"Billing.Invoices" = ["invoices.example"]
"""
_YAML = f"""\
unlisted_hosts: none
ca: &ca [ca.pem]
identity:
  - name: billing
    pkcs12: a.p12
    password: {PASSWORD}
    hosts: [api.x.example, '*.pay.example']
    ca: *ca
  - {{certificate: x.pem, password: "{PASSWORD}"}}
  - name: printed
    source: {{kind: command, command: [issue, "{PASSWORD}"], timeout: 5}}
services:
  Billing.Invoices: invoices.example
"""
_KUBERNETES = f"""\
apiVersion: v1
spec:
  runtime:
    clientCertificates:
      - key: {CONTENT}
        password: {ENCODED}
        pinTo: [a.example, 'B.C']
      - {{key: {CONTENT}, password: "{ENCODED}"}}
"""
_SELFHOSTED = f"""\
m2ee:
  app_name: x
mxruntime:
  ClientCertificates: [a.p12, b.p12]
  ClientCertificatePasswords: [{PASSWORD}, '']
  ClientCertificateUsages: {{a.example: a.p12, B.C: ''}}
  NoClientCertificateUsages: c.example, D.E
  CACertificates: [ca.pem]
"""

#: a name with its extension, and what the file holds
FILES = {
    "native.toml": _TOML,
    "native.json": json.dumps(_NATIVE, indent=1),
    "native.yaml": _YAML,
    "kubernetes.yaml": _KUBERNETES,
    "m2ee.yaml": _SELFHOSTED,
}

_CLOUD = [{"pfx": CONTENT, "password": PASSWORD, "pin_to": ["a.example", "B.C"]}]
_FAMILY = {
    "ClientCertificates": "a.p12, b.p12",
    "ClientCertificatePasswords": f"{PASSWORD}, ",
    "ClientCertificateUsages": json.dumps({"a.example": "a.p12", "B.C": ""}),
    "NoClientCertificateUsages": "c.example, D.E",
    "CACertificates": "ca.pem",
}

#: environments, none of which has a fault
ENVIRONMENTS = {
    "family": _FAMILY,
    "custom": {"CUSTOM_RUNTIME_SETTINGS": json.dumps(_FAMILY)},
    "cloud": {"CLIENT_CERTIFICATES": json.dumps(_CLOUD)},
    "ours": {
        "MXCERT_CLIENT_CERTIFICATES": '["a.p12", "b.p12"]',
        "MXCERT_CLIENT_CERTIFICATE_PASSWORDS": json.dumps([PASSWORD, PASSWORD]),
        "MXCERT_SERVICES": json.dumps({"D.E": ["f.example"]}),
        "MXCERT_SERVICE_PREFIXES": "D, E",
        "MXCERT_UNLISTED_HOSTS": "none",
        "MXCERT_TRUST_CACHE": "off",
        "MXCERT_EXPIRED_IDENTITIES": "warn",
    },
}
