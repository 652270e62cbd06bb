"""One deployment, the how-to's, written in every form that settings can have.

Each form is a function from a :class:`Deployment` to the environment of a client process; the
files that it needs are in the deployment's folder.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import Authority, Leaf

MXCERT_NAMES = {
    "ClientCertificates": "MXCERT_CLIENT_CERTIFICATES",
    "ClientCertificatePasswords": "MXCERT_CLIENT_CERTIFICATE_PASSWORDS",
    "ClientCertificateUsages": "MXCERT_CLIENT_CERTIFICATE_USAGES",
    "CACertificates": "MXCERT_CA_CERTIFICATES",
}


@dataclass(frozen=True)
class Certificate:
    """A PKCS12 file, the password that it has, and the one that the settings give."""

    leaf: Leaf
    password: str
    stated_password: str


@dataclass(frozen=True)
class Deployment:
    """Certificates by file name; ``usages`` has a file name or "" for each identifier."""

    folder: Path
    authority: Authority
    certificates: Mapping[str, Certificate]
    usages: Mapping[str, str]
    listed: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        for name, each in self.certificates.items():
            self.path(name).write_bytes(each.leaf.pkcs12(each.password))
        self.path("ca.pem").write_bytes(self.authority.pem)

    def path(self, name: str) -> Path:
        """The path of a file in the folder."""
        return self.folder / name

    def write(self, name: str, text: str) -> str:
        """Write a file and give its path."""
        self.path(name).write_text(text, encoding="utf-8")
        return str(self.path(name))

    def content(self, name: str) -> str:
        """The base64 of a PKCS12 file."""
        return base64.b64encode(self.path(name).read_bytes()).decode("ascii")

    @property
    def paths_by_identifier(self) -> dict[str, str]:
        """The usages with whole paths."""
        return {key: name and str(self.path(name)) for key, name in self.usages.items()}

    def pins(self, name: str) -> list[str]:
        """The identifiers of one certificate; those without any are ``pins("")``."""
        return [identifier for identifier, used in self.usages.items() if used == name]

    @property
    def family(self) -> dict[str, str]:
        """The family's settings as strings, under their own names."""
        names = self.listed or list(self.certificates)
        passwords = [self.certificates[name].stated_password for name in names]
        return {
            "ClientCertificates": ", ".join(str(self.path(name)) for name in names),
            "ClientCertificatePasswords": ", ".join(passwords),
            "ClientCertificateUsages": json.dumps(self.paths_by_identifier),
            "CACertificates": str(self.path("ca.pem")),
        }

    @property
    def native(self) -> dict[str, Any]:
        """The native structure."""
        identities = [
            {
                "name": name,
                "pkcs12": str(self.path(name)),
                "password": each.stated_password,
                "hosts": [pin for pin in self.pins(name) if "Module" not in pin],
                "services": [pin for pin in self.pins(name) if "Module" in pin],
            }
            for name, each in self.certificates.items()
        ]
        never = {"no_certificate": {"hosts": self.pins("")}} if self.pins("") else {}
        return {"ca": [str(self.path("ca.pem"))], "identity": identities, **never}


Form = Callable[[Deployment], dict[str, str]]


def bare(deployment: Deployment) -> dict[str, str]:
    """The family's own names."""
    return deployment.family


def mxruntime(deployment: Deployment) -> dict[str, str]:
    """``MXRUNTIME_`` in front."""
    return {f"MXRUNTIME_{name}": value for name, value in deployment.family.items()}


def custom_runtime_settings(deployment: Deployment) -> dict[str, str]:
    """A JSON object in one variable."""
    return {"CUSTOM_RUNTIME_SETTINGS": json.dumps(deployment.family)}


def mxcert(deployment: Deployment) -> dict[str, str]:
    """The shell-friendly names."""
    return {MXCERT_NAMES[name]: value for name, value in deployment.family.items()}


def mxcert_files(deployment: Deployment) -> dict[str, str]:
    """The shell-friendly names with ``_FILE``."""
    return {
        f"{name}_FILE": deployment.write(name, f"{value}\n")
        for name, value in mxcert(deployment).items()
    }


def cloud(deployment: Deployment) -> dict[str, str]:
    """Everything inline, as the cloud has it."""
    entries = [
        {
            "pfx": deployment.content(name),
            "password": each.stated_password,
            "pin_to": deployment.pins(name),
        }
        for name, each in deployment.certificates.items()
    ]
    never = deployment.pins("")
    return {
        "CLIENT_CERTIFICATES": json.dumps(entries),
        "CERTIFICATE_AUTHORITIES": deployment.authority.pem.decode("ascii"),
        **({"NoClientCertificateUsages": ", ".join(never)} if never else {}),
    }


def kubernetes(deployment: Deployment) -> dict[str, str]:
    """A resource in YAML; it has no words for an empty path."""
    entries = [
        {
            "key": deployment.content(name),
            "password": base64.b64encode(each.stated_password.encode()).decode("ascii"),
            "pinTo": deployment.pins(name),
        }
        for name, each in deployment.certificates.items()
    ]
    text = _yaml({"runtime": {"clientCertificates": entries}})
    return {
        "MXCERT_CONFIG": deployment.write("resource.yaml", text),
        "MXCERT_CA_CERTIFICATES": str(deployment.path("ca.pem")),
    }


def m2ee(deployment: Deployment) -> dict[str, str]:
    """``mxruntime:`` in the self-hosted YAML file."""
    family = deployment.family
    lists = {name: value.split(", ") for name, value in family.items() if "Usages" not in name}
    usages = {"ClientCertificateUsages": deployment.paths_by_identifier}
    text = _yaml({"m2ee": {"app_name": "x"}, "mxruntime": {**lists, **usages}})
    return {"MXCERT_CONFIG": deployment.write("m2ee.yaml", text)}


def native_toml(deployment: Deployment) -> dict[str, str]:
    """The native file."""
    native = deployment.native
    lines = [f"ca = {json.dumps(native['ca'])}"]
    if "no_certificate" in native:
        lines += ["[no_certificate]", f"hosts = {json.dumps(native['no_certificate']['hosts'])}"]
    for identity in native["identity"]:
        lines += [
            "[[identity]]",
            *(f"{key} = {json.dumps(each)}" for key, each in identity.items()),
        ]
    return {"MXCERT_CONFIG": deployment.write("mxcert.toml", "\n".join(lines))}


def native_json(deployment: Deployment) -> dict[str, str]:
    """The native structure in JSON."""
    return {"MXCERT_CONFIG": deployment.write("mxcert.json", json.dumps(deployment.native))}


def native_yaml(deployment: Deployment) -> dict[str, str]:
    """The native structure in YAML."""
    return {"MXCERT_CONFIG": deployment.write("mxcert.yaml", _yaml(deployment.native))}


def _yaml(content: object) -> str:
    yaml = pytest.importorskip("yaml")
    text = yaml.safe_dump(content)
    assert isinstance(text, str)
    return text


#: the forms of the ClientCertificates family, which have a list of paths beside the usages
FAMILY: tuple[Form, ...] = (bare, mxruntime, custom_runtime_settings, mxcert, mxcert_files, m2ee)
NATIVE: tuple[Form, ...] = (native_toml, native_json, native_yaml)
ALL: tuple[Form, ...] = (*FAMILY, cloud, kubernetes, *NATIVE)
