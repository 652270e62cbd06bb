"""``mxcert import``: what it writes means what the old settings meant."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import mxcert_runtime
from mxcert_runtime.cli import main
from mxcert_runtime.cli.importing.paths import FolderMap, folder_map, mapped
from mxcert_runtime.cli.importing.reading import read_source
from mxcert_runtime.identity.sources import AuthorityFile, Pkcs12File
from mxcert_runtime.settings.loading import settings_of_text
from mxcert_runtime.settings.model import Reading
from tests.cli.importing.carried import Run, carry_over, secret
from tests.cli.importing.old_settings import (
    FORMS,
    IDENTIFIERS,
    LINES,
    MAPS,
    PATHS,
    Deployment,
    Form,
    H,
    S,
    deployments,
)
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.properties import examples
from tests.support.tls_server import TlsServer


def _meaning(reading: Reading) -> tuple[list[tuple[str, str]], set[Any], list[str]]:
    """Paths with passwords in their order; identifiers by kind with paths; CAs."""
    paths: dict[str | None, str | None] = {None: None}
    identities = []
    for each in reading.settings.identities:
        assert isinstance(each.material, Pkcs12File)
        assert each.password is not None
        paths[each.name] = each.material.path
        identities.append((each.material.path, each.password.reveal()))
    rules = {(one.identifier, one.kind, paths[one.identity]) for one in reading.settings.rules}
    authorities = reading.settings.authorities
    return identities, rules, [one.path for one in authorities if isinstance(one, AuthorityFile)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@given(deployment=deployments())
@examples(20)
def test_it_means_the_same(form: Form, deployment: Deployment) -> None:
    """Identities in their order with passwords, rules, exemptions and CAs: all and no more."""
    certificates, usages, exempt, authorities = deployment
    maps = [word for old, new in MAPS.items() for word in ("--map", f"{old}={new}")]
    rules = {**usages, **dict.fromkeys(exempt, "")}
    expected = (
        [(PATHS[path], password) for path, password in certificates.items()],
        {
            (name, k, PATHS.get(path))
            for name, path in rules.items()
            for k in {*IDENTIFIERS[name], *(() if path else (H,))}
        },
        [{"D:\\App\\ca.pem": "/etc/certs/ca.pem"}.get(one, "/new/ca.pem") for one in authorities],
    )
    with tempfile.TemporaryDirectory() as folder:
        assert expected == _meaning(carry_over(form(deployment), Path(folder), *maps))


@given(text=st.text() | st.lists(st.sampled_from(LINES), max_size=5).map("\n".join))
@examples(60)
def test_any_text(text: str) -> None:
    """Whatever is pasted is read, or is a fault; nothing is raised."""
    imported = read_source(secret(text))
    assert isinstance(imported.reading, Reading)


@pytest.mark.parametrize(
    "exempt",
    [
        "NoClientCertificateUsages: Partner.Example",
        'ClientCertificateUsages: {"Partner.Example": ""}',
    ],
)
def test_a_host_that_looks_like_a_service(exempt: str, run: Run) -> None:
    """Where it is to have no certificate it has none, whichever of the two it is."""
    text = f"ClientCertificates: /a/x.pfx\nClientCertificatePasswords: p\n{exempt}\n"
    status, printed, _ = run(text)
    assert 0 == status
    file = settings_of_text(secret(printed), ".toml").settings
    found = {(each.identifier, each.kind, each.identity) for each in file.rules}
    assert {("Partner.Example", H, None), ("Partner.Example", S, None)} == found


@pytest.mark.parametrize("form", ["list", "variable", "resource"])
def test_the_cloud(
    form: str,
    tmp_path: Path,
    alpha: Leaf,
    beta: Leaf,
    monkeypatch: pytest.MonkeyPatch,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    loopback_names: LoopbackNames,
) -> None:
    """Keys that stand in the settings become files, and each host sees its certificate."""
    files = ClientFiles(tmp_path)
    encoded = [base64.b64encode(files.pkcs12(each).read_bytes()).decode() for each in (alpha, beta)]
    pins = ["one.example", "two.example"]
    entries = [
        {"pfx": each, "password": PASSWORD, "pin_to": [pin]} for each, pin in zip(encoded, pins)
    ]
    hidden = base64.b64encode(PASSWORD.encode()).decode()
    resource = [
        {"key": each, "password": hidden, "pinTo": [pin]} for each, pin in zip(encoded, pins)
    ]
    text = {
        "list": json.dumps(entries),
        "variable": f"CLIENT_CERTIFICATES='{json.dumps(entries, indent=1)}'",
        "resource": json.dumps({"apiVersion": "v1", "runtime": {"clientCertificates": resource}}),
    }[form]
    carry_over(text, tmp_path)
    monkeypatch.setenv("MXCERT_CONFIG", str(tmp_path / "mxcert.toml"))
    mxcert_runtime.activate()
    server = tls_server(hosts=pins)
    seen = [fetch(server.url(pin), plain_context(authority))["fingerprint"] for pin in pins]
    assert [alpha.fingerprint, beta.fingerprint] == seen


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("C:\\certs=/etc/certs", "c:/CERTS/a\\b.p12", "/etc/certs/a/b.p12"),
        ("C:\\certs\\=/etc/certs/", "C:\\certs\\a.p12", "/etc/certs/a.p12"),
        ("C:\\certs=/etc/certs", "C:\\certs2\\a.p12", "C:\\certs2\\a.p12"),
        ("\\\\server\\share=/mnt", "\\\\SERVER\\share\\a.p12", "/mnt/a.p12"),
        ("D:=/d", "D:\\a.p12", "/d/a.p12"),
        ("/a=/b", "/A/x", "/A/x"),
        ("/a=b=/c", "/a=b/x", "/c/x"),
        ("/old=D:\\new", "/old/x", "D:\\new/x"),
    ],
)
def test_maps(text: str, path: str, expected: str) -> None:
    """A folder of Windows in whatever case and with either slash; one of POSIX exactly."""
    assert expected == mapped(path, [folder_map(text)])


def test_the_longest_folder_counts() -> None:
    """In whatever order they are given."""
    maps = [FolderMap("C:\\a", "/a"), FolderMap("C:\\a\\b", "/b")]
    assert ["/b/x", "/b/x"] == [mapped("C:\\a\\b\\x", each) for each in (maps, maps[::-1])]


@pytest.mark.parametrize("text", ["C:\\certs", "=/etc", "C:\\certs=", "/=/x"])
def test_no_map(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use, with an example."""
    with pytest.raises(SystemExit) as ended:
        main(["import", "x", "--map", text])
    assert 2 == ended.value.code
    assert "OLD=NEW" in capsys.readouterr().err
