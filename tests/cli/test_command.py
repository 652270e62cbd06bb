"""The command line itself: its ways to be started, its usage, and faulty settings around it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.cli.demo import command as demo
from tests.cli.processes import MODULE, run_command
from tests.support.subprocesses import ROOT, client_environment

BROKEN = {"ClientCertificates": "/nonexistent/client.p12"}
_SCRIPT = "import sys\nfrom mxcert_runtime.cli import main\nsys.exit(main())\n"
_IMPORT = "import mxcert_runtime\n"


def _script(folder: Path, name: str, text: str) -> Sequence[str]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return sys.executable, str(path)


@pytest.mark.parametrize("name", ["mxcert", "mxcert.exe", "mxcert-script.py"])
def test_faulty_settings_do_not_end_the_installed_script(tmp_path: Path, name: str) -> None:
    """The console script starts whatever the user's settings are."""
    program = _script(tmp_path, name, _SCRIPT)

    done = run_command(tmp_path, "--version", settings=BROKEN, program=program)

    assert (0, "") == (done.returncode, done.stderr)


def test_faulty_settings_do_not_end_the_module(tmp_path: Path) -> None:
    """``python -m mxcert_runtime`` starts whatever the user's settings are."""
    done = run_command(tmp_path, "--version", settings=BROKEN, program=MODULE)

    assert (0, "") == (done.returncode, done.stderr)


def test_faulty_settings_end_every_other_script(tmp_path: Path) -> None:
    """The twin: a program of another name gets the error of its settings."""
    program = _script(tmp_path, "mxcert.py", _IMPORT)

    done = run_command(tmp_path, settings=BROKEN, program=program)

    assert 1 == done.returncode
    assert "/nonexistent/client.p12" in done.stderr


@pytest.mark.parametrize("module", ["application", "mxcert_runtime_bank", "importlib_bank"])
@pytest.mark.parametrize("place", ["__init__.py", "__main__.py"])
def test_faulty_settings_end_every_other_module(tmp_path: Path, place: str, module: str) -> None:
    """The twin: a program that ``-m`` starts is not taken for the command, wherever it imports."""
    package = tmp_path / module
    package.mkdir()
    for name in ("__init__.py", "__main__.py"):
        (package / name).write_text(_IMPORT if name == place else "", encoding="utf-8")
    program = (sys.executable, "-m", module)
    paths = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}

    done = run_command(tmp_path, settings={**BROKEN, **paths}, program=program)

    assert 1 == done.returncode
    assert "/nonexistent/client.p12" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["demo", "--nonsense"]])
def test_wrong_use_has_exit_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong use is told on stderr with the usage, and stdout stays empty."""
    with pytest.raises(SystemExit) as raised:
        main(arguments)

    printed = capsys.readouterr()
    assert (2, "") == (raised.value.code, printed.out)
    assert "usage: mxcert" in printed.err


@pytest.mark.parametrize(
    ("arguments", "usage", "hint"),
    [
        (["chek"], "usage: mxcert [", "did you mean `check`?"),
        (["check", "--strct"], "usage: mxcert check", "did you mean `--strict`?"),
        (["check", "--expires-in=3d"], "usage: mxcert check", "did you mean `--expires-within`?"),
        (["probe", "--starttls", "smpt", "x"], "usage: mxcert probe", "did you mean `smtp`?"),
        (["check", "--stric"], "usage: mxcert check", "did you mean `--strict`?"),
    ],
)
def test_the_usage_of_the_subcommand(
    arguments: list[str], usage: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistypes sees how that very subcommand is used; an abbreviation is a typing error."""
    with pytest.raises(SystemExit) as raised:
        main(arguments)

    printed = capsys.readouterr().err
    assert (2, True) == (raised.value.code, printed.startswith(usage))
    assert hint in printed


@pytest.mark.parametrize("subcommand", ["check", "explain", "probe"])
def test_a_settings_file_by_option(
    subcommand: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is read as MXCERT_CONFIG's, in whose place it stands; afterwards all is as it was."""
    (tmp_path / "broken.toml").write_text("unlisted_host = 'none'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MXCERT_CONFIG", "/nonexistent/other.toml")
    urls = [] if subcommand == "check" else ["tls://127.0.0.1:1"]
    status = main([subcommand, *urls, "--config", "broken.toml"])
    printed = "".join(capsys.readouterr())
    assert (status, os.environ["MXCERT_CONFIG"]) == (1, "/nonexistent/other.toml")
    assert str(tmp_path / "broken.toml") in printed.replace("\n", "").replace("  ", "")
    assert "/nonexistent/other.toml" not in printed


def test_help_names_the_subcommands(capsys: pytest.CaptureFixture[str]) -> None:
    """The help is no error and lists what there is."""
    with pytest.raises(SystemExit) as raised:
        main(["--help"])

    assert 0 == raised.value.code
    assert "demo" in capsys.readouterr().out


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the command with the exit status that shells give it."""

    def interrupted(arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupted)

    assert 130 == main(["demo"])


@pytest.mark.skipif(os.name != "posix", reason="pipes end by a signal or an error elsewhere")
def test_a_reader_that_has_gone(tmp_path: Path) -> None:
    """``mxcert explain … | true`` ends without a traceback, and not as if all were fine."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*MODULE, "explain", "https://host.example"]
    done = subprocess.run(
        command, cwd=ROOT, env=client_environment(), stdout=writing, stderr=PIPE, timeout=120
    )
    os.close(writing)
    assert (1, b"") == (done.returncode, done.stderr)
