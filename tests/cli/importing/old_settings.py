"""Deployments as data, and in each of the forms in which somebody may have them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from mxcert_runtime.settings.model import RuleKind

H, S = RuleKind.HOST, RuleKind.SERVICE
#: identifiers, and what each can be
IDENTIFIERS = {
    **dict.fromkeys(["www.server-to-contact.com", "*.pay.example:8443", "10.0.0.1"], (H,)),
    **dict.fromkeys(["a-b.test", "localhost", "h.example:443", "x.y.z"], (H,)),
    **dict.fromkeys(["Module.WebService1", "My_Module.calls", "orders.Orders", "A.B"], (S,)),
    "partner.example": (H, S),
}
MAPS = {"D:\\App": "/etc/certs", "C:\\Other Folder\\": "/srv/other", "/old": "/new"}
#: paths there, and where the maps lead
PATHS = {
    "D:\\App\\Mx1.pfx": "/etc/certs/Mx1.pfx",
    "d:/app/sub\\Mx2.pfx": "/etc/certs/sub/Mx2.pfx",
    "C:\\Other Folder\\it's.p12": "/srv/other/it's.p12",
    "/old/a.p12": "/new/a.p12",
    "/older/a.p12": "/older/a.p12",
    "/etc/b b.p12": "/etc/b b.p12",
}
#: what begins a JSON list, is between items, or around them, is no part of a password in a list
_PASSWORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=",["))
PASSWORDS = _PASSWORDS.map(str.strip)

#: a deployment as data: paths with passwords, identifiers with paths or none, exempt identifiers
Deployment = tuple[dict[str, str], dict[str, str], list[str], list[str]]
#: writes a deployment as somebody would have it
Form = Callable[[Deployment], str]


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    """Any of the paths, each with a password, and rules that name only those."""
    paths = draw(st.lists(st.sampled_from(list(PATHS)), min_size=1, unique=True))
    certificates = {path: draw(PASSWORDS) for path in paths}
    names = draw(st.lists(st.sampled_from(list(IDENTIFIERS)), unique=True))
    usages = {name: draw(st.sampled_from(["", *paths])) for name in names}
    others = sorted(set(IDENTIFIERS) - set(usages))
    exempt = draw(st.lists(st.sampled_from(others), unique=True, max_size=2)) if others else []
    authorities = draw(st.lists(st.sampled_from(["D:\\App\\ca.pem", "/old/ca.pem"]), unique=True))
    return certificates, usages, exempt, authorities


def _family(deployment: Deployment) -> dict[str, str]:
    certificates, usages, exempt, authorities = deployment
    values = {
        "ClientCertificates": ", ".join(certificates),
        "ClientCertificatePasswords": ", ".join(certificates.values()),
        "ClientCertificateUsages": json.dumps(usages) if usages else "",
        "NoClientCertificateUsages": ", ".join(exempt),
        "CACertificates": ", ".join(authorities),
    }
    return {name: value for name, value in values.items() if value or "Passwords" in name}


def console(deployment: Deployment) -> str:
    """Name and value, as they are typed, among settings of others."""
    lines = [f"{name}: {value}" for name, value in _family(deployment).items()]
    return "\n".join(["com.mendix.core.SessionTimeout: 600000", *lines, "ScheduledEvents: ALL"])


def table(deployment: Deployment) -> str:
    """A table that was copied: tabs, line ends of Windows, and JSON over lines."""
    family = _family(deployment)
    if "ClientCertificateUsages" in family:
        usages = json.dumps(deployment[1], indent=2)
        family["ClientCertificateUsages"] = usages
    return "\r\n".join(f"{name}\t{value}".replace("\n", "\r\n") for name, value in family.items())


def shell(deployment: Deployment) -> str:
    """Lines of a shell, under the names that a container has."""
    family = _family(deployment).items()
    return "\n".join(f"export MXRUNTIME_{name}={shlex.quote(value)}" for name, value in family)


def variables(deployment: Deployment) -> str:
    """The environment as the cloud prints it."""
    return json.dumps({"environment_variables": {**_family(deployment), "PORT": "8080"}})


def custom(deployment: Deployment) -> str:
    """All in one variable, in JSON, with lists for lists."""
    certificates, usages, exempt, authorities = deployment
    family: dict[str, Any] = {
        "ClientCertificates": list(certificates),
        "ClientCertificatePasswords": list(certificates.values()),
        "ClientCertificateUsages": json.dumps(usages),
        "NoClientCertificateUsages": exempt,
        "CACertificates": authorities,
    }
    return json.dumps({"CUSTOM_RUNTIME_SETTINGS": json.dumps(family)})


def self_hosted(deployment: Deployment) -> str:
    """``m2ee.yaml``."""
    import yaml

    certificates, usages, exempt, authorities = deployment
    runtime: dict[str, Any] = {
        "ClientCertificates": list(certificates),
        "ClientCertificatePasswords": list(certificates.values()),
        "WebServiceClientCertificates": usages,
        "NoClientCertificateUsages": exempt,
        "CACertificates": authorities,
        "DatabaseType": "PostgreSQL",
    }
    text: str = yaml.safe_dump({"m2ee": {"app_name": "x"}, "mxruntime": runtime})
    return text


FORMS: list[Form] = [console, table, shell, variables, custom, self_hosted]

#: beginnings and ends of settings, in any order
LINES = [
    *("ClientCertificates", "ClientCertificates: /a.p12", "export ClientCertificates='/a", "'"),
    *("ClientCertificateUsages: {", '"h.test": "/a.p12"}', "mxruntime:", "  - a", "[", "{}", "[1]"),
    *('{"ClientCertificates": ["/a.p12"]}', "CLIENT_CERTIFICATES=[{}]", "x: y", "D:\\a.p12", "\0"),
]
