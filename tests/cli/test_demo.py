"""``mxcert demo`` tells the truth, finds out when it is not so, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.cli.demo import command, report, world as demo_world
from mxcert_runtime.cli.demo.servers import Asks
from mxcert_runtime.decisions.policy import Decision
from mxcert_runtime.settings.loading import read_settings
from tests.cli.processes import run_command
from tests.support.subprocesses import ROOT

pytestmark = pytest.mark.any_python

LIBRARIES = ["requests", "urllib3", "urllib.request"]
#: host: what its server does, what it sees with the plugin, how the call ends without
EXPECTED = {
    "billing.example": ("demands", "CN=billing", "refused"),
    "eu.orders.example": ("demands", "CN=orders", "refused"),
    "partner.example": ("accepts", "CN=partner", "answered"),
    "public.example": ("accepts", None, "answered"),
    "plain.example": ("never asks", None, "answered"),
}
RULES = {
    "billing.example": ("billing.example", "CN=billing"),
    "eu.orders.example": ("*.orders.example", "CN=orders"),
    "partner.example": ("partner.example", "CN=partner"),
    "public.example": ("public.example", None),
    "plain.example": ("plain.example", "CN=partner"),
}


def _client(folder: Path, first: str) -> Path:
    """The demo's client with something done before it."""
    path = folder / "other_client.py"
    real = str(demo_world.CLIENT_SCRIPT)
    run = f"import runpy\nrunpy.run_path({real!r}, run_name='__main__')\n"
    path.write_text(f"{first}\n{run}", encoding="utf-8")
    return path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder for temporary files, of this process too."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[demo_world.World]:
    """The worlds that the demo opens in this process."""
    opened: list[demo_world.World] = []
    original = demo_world.open_world

    @contextlib.contextmanager
    def noted() -> Iterator[demo_world.World]:
        with original() as world:
            opened.append(world)
            yield world

    monkeypatch.setattr(command, "open_world", noted)
    return opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for temporary files of the run whose rows are looked at."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[dict[str, Any]]:
    """What one run of the demo printed, started as a user starts it."""
    # The settings of the user and a proxy must not reach the demo.
    disturbing = {
        "ClientCertificates": "/nonexistent.p12",
        "MXCERT_UNLISTED_HOSTS": "none",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    done = run_command(folder, "demo", "--json", settings=disturbing)
    assert (0, "") == (done.returncode, done.stderr)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


@pytest.fixture(scope="module")
def decisions() -> dict[str, Decision]:
    """What the demo's settings decide for its hosts."""
    with demo_world.open_world() as world:
        return world.decisions()


class TestRows:
    """One run of the demo, as a user starts it."""

    def test_every_host_is_called_by_every_library(self, rows: list[dict[str, Any]]) -> None:
        """There is a row for each host and library, in order."""
        expected = [(host, library) for host in EXPECTED for library in LIBRARIES]
        assert expected == [(row["host"], row["library"]) for row in rows]

    @pytest.mark.parametrize("library", LIBRARIES)
    @pytest.mark.parametrize("host", EXPECTED)
    def test_row_says_what_the_server_saw(
        self, rows: list[dict[str, Any]], host: str, library: str
    ) -> None:
        """The server sees the identity of the rule; without the plugin it sees none or refuses."""
        (row,) = (each for each in rows if (host, library) == (each["host"], each["library"]))
        asks, subject, without = EXPECTED[host]
        assert asks == row["server"]
        assert {"result": "answered", "subject": subject, "error": None} == row["with_plugin"]
        assert (without, None) == (
            row["without_plugin"]["result"],
            row["without_plugin"]["subject"],
        )
        assert row["as_expected"] is True

    @pytest.mark.parametrize("host", EXPECTED)
    def test_row_names_the_rule_that_decided(self, rows: list[dict[str, Any]], host: str) -> None:
        """The rule and its identity are told with the place of the rule."""
        row = next(each for each in rows if host == each["host"])
        assert RULES[host] == (row["rule"], row["identity"])
        assert "ClientCertificateUsages" in row["reason"]

    def test_nothing_is_left_behind(self, rows: list[dict[str, Any]], folder: Path) -> None:
        """The folder for temporary files is as empty as before."""
        assert rows
        assert [] == list(folder.iterdir())


class TestTable:
    """The demo as it prints itself to a terminal or a pipe."""

    def test_table_fits_a_terminal_and_ends_in_a_verdict(
        self, temporary: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Each host has one line, no line of the table is longer than 100, then the verdict."""
        assert 0 == main(["demo"])

        printed = capfd.readouterr()
        lines = printed.out.splitlines()
        assert "" == printed.err
        assert list(EXPECTED) == [line.split()[0] for line in lines if ".example " in line]
        assert 100 >= max(len(line) for line in lines if not line.startswith("/"))
        assert "All 15 calls went as the rules say" in printed.out

    @pytest.mark.parametrize("form", [[], ["--json"]])
    def test_no_secret_is_printed(
        self,
        form: list[str],
        temporary: Path,
        worlds: list[demo_world.World],
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Neither a password nor a private key is in the output; the client did get them."""
        main(["demo", *form])

        (world,) = worlds
        printed = "".join(capfd.readouterr())
        passwords = [each.reveal() for each in world.passwords]
        given = world.plugin_environment()["ClientCertificatePasswords"]
        assert given.split(", ") == passwords
        assert [] == [each for each in passwords if each in printed]
        assert "PRIVATE KEY" not in printed

    def test_without_requests_its_rows_are_left_out(self, temporary: Path, tmp_path: Path) -> None:
        """Where the demo itself finds no requests its client has none, and a hint says so."""
        (tmp_path / "requests.py").write_text("raise ImportError", encoding="utf-8")
        search = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}

        done = run_command(temporary, "demo", "--json", settings=search)

        assert 0 == done.returncode
        assert {"urllib3", "urllib.request"} == {row["library"] for row in json.loads(done.stdout)}
        assert "`pip install requests`" in done.stderr


class TestJudgement:
    """The demo notices what is not as the rules say."""

    def test_plugin_that_does_nothing_is_found_out(
        self,
        temporary: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Without the plugin's work the demo fails, and says where."""
        first = "import mxcert_runtime; mxcert_runtime.deactivate()"
        monkeypatch.setattr(demo_world, "CLIENT_SCRIPT", _client(tmp_path, first))

        assert 1 == main(["demo"])

        verdict = capfd.readouterr().out.splitlines()[-1]
        assert verdict.startswith("Not as the rules say: billing.example by requests")

    def test_client_that_fails_is_told(
        self,
        temporary: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """What the client said on stderr is told, and nothing is left behind."""
        monkeypatch.setattr(demo_world, "CLIENT_SCRIPT", _client(tmp_path, "raise OSError('why')"))

        assert 1 == main(["demo"])

        printed = capfd.readouterr()
        assert "" == printed.out
        assert "why" in printed.err
        assert [] == list(temporary.iterdir())

    @pytest.mark.parametrize(
        ("asks", "with_plugin", "without_plugin"),
        [
            ("demands", "CN=orders", "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            ("demands", None, "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            ("demands", "CN=billing", "CERTIFICATE_VERIFY_FAILED"),
            ("demands", "CN=billing", None),
            ("accepts", "CN=billing", "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            ("never asks", "CN=billing", None),
        ],
    )
    def test_wrong_row_is_not_as_expected(
        self,
        decisions: dict[str, Decision],
        asks: str,
        with_plugin: str | None,
        without_plugin: str | None,
    ) -> None:
        """A wrong certificate, none, or another refusal than for want of one is not expected."""
        loaded = [each.identity for each in decisions.values() if each.identity]
        seen = {each.subject: each.fingerprint for each in loaded}
        row = report.Row(
            "billing.example",
            "requests",
            Asks(asks),
            decisions["billing.example"],
            report.Outcome(with_plugin, seen.get(with_plugin or "")),
            report.Outcome(error=without_plugin),
        )
        assert not row.is_as_expected


def _is_served(context: ssl.SSLContext, host: str, port: int) -> bool:
    """Whether a server that the context trusts is there: another program may have got its port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            context.wrap_socket(plain, server_hostname=host).close()
            return True
    except OSError:
        return False


class TestWorld:
    """The demo's folder and servers."""

    def test_folder_is_for_its_owner_alone(self, temporary: Path) -> None:
        """Nobody else may look into the folder while it is there."""
        with demo_world.open_world() as world:
            assert 0o700 == stat.S_IMODE(os.stat(world.folder).st_mode)

    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
    def test_nothing_is_left_after_an_error(
        self, temporary: Path, error: type[BaseException]
    ) -> None:
        """Ctrl-C and errors take folder and servers away too."""
        served: list[bool] = []
        endpoints: dict[str, int] = {}

        def fail_inside() -> None:
            with demo_world.open_world() as world:
                assert [world.folder] == list(temporary.iterdir())
                context.load_verify_locations(world.authority_path)
                endpoints.update(world.ports)
                served.extend(_is_served(context, *each) for each in endpoints.items())
                raise error

        context = ssl.create_default_context()

        with pytest.raises(error):
            fail_inside()

        assert [] == list(temporary.iterdir())
        assert {True} == set(served)
        assert {False} == {_is_served(context, *each) for each in endpoints.items()}

    def test_silent_client_keeps_nobody_waiting(
        self, temporary: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A client that never begins its handshake does not stop the others."""
        with demo_world.open_world() as world:
            port = world.ports["billing.example"]
            with socket.create_connection(("127.0.0.1", port), timeout=60):
                lines = world.run_client(world.plugin_environment)

        assert {"CN=billing"} == {
            line["answer"]["subject"] for line in lines if "//billing." in line["url"]
        }

    def test_folder_with_a_comma_is_no_list(self, temporary: Path, tmp_path: Path) -> None:
        """A comma in the name of the temporary folder splits no path."""
        world = demo_world.World(Path("/a,b"), [])
        environment = world.plugin_environment()
        assert ["/a,b/root.pem"] == json.loads(environment["CACertificates"])

    def test_settings_file_of_the_machine_has_no_say(
        self, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The client reads an empty file in the place of the machine's default one."""
        (tmp_path / "mxcert.toml").write_text("nonsense", encoding="utf-8")
        machine = str(tmp_path / "mxcert.toml")
        monkeypatch.setattr("mxcert_runtime.settings.names.DEFAULT_FILE", machine)

        with demo_world.open_world() as world:
            reading = read_settings(world.plugin_environment())
            assert (
                str(world.folder / "settings.toml") == world.plugin_environment()["MXCERT_CONFIG"]
            )

        assert ((), ()) == (reading.faults, reading.warnings)
