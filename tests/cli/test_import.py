"""``mxcert import``: what it writes means what the old settings meant, and says what is missing."""

from __future__ import annotations

import base64
import io
import json
import shlex
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import mxcert_runtime
from mxcert_runtime.cli import main
from mxcert_runtime.cli.importing.paths import FolderMap, folder_map, mapped
from mxcert_runtime.cli.importing.reading import read_source
from mxcert_runtime.identity.sources import AuthorityFile, Pkcs12File
from mxcert_runtime.settings.loading import settings_of_text
from mxcert_runtime.settings.model import Reading, RuleKind
from tests.settings.readings import read, sound
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.tls_server import TlsServer

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


def _import(text: str, folder: Path, *arguments: str) -> Reading:
    """The settings that a program would have, of a file that the command writes."""
    source, target = folder / "old", folder / "mxcert.toml"
    source.write_bytes(text.encode())
    secrets = ("--secrets", str(folder / "secrets"))
    words = ["import", str(source), "--write", str(target), *secrets, *arguments]
    assert 0 == main(words)
    return sound(read({"MXCERT_CONFIG": str(target)}))


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
@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
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
        assert expected == _meaning(_import(form(deployment), Path(folder), *maps))


@given(text=st.text() | st.lists(st.sampled_from(LINES), max_size=5).map("\n".join))
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_any_text(text: str) -> None:
    """Whatever is pasted is read, or is a fault; nothing is raised."""
    imported = read_source(_secret(text))
    assert isinstance(imported.reading, Reading)


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command with this text on stdin; gives exit status, stdout and stderr."""

    def run(text: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        status = main(["import", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


Run = Callable[..., "tuple[int, str, str]"]
EXAMPLE = r"""
ClientCertificates: D:\App\Mx1.pfx, D:\App\Mx2.pfx
ClientCertificatePasswords: s3cret-one, s3cret-two
ClientCertificateUsages: { "Module.WebService1": "D:\\App\\Mx1.pfx", "a.b.example": "" }
MyConstant: whatever
"""


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
    file = settings_of_text(_secret(printed), ".toml").settings
    found = {(each.identifier, each.kind, each.identity) for each in file.rules}
    assert {("Partner.Example", H, None), ("Partner.Example", S, None)} == found


def test_toml_under_another_name(run: Run, tmp_path: Path) -> None:
    """It would not be read: a file's name tells its format."""
    status, _, told = run(EXAMPLE, "--write", str(tmp_path / "mxcert.yaml"))
    assert (1, []) == (status, list(tmp_path.glob("*.yaml")))
    assert ".toml" in told


def test_what_is_to_fill_in(run: Run) -> None:
    """Windows paths, passwords and services without hosts are named, in the file too."""
    status, printed, told = run(EXAMPLE)
    assert 0 == status
    assert "s3cret" not in printed + told
    for text in (printed, told):
        assert r"--map 'D:\App=/etc/certs'" in text
        assert "/run/secrets/Mx1.pw" in text
        assert "Module.WebService1" in text
    assert '# "Module.WebService1" = ["..."]' in printed
    assert "(ClientCertificatePasswords, entry 1)" in told
    assert "MyConstant" in told
    assert "whatever" not in told
    assert printed.startswith("#:schema ")
    assert 2 == len(settings_of_text(_secret(printed), ".toml").faults)  # the files of passwords


def _secret(text: str) -> Any:
    from mxcert_runtime.base.secret import Secret

    return Secret(text)


def test_json(run: Run) -> None:
    """One object, which names all of it."""
    status, printed, told = run(EXAMPLE, "--json")
    data = json.loads(printed)
    assert (0, "", "mxcert-import/1", True) == (status, told, data["schema"], data["ok"])
    assert ["MyConstant"] == data["not_taken_over"]
    assert 5 == len(data["to_fill_in"])
    assert "s3cret" not in printed


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{broken", "not valid JSON (line 1, column 2)"),
        ('{"ClientCertificates": "a", "ClientCertificates": "b"}', "twice"),
        ("ClientCertificates: a.p12\nClientCertificatePasswords: s3cret, s3cret", "2 passwords"),
        ('ClientCertificates: a.p12\nClientCertificateUsages: {"h.test": "b.p12"}', "b.p12"),
        ("mxruntime: [s3cret", "YAML"),
        ("Hello: world", "no setting of client certificates"),
        ("", "no setting of client certificates"),
        ("ClientCertificates: pkcs11:token=a;object=b", "token"),
    ],
)
def test_faults(run: Run, text: str, word: str) -> None:
    """Nothing is printed of settings that have faults, and no secret in the words."""
    status, printed, told = run(text)
    assert (1, "") == (status, printed)
    assert word in told
    assert "s3cret" not in told


def test_collisions(run: Run) -> None:
    """Two files that would be one are refused, with what to do."""
    status, printed, told = run(
        "ClientCertificates: C:\\a\\x.pfx, D:\\a\\x.pfx", "--map", "C:\\a=/e", "--map", "D:\\a=/e"
    )
    assert (1, "") == (status, printed)
    assert "/e/x.pfx" in told


def test_secrets_are_their_owners(tmp_path: Path) -> None:
    """Files and folder of the secrets; a comma or a newline in one is kept."""
    deployment = {"environment_variables": {"ClientCertificates": "/a.p12"}}
    passwords = {"ClientCertificatePasswords": json.dumps([" a, b\n"])}
    deployment["environment_variables"].update(passwords)
    reading = _import(json.dumps(deployment), tmp_path)
    (identity,) = reading.settings.identities
    assert identity.password is not None
    assert " a, b\n" == identity.password.reveal()
    folder = tmp_path / "secrets"
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, *folder.iterdir())]
    assert [0o700, 0o600] == modes


def test_nothing_is_written_where_something_is_there(tmp_path: Path) -> None:
    """All or none: not the settings, where the file of a password is there."""
    (tmp_path / "old").write_text("ClientCertificates: /a.p12\nClientCertificatePasswords: one")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/a.pw").write_text("precious")
    words = ["import", str(tmp_path / "old"), "--secrets", str(tmp_path / "secrets")]
    words += ["--write", str(tmp_path / "new.toml")]
    assert 1 == main(words)
    assert ["old", "secrets"] == sorted(each.name for each in tmp_path.iterdir())
    assert "precious" == (tmp_path / "secrets/a.pw").read_text()
    assert 0 == main([*words, "--force"])
    assert "one\n" == (tmp_path / "secrets/a.pw").read_text()


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
    _import(text, tmp_path)
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
