"""``mxcert run``: what it refuses to start, and that what it starts is as without it."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.client_files import ClientFiles
from tests.support.installation import TIMEOUT, Installation, Installations
from tests.support.pki import Leaf
from tests.support.subprocesses import Finished

BROKEN = {"ClientCertificates": "/nonexistent/client.p12"}


@pytest.fixture
def installation(installations: Installations) -> Installation:
    """Where the package is installed."""
    return installations.wheel


@pytest.fixture
def settings(client_files: ClientFiles, alpha: Leaf) -> dict[str, str]:
    """Settings that can be used."""
    return client_files.variables(alpha)


def _refused(done: Finished, *told: str) -> None:
    assert (78, "") == (done.returncode, done.stdout)
    assert [] == [text for text in told if text not in done.stderr]
    assert "Traceback" not in done.stderr


# --- what is not started --------------------------------------------------------------------------


def test_broken_settings(installation: Installation) -> None:
    """The program is not started, whatever it is, and the report is on stderr."""
    done = installation.run(
        installation.script("mxcert"), "run", "--", "echo", "started", environment=BROKEN
    )

    _refused(done, "mxcert run: 1 fault in the settings", "/nonexistent/client.p12")


def test_broken_settings_as_json(installation: Installation) -> None:
    """The report is data with --json; options stand in front, and ``--`` is left out."""
    done = installation.run(
        *(installation.script("mxcert"), "run", "--config", "/nonexistent.toml", "--json"),
        *("echo", "started"),
    )

    _refused(done)
    report = json.loads(done.stderr)
    assert (False, 1) == (report["ok"], len(report["errors"]))
    assert "/nonexistent.toml" in report["errors"][0]["problem"] + report["errors"][0]["origin"]


def test_no_settings(installation: Installation) -> None:
    """Who starts a program by ``mxcert run`` expects identities."""
    done = installation.run(installation.script("mxcert"), "run", "echo", "started")

    _refused(done, "there are none", "--allow-no-settings")


def test_no_settings_can_be_allowed(installation: Installation) -> None:
    """The program is then started without the plugin, and without asking for it."""
    command = ["python", "-c", "import os; print(sorted(n for n in os.environ if 'MXCERT' in n))"]

    done = installation.run(
        *(installation.script("mxcert"), "run", "--allow-no-settings", "--", *command),
        environment={"MXCERT_AUTOSTART": "1"},
    )

    assert (0, "[]\n", "") == (done.returncode, done.stdout, done.stderr)


def test_disabled(installation: Installation, installations: Installations) -> None:
    """With ``MXCERT_DISABLE=1`` nothing is judged and any Python is started."""
    done = installation.run(
        *(installation.script("mxcert"), "run", installations.bare.python, "-c", "print(1)"),
        environment={**BROKEN, "MXCERT_DISABLE": "1"},
    )

    assert (0, "1\n", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("kind", ["another", "-S", "script"])
def test_a_python_that_would_run_without(
    installations: Installations, settings: dict[str, str], tmp_path: Path, kind: str
) -> None:
    """Another environment, no ``site``, or a script of another environment: refused with words."""
    script = tmp_path / "tool"
    script.write_text(f"#!{installations.bare.python}\nprint('started')\n", encoding="utf-8")
    script.chmod(0o700)
    commands = {
        "another": [installations.bare.python, "-c", "print('started')"],
        "-S": [installations.wheel.python, "-S", "-c", "print('started')"],
        "script": [str(script)],
    }

    done = installations.wheel.run(
        *(installations.wheel.script("mxcert"), "run", "--", *commands[kind]),
        environment=settings,
    )

    expected = installations.wheel if kind == "-S" else installations.bare
    _refused(done, expected.python, "would run without identities", installations.wheel.python)


@pytest.mark.parametrize(
    ("command", "status", "hint"),
    [
        ("no-such-command", 127, "is not there"),
        ("no-python-3", 127, "is not there"),
        ("./app.py", 126, "write: mxcert run -- python ./app.py"),
        ("app.py", 127, "write: mxcert run -- python app.py"),
        ("other.py", 127, "is not there"),
    ],
)
def test_a_program_that_cannot_be_started(
    installation: Installation, tmp_path: Path, command: str, status: int, hint: str
) -> None:
    """The exit status is as shells have it; a script that is there needs its Python in front."""
    (tmp_path / "app.py").touch()

    done = installation.run(
        *(installation.script("mxcert"), "run", "--allow-no-settings", "--", command),
        folder=tmp_path,
    )

    assert (status, "") == (done.returncode, done.stdout)
    assert f"mxcert run: {command} " in done.stderr
    assert hint in done.stderr


def test_without_a_program(installation: Installation) -> None:
    """Wrong use, as elsewhere in the command."""
    done = installation.run(installation.script("mxcert"), "run", "--")

    assert (2, "") == (done.returncode, done.stdout)
    assert "mxcert run -- python app.py" in done.stderr


#: no Python is in it; as PyInstaller's, which has one, it is a program in machine code
_FOREIGN = shutil.which("printenv") or "/usr/bin/printenv"


@pytest.mark.parametrize("wrapper", [[], ["nice", "-n", "1"], ["env", "A=1"]])
def test_what_is_no_python(
    installation: Installation, settings: dict[str, str], wrapper: list[str]
) -> None:
    """A program that would run without identities is refused, behind a wrapper too."""
    command = [*wrapper, _FOREIGN, "MXCERT_AUTOSTART"]

    done = installation.run(
        installation.script("mxcert"), "run", "--", *command, environment=settings
    )

    _refused(done, _FOREIGN, "is no Python", "--allow-any-program")


def test_any_program_can_be_allowed(installation: Installation, settings: dict[str, str]) -> None:
    """The twin: who knows that it only starts Pythons says so, and every Python is asked for it."""
    done = installation.run(
        *(installation.script("mxcert"), "run", "--allow-any-program", "--"),
        *(_FOREIGN, "MXCERT_AUTOSTART"),
        environment=settings,
    )

    assert (0, "1\n", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("option", ["-i", "-u MXCERT_AUTOSTART", "MXCERT_AUTOSTART=0"])
def test_an_environment_without(
    installation: Installation, settings: dict[str, str], option: str
) -> None:
    """A wrapper that takes away what the plugin starts by is refused."""
    command = ["env", *option.split(), installation.python, "-c", "print('started')"]

    done = installation.run(
        installation.script("mxcert"), "run", "--", *command, environment=settings
    )

    _refused(done, "MXCERT_AUTOSTART", installation.python)


def test_a_shell(installation: Installation, settings: dict[str, str]) -> None:
    """What it starts is not known, so it is started, with one line that says so."""
    done = installation.run(
        *(installation.script("mxcert"), "run", "--", "sh", "-c", "echo started"),
        environment=settings,
    )

    assert (0, "started\n") == (done.returncode, done.stdout)
    (line,) = done.stderr.splitlines()
    assert "`sh`" in line
    assert "--allow-any-program" in line


# --- what is started ------------------------------------------------------------------------------

_STATE = """\
import json, os, signal, ssl, sys
in_force = sys.modules.get("mxcert_runtime.decisions.in_force")
sys.exit(json.dumps([os.getpid(), sys.argv[1:], os.environ.get("MXCERT_CONFIG"),
                     in_force is not None and in_force.current is not None]))
"""


def test_the_settings_file(
    installation: Installation, client_files: ClientFiles, alpha: Leaf
) -> None:
    """``--config`` holds for the program wherever it goes, and all its arguments are its own."""
    path = client_files.pkcs12(alpha, "alpha.p12")
    text = f'[[identity]]\nname = "alpha"\npkcs12 = "{path}"\npassword = "{client_files.password}"'
    (client_files.folder / "mxcert.toml").write_text(text, encoding="utf-8")
    arguments = ["--json", "--config", "other", "--", "-h"]
    command = [installation.script("mxcert"), "run", "--config", "mxcert.toml"]

    with subprocess.Popen(
        [*command, "--", "python", "-c", _STATE, *arguments],
        env=installation.environment(),
        cwd=client_files.folder,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        _, stderr = process.communicate(timeout=TIMEOUT)

    assert 1 == process.returncode
    config = str(client_files.folder / "mxcert.toml")
    assert [process.pid, arguments, config, True] == json.loads(stderr)


_INHERITING = """\
import json, os, subprocess, sys, mxcert_runtime
def said():
    return [os.environ.get(name) for name in ("MXCERT_CONFIG", "MXCERT_AUTOSTART")]
before = said()
with open("mxcert.json") as file:
    settings = json.load(file)
with open("mxcert.json", "w") as file:
    json.dump({**settings, "inherit": False}, file)
mxcert_runtime.reload()
inner = [sys.argv[1], "run", "--", sys.executable, "-c", "import ssl, os; print(os.environ)"]
told = subprocess.run(inner, stdout=subprocess.PIPE, encoding="utf-8").stdout
print(json.dumps([before, said(), "MXCERT_CONFIG" in told, "MXCERT_AUTOSTART" in told]))
"""


def test_a_settings_file_that_keeps_it_from_children(
    installation: Installation, client_files: ClientFiles, alpha: Leaf
) -> None:
    """What the command says to children a settings file may take back: when it is read again, and
    in another program that is started by the command."""
    entry = client_files.identity("alpha", alpha, hosts=["localhost"])
    path = client_files.folder / "mxcert.json"
    path.write_text(json.dumps({"identity": [entry]}), encoding="utf-8")
    mxcert = installation.script("mxcert")
    done = subprocess.run(
        [mxcert, "run", "--", "python", "-c", _INHERITING, mxcert],
        env=installation.environment({"MXCERT_CONFIG": path.name}),
        cwd=path.parent,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=True,
    )
    before, after = [str(path), "1"], [str(path), None]
    assert [before, after, True, False] == json.loads(done.stdout)


@pytest.mark.parametrize(
    "command",
    [
        "exit 3",
        "kill -TERM $$",
        "kill -PIPE $$; exit 4",
        "cat; echo told >&2; pwd; ls /proc/self/fd",
    ],
)
def test_the_same_as_without(
    installation: Installation, settings: dict[str, str], tmp_path: Path, command: str
) -> None:
    """Exit status, signals and what they do, standard streams, working directory, open files."""
    shell = ["sh", "-c", command]

    plain = installation.run(*shell, folder=tmp_path, stdin="typed\n", environment=settings)
    run = installation.run(
        *(installation.script("mxcert"), "run", "--allow-any-program", "--", *shell),
        folder=tmp_path,
        stdin="typed\n",
        environment=settings,
    )

    assert plain == run


_SERVICE = """\
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stdin.readline().strip(), flush=True)
while True:
    signal.pause()
"""


class _Terminal:
    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master

    def type(self, text: bytes) -> None:
        """What a user types."""
        os.write(self._master, text)

    def read_until(self, text: bytes) -> None:
        """Wait for an output; ``AssertionError`` where it stays out."""
        seen = b""
        while text not in seen:
            ready, _, _ = select.select([self._master], [], [], TIMEOUT)
            assert ready, seen
            seen += os.read(self._master, 4096)


#: The first terminal that a session's leader opens is the one that sends it signals. Ctrl-C must
#: not stay ignored where it is so for this process, as for what a shell starts in the background.
_IN_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.dup2(os.open(sys.argv[1], os.O_RDWR), 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


@contextmanager
def _terminal(installation: Installation, settings: dict[str, str]) -> Iterator[_Terminal]:
    """The service above, in the foreground of a terminal, with a line typed into it."""
    own, other = os.openpty()
    with open(own, "r+b", buffering=0) as master, open(other, "r+b", buffering=0) as slave:
        start = [sys.executable, "-c", _IN_TERMINAL, os.ttyname(slave.fileno())]
        with subprocess.Popen(
            [*start, installation.script("mxcert"), "run", "--", "python", "-c", _SERVICE],
            env=installation.environment(settings),
            stdout=slave,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                yield _Terminal(process, master.fileno())
            finally:
                process.kill()


def test_a_terminal(installation: Installation, settings: dict[str, str]) -> None:
    """The program has the terminal: what is typed reaches it, Ctrl-C ends it as it does alone."""
    with _terminal(installation, settings) as terminal:
        terminal.type(b"typed\n")
        terminal.read_until(b"True True typed")

        terminal.type(b"\x03")

        assert -signal.SIGINT == terminal.process.wait(TIMEOUT)


def test_a_signal(installation: Installation, settings: dict[str, str]) -> None:
    """A signal for the process reaches the program, whose exit status is that of its handler."""
    with _terminal(installation, settings) as terminal:
        terminal.type(b"typed\n")
        terminal.read_until(b"True True typed")

        terminal.process.terminate()

        assert 7 == terminal.process.wait(TIMEOUT)
