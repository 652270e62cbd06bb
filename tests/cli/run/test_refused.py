"""``mxcert run``: what it refuses to start, and what may be allowed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.run.refusals import BROKEN, assert_refused
from tests.support.installation import Installation, Installations


def test_broken_settings(installation: Installation) -> None:
    """The program is not started, whatever it is, and the report is on stderr."""
    done = installation.run(
        installation.script("mxcert"), "run", "--", "echo", "started", environment=BROKEN
    )

    assert_refused(done, "mxcert run: 1 fault in the settings", "/nonexistent/client.p12")


def test_broken_settings_as_json(installation: Installation) -> None:
    """The report is data with --json; options stand in front, and ``--`` is left out."""
    done = installation.run(
        *(installation.script("mxcert"), "run", "--config", "/nonexistent.toml", "--json"),
        *("echo", "started"),
    )

    assert_refused(done)
    report = json.loads(done.stderr)
    assert (False, 1) == (report["ok"], len(report["errors"]))
    assert "/nonexistent.toml" in report["errors"][0]["problem"] + report["errors"][0]["origin"]


def test_no_settings(installation: Installation) -> None:
    """Who starts a program by ``mxcert run`` expects identities."""
    done = installation.run(installation.script("mxcert"), "run", "echo", "started")

    assert_refused(done, "there are none", "--allow-no-settings")


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
    assert_refused(
        done, expected.python, "would run without identities", installations.wheel.python
    )


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

    assert_refused(done, _FOREIGN, "is no Python", "--allow-any-program")


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

    assert_refused(done, "MXCERT_AUTOSTART", installation.python)


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
