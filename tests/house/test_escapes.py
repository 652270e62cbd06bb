"""What servers, certificates, hosts and settings say is shown and never obeyed, at every exit."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import pkgutil
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime import errors
from mxcert_runtime.base.c_environment import UnknownEnvironmentError
from mxcert_runtime.cli import main
from mxcert_runtime.cli.probe.target import WrongUseError
from mxcert_runtime.cli.probe.wire import DialogueError
from mxcert_runtime.cli.run.command import _RefusalError
from mxcert_runtime.connections.kept import KeptConnectionError
from mxcert_runtime.connections.planner import UnknownSecurityLevelError
from mxcert_runtime.contexts.handover import MissingOwnerError
from mxcert_runtime.contexts.identity_contexts import IdentityRefusedError
from mxcert_runtime.contexts.trust import TrustChangedError
from mxcert_runtime.decisions.in_force import current
from mxcert_runtime.errors import Fault, IdentityProblem, MxcertError
from mxcert_runtime.hooks.pyopenssl.connections import UnenforceableAuthoritiesError
from mxcert_runtime.identity.openssl_reason import Refusal
from mxcert_runtime.identity.tokens.token_key import TokenRefusedError
from mxcert_runtime.monitoring.log_output import direct_log
from mxcert_runtime.settings.model import LogLevel, LogSettings
from mxcert_runtime.start.no_connection import NoConnectionError
from tests.cli.processes import run_command
from tests.connections.candidates import connected
from tests.diagnosis.exchanges import client_context, exchange, failure_of
from tests.diagnosis.told import notes_of
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

#: a line break, an order to a terminal, what turns the writing around, C1, and a separator of lines
EVIL = "x\n2026 ERROR app: forged\x1b[2J\u202e\x85\u2028"
LOGGER = logging.getLogger("mxcert_runtime")


@pytest.fixture(scope="module")
def evil_root() -> Authority:
    """An authority whose name forges lines."""
    return Authority(EVIL)


@pytest.fixture(scope="module")
def evil_leaf(evil_root: Authority) -> Leaf:
    """A certificate whose subject and issuer do."""
    return evil_root.issue(EVIL)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that the package logs."""
    caplog.set_level(logging.DEBUG, "mxcert_runtime")
    return caplog


def _lines(log: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in log.records if each.name == "mxcert_runtime"]


def _odd(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.isprintable()]


@pytest.fixture
def settings(client_files: ClientFiles, evil_leaf: Leaf, alpha: Leaf) -> dict[str, Any]:
    """Two identities without rules, so that a server's request chooses, and names that forge."""
    first = client_files.identity(EVIL, evil_leaf)
    return {"identity": [first, client_files.identity(f"{EVIL}2", alpha)]}


def test_a_request_of_a_server(
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    settings: dict[str, Any],
    authority: Authority,
    evil_root: Authority,
    evil_leaf: Leaf,
    log: pytest.LogCaptureFixture,
) -> None:
    """The issuers that a server names, and the identities, stand in the log as escapes."""
    server = openssl_server(client_authorities=(evil_root,), version=tls_version)
    mxcert_runtime.activate(settings)
    with connected(server.port, client_context(authority)):
        assert [evil_leaf.fingerprint] == server.presented.wait_for(1)
    assert [] == _odd(_lines(log))
    (line,) = [line for line in _lines(log) if "asks for a certificate" in line]
    assert r"forged\x1b[2J\u202e\x85\u2028" in line.partition("it accepts")[2]


def test_a_refusal_by_a_server(
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    authority: Authority,
    client_authority: Authority,
    evil_leaf: Leaf,
    log: pytest.LogCaptureFixture,
) -> None:
    """The note on the exception, line by line, and the warning."""
    server = tls_server(demand=Demand.DEMAND, version=tls_version)
    mxcert_runtime.activate({"identity": [client_files.identity(EVIL, evil_leaf)]})
    error = failure_of(client_context(authority), "localhost", server.port, exchange)
    assert [] == _odd("\n".join(notes_of(error)).split("\n"))
    assert [] == _odd(_lines(log))
    assert [] != [line for line in _lines(log) if r"\x1b[2J" in line]


def test_a_host(settings: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """A host that a program makes of what others sent."""
    hosts = {"identity": [{**settings["identity"][0], "hosts": ["*.b.test:444"]}]}
    mxcert_runtime.activate(hosts)
    context = ssl.create_default_context()
    for host in ("\x1b[2J.b.test", "evil\r\nforged.b.test"):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host)
    assert [] == _odd(_lines(log))
    assert [] != [line for line in _lines(log) if "the port of a connection to" in line]
    assert [] != [line for line in _lines(log) if r"evil\r\nforged" in line]


def test_a_service(settings: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """A service that no setting knows."""
    mxcert_runtime.activate(settings)
    with mxcert_runtime.service(EVIL):
        pass
    assert [] == _odd(_lines(log))
    assert [] != [line for line in _lines(log) if "no setting knows the service" in line]


def test_what_is_printable_stays(log: pytest.LogCaptureFixture) -> None:
    """The twin: a record that prints keeps its text, its arguments and their kinds."""
    LOGGER.warning("%s of %d at %.1f: %r", "\u00fc", 7, 1.5, "x")
    assert ["\u00fc of 7 at 1.5: 'x'"] == _lines(log)
    assert ("\u00fc", 7, 1.5, "x") == log.records[0].args


class _Evil:
    def __str__(self) -> str:
        return EVIL

    def __repr__(self) -> str:
        return f"<{EVIL}>"


@pytest.mark.parametrize(
    "value", [EVIL, _Evil(), ValueError(EVIL), Fault(EVIL, EVIL, EVIL), [EVIL]]
)
@pytest.mark.parametrize("text", ["%s", "%r", "%10s", f"{EVIL} %s"])
def test_any_record(log: pytest.LogCaptureFixture, text: str, value: object) -> None:
    """Whatever the argument, and however it is shown."""
    LOGGER.error(text, value)
    LOGGER.error(EVIL)
    assert (2, []) == (len(_lines(log)), _odd(_lines(log)))


def test_the_file_of_the_log(tmp_path: Path) -> None:
    """One record is one line there, too."""
    direct_log(LogSettings(LogLevel.INFO, str(tmp_path / "log")))
    LOGGER.warning("%s", EVIL)
    direct_log(None)
    (line,) = (tmp_path / "log").read_bytes().decode("utf-8").split("\n")[:-1]
    assert line.isprintable()


class _Named:
    name = subject = EVIL


#: an error of each kind with names that forge; they carry what they were given as data
ERRORS: dict[str, Callable[[], BaseException]] = {
    "MxcertError": lambda: MxcertError(EVIL),
    "SettingsError": lambda: errors.SettingsError([Fault(EVIL, EVIL, EVIL)]),
    "IdentityError": lambda: errors.IdentityError(IdentityProblem.DAMAGED, EVIL, EVIL),
    "MaterialError": lambda: errors.MaterialError(EVIL, EVIL),
    "NoIdentityError": lambda: errors.NoIdentityError(EVIL, EVIL),
    "MaterialClosedError": lambda: errors.MaterialClosedError(EVIL, EVIL),
    "HostNameError": lambda: errors.HostNameError(EVIL, EVIL, EVIL),
    "PatchError": lambda: errors.PatchError(EVIL),
    "IdentityRefusedError": lambda: IdentityRefusedError(
        _Named(),
        Refusal(EVIL, EVIL, EVIL),  # type: ignore[arg-type]
    ),
    "UnknownSecurityLevelError": lambda: UnknownSecurityLevelError((EVIL,)),
    "UnenforceableAuthoritiesError": lambda: UnenforceableAuthoritiesError((EVIL,), EVIL, EVIL),
    "TrustChangedError": lambda: TrustChangedError(EVIL),
    "UnsupportedPythonError": lambda: errors.UnsupportedPythonError(EVIL),
    "SubinterpreterError": lambda: errors.SubinterpreterError(EVIL),
    "UnknownEnvironmentError": lambda: UnknownEnvironmentError(EVIL),
    "MissingOwnerError": lambda: MissingOwnerError(EVIL, EVIL),
    "KeptConnectionError": lambda: KeptConnectionError(EVIL, EVIL),
    "NoConnectionError": lambda: NoConnectionError(1, EVIL),
    "_RefusalError": lambda: _RefusalError(EVIL, [Fault(EVIL, EVIL, EVIL)]),
    "DialogueError": lambda: DialogueError(EVIL, EVIL),
    "TokenRefusedError": lambda: TokenRefusedError(Refusal(EVIL, EVIL, EVIL)),
    "WrongUseError": lambda: WrongUseError(EVIL),
}


def _kinds(base: type[BaseException]) -> Iterator[type[BaseException]]:
    yield base
    for each in base.__subclasses__():
        yield from _kinds(each)


def test_every_error_has_a_row() -> None:
    """No kind of error that the package has is left out."""
    for module in pkgutil.walk_packages(mxcert_runtime.__path__, "mxcert_runtime."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    package = [kind for kind in _kinds(MxcertError) if kind.__module__.startswith("mxcert_runtime")]
    assert sorted(ERRORS) == sorted(kind.__name__ for kind in package)


@pytest.mark.parametrize("kind", ERRORS)
def test_errors(kind: str) -> None:
    """The text of each has escapes; of the settings' faults, each has a line of its own."""
    error = ERRORS[kind]()
    assert kind == type(error).__name__
    assert [] == _odd(str(error).split("\n"))
    assert (1 if kind != "SettingsError" else 2) == len(str(error).split("\n"))


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command, and gives all that it prints."""

    def printed(*arguments: str) -> str:
        with contextlib.suppress(SystemExit):
            main(arguments)
        shown = capsys.readouterr()
        return shown.out + shown.err

    return printed


@pytest.fixture
def configured(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The settings in a file."""
    path = tmp_path / "evil\u202e\x85.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    monkeypatch.setenv("MXCERT_CONFIG", str(path))
    return settings


COMMANDS = {
    "check": ["check"],
    "check --json": ["check", "--json"],
    "explain": ["explain", "https://a.test", "--service", EVIL],
    "explain --json": ["explain", "--json", "https://a.test", "--service", EVIL],
    "explain what is no host": ["explain", EVIL],
    "explain a URL": ["explain", f"https://{EVIL}/"],
    "probe what is no host": ["probe", EVIL],
    "no command": [EVIL],
    "no option": ["check", f"--{EVIL}"],
}


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("name", COMMANDS)
def test_commands(name: str, printed: Callable[..., str]) -> None:
    """Tables, facts, JSON and errors of the command, on both streams."""
    shown = printed(*COMMANDS[name])
    assert shown
    assert [] == _odd(shown.split("\n"))
    assert current is None


def test_run_what_is_not_there(tmp_path: Path) -> None:
    """In a process of its own: the command becomes the program, and first undoes its signals."""
    settings = {"MXCERT_DISABLE": "1", "PYTHONIOENCODING": "utf-8"}
    done = run_command(tmp_path, "run", "--", f"/nonexistent/{EVIL}", settings=settings)
    assert 127 == done.returncode
    assert [True] == [line.isprintable() for line in done.stderr.split("\n")[:-1]]


@pytest.mark.usefixtures("configured")
def test_check_with_faults(printed: Callable[..., str], configured: dict[str, Any]) -> None:
    """Faults that quote names, in text and as JSON."""
    configured["identity"][0]["pkcs12"] = f"/nonexistent/{EVIL}.p12".replace("\n", "")
    configured["no_certificate"] = {"hosts": [f"{EVIL}.test"], EVIL: "x"}
    Path(os.environ["MXCERT_CONFIG"]).write_text(json.dumps(configured), encoding="utf-8")
    for arguments in (["check"], ["check", "--json"], ["explain", "a.test"], ["probe", "a.test"]):
        assert [] == _odd(printed(*arguments).split("\n"))


@pytest.mark.usefixtures("configured")
def test_probe(
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    evil_root: Authority,
    client_files: ClientFiles,
    printed: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a server asks for and is presented, in text and as JSON."""
    server = tls_server(client_authorities=(evil_root,))
    monkeypatch.setenv("SSL_CERT_FILE", str(client_files.authority(authority)))
    for more in ([], ["--json"]):
        shown = printed("probe", *more, f"https://localhost:{server.port}/")
        assert r"\x1b[2J" in shown or r"\u001b[2J" in shown
        assert [] == _odd(shown.split("\n"))


def test_public_values(settings: dict[str, Any]) -> None:
    """What a program may print of our values has escapes."""
    mxcert_runtime.activate(settings)
    shown = [repr(each) for each in mxcert_runtime.identities()]
    shown.append(repr(mxcert_runtime.explain("a.test", service=EVIL)))
    assert [] == _odd(shown)
