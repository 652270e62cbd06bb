"""``mxcert explain`` shows the decision, its reason and what was looked at, without a network."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.cli import main
from tests.cli.processes import run_command
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.pki import Authority, Leaf

#: runs the command with these arguments; gives exit status, stdout and stderr
Explain = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str]) -> Explain:
    """Runs ``mxcert explain`` in this process."""

    def explain(*arguments: str) -> tuple[int, str, str]:
        status = main(["explain", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return explain


@pytest.fixture
def settings(
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two identities with rules of each kind, in a file that ``MXCERT_CONFIG`` names."""
    hosts = ["good.example", "*.wild.example:8443"]
    first = client_files.identity("alpha", alpha, hosts=hosts, authorities=[client_authority])
    second = client_files.identity(
        "beta", beta, hosts=["mail.example:25"], services=["Billing.Invoices"]
    )
    content = {"identity": [first, second], "no_certificate": {"hosts": ["open.example"]}}
    path = client_files.folder / "mxcert.json"
    path.write_text(json.dumps(content))
    monkeypatch.setenv("MXCERT_CONFIG", str(path))


def as_data(explain: Explain, *arguments: str) -> dict[str, Any]:
    """What the command says as JSON; it must have explained."""
    status, printed, _ = explain("--json", *arguments)
    assert 0 == status
    data: dict[str, Any] = json.loads(printed)
    assert ("mxcert-explain/2", True) == (data["schema"], data["ok"])
    return data


TARGETS = [
    (["https://good.example/path"], ("identity", "alpha", 443)),
    (["good.example"], ("identity", "alpha", None)),
    (["good.example:444"], ("identity", "alpha", 444)),
    (["smtp://mail.example"], ("identity", "beta", 25)),
    (["smtp://mail.example:587"], ("server-request", None, 587)),
    (["https://a.wild.example:8443"], ("identity", "alpha", 8443)),
    (["https://a.wild.example"], ("server-request", None, 443)),
    (["open.example"], ("none", None, None)),
    (["open.example", "--service", "Billing.Invoices"], ("identity", "beta", None)),
    (["https://[::1]:1/"], ("server-request", None, 1)),
]


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(("arguments", "expected"), TARGETS)
def test_decisions(explain: Explain, arguments: list[str], expected: tuple[object, ...]) -> None:
    """The decision for each way to write an endpoint."""
    data = as_data(explain, *arguments)
    identity = data["identity"]["name"] if data["identity"] else None
    assert expected == (data["choice"], identity, data["port"])


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("arguments", [arguments for arguments, _ in TARGETS])
def test_the_library_says_the_same(explain: Explain, arguments: list[str]) -> None:
    """The command and ``mxcert_runtime.explain`` are one thing."""
    data = as_data(explain, *arguments)
    mxcert_runtime.activate()
    target, service = arguments[0], (arguments[2] if len(arguments) > 1 else None)
    expected = mxcert_runtime.explain(target, service).as_data()
    assert {"schema": "mxcert-explain/2", "ok": True, **expected} == data


@pytest.mark.usefixtures("settings")
def test_places(explain: Explain) -> None:
    """Every place is told in its order, down to the one that decides."""
    data = as_data(explain, "a.wild.example:8443", "--service", "Other")
    places = [(each["place"], each["decided"]) for each in data["places"]]
    assert [
        ("service Other", False),
        ("a.wild.example:8443", False),
        ("a.wild.example", False),
        ("*.wild.example:8443", True),
    ] == places
    places = [each["place"] for each in as_data(explain, "x.example")["places"]]
    assert ["x.example", "*.example", "default"] == places


@pytest.mark.usefixtures("settings")
def test_text(explain: Explain, alpha: Leaf, client_files: ClientFiles) -> None:
    """The text has the decision, its rule with the origin, and the authorities of the rule."""
    status, printed, told = explain("https://a.wild.example:8443/")
    assert (0, "") == (status, told)
    for part in (
        alpha.subject,
        "rule `*.wild.example:8443` of ",
        "identity 1 (alpha), hosts: decides",
        f"{client_files.folder / 'authority-0.pem'}, and nothing else",
        "no rule",
    ):
        assert part in printed


@pytest.mark.usefixtures("settings")
def test_candidates(explain: Explain, alpha: Leaf, beta: Leaf) -> None:
    """Where the server's request chooses, the candidates stand there in their order."""
    data = as_data(explain, "unlisted.example")
    names = [(each["name"], each["subject"]) for each in data["candidates"]]
    assert [("alpha", alpha.subject), ("beta", beta.subject)] == names
    printed = explain("unlisted.example")[1]
    assert 0 < printed.index(alpha.subject) < printed.index(beta.subject)
    assert "what the server's request chooses" in printed


@pytest.mark.usefixtures("settings")
def test_an_unknown_service(explain: Explain) -> None:
    """A service that no setting knows is told, with the names that it may have meant."""
    told = explain("good.example", "--service", "Billing.Invoice")[2]
    assert "did you mean 'Billing.Invoices'?" in told
    assert "did you mean" not in explain("good.example", "--service", "Q")[2]
    assert "" == explain("good.example", "--service", "Billing.Invoices")[2]


@pytest.mark.usefixtures("settings")
def test_a_port_that_is_missing(explain: Explain) -> None:
    """Without a port, rules with one do not count, and it is said where there are such."""
    assert "rules with a port do not count" in explain("a.wild.example")[2]
    assert "" == explain("a.wild.example:8443")[2]
    assert "" == explain("good.example")[2]


@pytest.mark.usefixtures("settings")
def test_no_network(explain: Explain, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up, no socket is made, nothing is put in force."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    assert 0 == explain("https://good.example/")[0]
    assert not mxcert_runtime.is_active()


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_faulty_settings(
    explain: Explain, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Faults are told, with status 1, since no program with them has any decision."""
    monkeypatch.setenv("ClientCertificates", "/nonexistent/client.p12")
    monkeypatch.setenv("NoClientCertificateUsages", "a/\x1b[31m")
    status, printed, told = explain("good.example", *arguments)
    assert 1 == status
    assert "/nonexistent/client.p12" in printed + told
    assert "\x1b" not in printed + told


def test_no_settings(explain: Explain) -> None:
    """Without settings nothing is presented, and it is said why."""
    status, printed, told = explain("good.example")
    assert 0 == status
    assert "no certificate" in printed
    assert "there are no settings here" in told


@pytest.mark.parametrize("target", ["", "https://", "https://host:x/", "host:99999", "a\x1bb"])
def test_wrong_targets(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What names no host is wrong use."""
    with pytest.raises(SystemExit) as raised:
        main(["explain", target])
    printed = capsys.readouterr()
    assert (2, "") == (raised.value.code, printed.out)
    assert "usage: mxcert explain" in printed.err
    assert "\x1b" not in printed.err


@pytest.mark.usefixtures("settings")
def test_secrets_are_not_shown(explain: Explain, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the password of a file nor one in the URL comes back."""
    target = "https://user:hunter2@good.example/"
    for arguments in ([target], [target, "--json"]):
        _, printed, told = explain(*arguments)
        assert PASSWORD not in printed + told
        assert "hunter2" not in printed + told
    with pytest.raises(SystemExit):
        main(["explain", "https://user:hunter2@good.example:x/"])
    assert "hunter2" not in capsys.readouterr().err


def test_the_console_script(tmp_path: Path, client_files: ClientFiles, alpha: Leaf) -> None:
    """The installed command explains the settings of its environment."""
    script = tmp_path / "mxcert"
    script.write_text("import sys\nfrom mxcert_runtime.cli import main\nsys.exit(main())\n")
    variables = client_files.variables(usages={"api.example": alpha})
    program = (sys.executable, "-W", "error", str(script))
    done = run_command(
        tmp_path, "explain", "https://api.example/", "--json", settings=variables, program=program
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert alpha.subject == json.loads(done.stdout)["identity"]["subject"]


@pytest.mark.parametrize(
    ("required", "host", "expected", "words"),
    [
        ("pinned", "good.example", True, "gets nothing: require_verified_server is `pinned`"),
        ("pinned", "mail.example:25", False, "is `pinned`, and no CAs are pinned here"),
        ("all", "mail.example:25", True, "gets nothing: require_verified_server is `all`"),
        ("off", "good.example", False, "gets it too: require_verified_server is `off`"),
        ("all", "open.example", False, None),
    ],
)
@pytest.mark.usefixtures("settings")
def test_unverified_servers(
    explain: Explain,
    monkeypatch: pytest.MonkeyPatch,
    required: str,
    host: str,
    expected: bool,
    words: str | None,
) -> None:
    """Whoever wonders what `verify=False` presents is told; where nothing is, so is nothing."""
    monkeypatch.setenv("MXCERT_REQUIRE_VERIFIED_SERVER", required)
    assert as_data(explain, host)["requires_verified_server"] is expected
    printed = " ".join(explain(host)[1].split())
    assert ("unverified server" in printed) is (words is not None)
    assert (words or "") in printed
