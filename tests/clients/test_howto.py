"""The how-to's own examples, in every form of settings, through a program that only imports us.

Every form reaches the program. That an import raises, and what one identity alone does, is asked
of a program once: how faults are told is the same in this process, and far cheaper.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import mxcert_runtime
from mxcert_runtime.decisions.current_service import current_service
from mxcert_runtime.errors import SettingsError
from tests.clients.deployments import (
    ALL,
    FAMILY,
    Certificate,
    Deployment,
    Form,
    bare,
    kubernetes,
    native_toml,
)
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.server_tls import TlsVersion
from tests.support.subprocesses import Finished, run_client
from tests.support.tls_server import TlsServer

HOST, OTHER = HOSTS = ("www.server-to-contact.com", "www.another-server.com")
MX1_PASSWORD, MX2_PASSWORD = "first of both", "second of both"

#: an import and ordinary calls, and nothing else
PROGRAM = """
    import json
    import sys
    import urllib.request

    import mxcert_runtime

    answers = []
    for url in sys.argv[1:]:
        with urllib.request.urlopen(url) as response:
            answers.append(json.load(response)["fingerprint"])
    print(json.dumps(answers))
"""

Servers = list[TlsServer]
each_form = pytest.mark.parametrize("form", ALL, ids=lambda form: form.__name__)


@pytest.fixture
def servers(tls_server: ServerFactory[TlsServer]) -> Servers:
    """One that speaks TLS 1.2 and one that speaks TLS 1.3, both under both names."""
    versions = (TlsVersion.TLS12, TlsVersion.TLS13)
    return [tls_server(hosts=HOSTS, version=version) for version in versions]


def _run(form: Form, deployment: Deployment, urls: list[str]) -> Finished:
    return run_client(PROGRAM, *urls, environment=form(deployment), host_patterns=HOSTS)


def _urls(servers: Servers, *hosts: str) -> list[str]:
    return [server.url(host) for host in hosts for server in servers]


def _certificates(alpha: Leaf, beta: Leaf, *stated: str) -> dict[str, Certificate]:
    first, second = stated or (MX1_PASSWORD, MX2_PASSWORD)
    return {
        "Mx1.pfx": Certificate(alpha, MX1_PASSWORD, first),
        "Mx2.pfx": Certificate(beta, MX2_PASSWORD, second),
    }


def _refusal(form: Form, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> str:
    """What activation says of the settings in this process."""
    for name, value in form(deployment).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        mxcert_runtime.activate()
    return str(caught.value)


@each_form
def test_usages(
    servers: Servers, tmp_path: Path, authority: Authority, alpha: Leaf, beta: Leaf, form: Form
) -> None:
    """The host that usages give Mx2 sees Mx2, each file opened with the password at its place.

    An empty path is no certificate, though the server accepts one.
    """
    usages = {"Module.WebService1": "Mx1.pfx", HOST: "Mx2.pfx"}
    if form is not kubernetes:
        usages[OTHER] = ""
    deployment = Deployment(tmp_path, authority, _certificates(alpha, beta), usages)
    hosts = [host for host in HOSTS if host in usages]
    expected = [beta.fingerprint, None][: len(hosts)]
    seen = _run(form, deployment, _urls(servers, *hosts)).json()
    assert [each for each in expected for _ in servers] == seen
    assert [expected] * 2 == [[seen.fingerprint for seen in s.seen] for s in servers]


@pytest.mark.parametrize("form", [bare, native_toml], ids=lambda form: form.__name__)
def test_empty_path(
    servers: Servers, tmp_path: Path, authority: Authority, alpha: Leaf, form: Form
) -> None:
    """Beside an empty path the only certificate is for all the others."""
    certificates = {"Mx1.pfx": Certificate(alpha, MX1_PASSWORD, MX1_PASSWORD)}
    deployment = Deployment(tmp_path, authority, certificates, {HOST: ""})
    seen = _run(form, deployment, _urls(servers, HOST, OTHER)).json()
    assert [None, None, alpha.fingerprint, alpha.fingerprint] == seen


def _swapped(folder: Path, authority: Authority, alpha: Leaf, beta: Leaf) -> Deployment:
    certificates = _certificates(alpha, beta, MX2_PASSWORD, MX1_PASSWORD)
    return Deployment(folder, authority, certificates, {HOST: "Mx2.pfx"})


def test_swapped_passwords_end_the_import(
    servers: Servers, tmp_path: Path, authority: Authority, alpha: Leaf, beta: Leaf
) -> None:
    """Passwords in the other order: the import fails, telling both faults and no password."""
    deployment = _swapped(tmp_path, authority, alpha, beta)
    finished = _run(bare, deployment, _urls(servers, HOST))
    assert 1 == finished.returncode
    assert "SettingsError: 2 faults in the settings" in finished.stderr
    assert not [word for word in (MX1_PASSWORD, MX2_PASSWORD) if word in finished.stderr]
    assert [0, 0] == [server.connections for server in servers]


@each_form
def test_swapped_passwords(
    tmp_path: Path,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
    form: Form,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In every form both faults are told, and no password."""
    told = _refusal(form, _swapped(tmp_path, authority, alpha, beta), monkeypatch)
    assert told.startswith("2 faults in the settings")
    assert not [word for word in (MX1_PASSWORD, MX2_PASSWORD) if word in told]


@pytest.mark.parametrize("form", FAMILY, ids=lambda form: form.__name__)
def test_path_that_is_not_listed(
    tmp_path: Path,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
    form: Form,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A path in the usages that is not listed is refused, in words that name both settings."""
    deployment = Deployment(
        tmp_path, authority, _certificates(alpha, beta), {HOST: "Mx2.pfx"}, listed=["Mx1.pfx"]
    )
    told = _refusal(form, deployment, monkeypatch)
    (fault,) = [line for line in told.splitlines() if line.startswith("  - ")]
    usages, certificates = "ClientCertificateUsages", "ClientCertificates"
    if form.__name__.startswith("mxcert"):
        usages, certificates = "MXCERT_CLIENT_CERTIFICATE_USAGES", "MXCERT_CLIENT_CERTIFICATES"
    assert fault.count(usages) >= 1
    assert fault.count(certificates) >= 1
    assert "Mx2.pfx" in fault


def test_two_services(
    servers: Servers,
    loopback_names: LoopbackNames,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sample with WebService1 and an empty WebService2: Mx1 for the one, none for the other."""
    usages = {"Module.WebService1": alpha, "Module.WebService2": None}
    for name, value in client_files.variables(usages=usages).items():
        monkeypatch.setenv(name, value)
    mxcert_runtime.activate()
    context, seen = plain_context(authority), []
    for service in ("Module.WebService1", "Module.WebService2"):
        token = current_service.set(service)
        seen += [fetch(server.url("localhost"), context)["fingerprint"] for server in servers]
        current_service.reset(token)
    assert [alpha.fingerprint] * 2 + [None] * 2 == seen
