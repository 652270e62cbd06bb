"""A command prints key and certificates: what the server sees, and every way to fail."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate, is_active
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityError, IdentityProblem
from mxcert_runtime.identity.command import MOST_BYTES, CommandSource
from mxcert_runtime.settings.loading import settings_from
from tests.settings.readings import read_file, sound
from tests.sources.commands import MARK, Printer, program, settings
from tests.sources.conftest import Ask
from tests.support.pki import Leaf

_SECONDS = 60.0
#: reports its own number, and what it was started with
_REPORT = """
import json, os, pathlib, sys
told = {"environment": dict(os.environ), "input": sys.stdin.read(), "arguments": sys.argv[2:]}
pathlib.Path(sys.argv[1]).write_text(json.dumps(told))
"""
#: starts another process that has the output open too, both with the pipe, and waits or ends
_HANG = """
import os, signal, sys
os.open(sys.argv[1], os.O_WRONLY)
if os.fork() and sys.argv[2] == "end":
    os._exit(0)
signal.pause()
"""
#: prints, and leaves a process that has the pipe open and not the output, which writes its number
_AGENT = """
import os, signal, sys
pipe, (reading, writing) = os.open(sys.argv[1], os.O_WRONLY), os.pipe()
if os.fork() == 0:
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    os.write(pipe, b"%d" % os.getpid())
    os.close(writing)
    signal.pause()
os.close(writing)
os.read(reading, 1)
print(open(sys.argv[2]).read())
"""


def failure(command: list[str], seconds: float = _SECONDS) -> IdentityError:
    """The error of a command that must fail."""
    with pytest.raises(IdentityError) as caught:
        CommandSource(command, dict(os.environ), seconds).read()
    return caught.value


class Pipe:
    """A pipe by name, which tells when the last process that has it open has gone."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "pipe"
        os.mkfifo(self.path)
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self) -> bytes:
        """What comes, or nothing as soon as nobody is left who could write."""
        ready, _, _ = select.select([self._descriptor], [], [], _SECONDS)
        assert ready == [self._descriptor], "somebody goes on, and says nothing"
        return os.read(self._descriptor, 100)


class TestOutput:
    def test_pem(self, printer: Printer, ask: Ask, alpha: Leaf) -> None:
        """The server sees the certificate that the command printed; one run is enough."""
        printer.print_leaf(alpha)
        activate(settings=settings(printer.command, "localhost"))
        assert ([alpha.fingerprint] * 3, 1) == ([ask(), ask(), ask()], printer.runs)

    def test_nobody_else_gets_it(self, printer: Printer, ask: Ask, alpha: Leaf) -> None:
        """The twin: a host without a rule gets nothing."""
        printer.print_leaf(alpha)
        activate(settings=settings(printer.command, "other.test"))
        assert ask() is None

    def test_pkcs12_under_the_password_of_the_identity(
        self, printer: Printer, ask: Ask, gamma: Leaf
    ) -> None:
        """A PKCS12 file is opened with ``password``; its chain goes along."""
        printer.content.write_bytes(gamma.pkcs12("of the file"))
        described = settings(printer.command, "localhost")
        described["identity"]["password"] = "of the file"
        activate(settings=described)
        assert gamma.fingerprint == ask()

    def test_pkcs12_under_another_password(self, printer: Printer, gamma: Leaf) -> None:
        """The twin: a wrong password is a fault, and nothing is put in force."""
        printer.content.write_bytes(gamma.pkcs12("of the file"))
        described = settings(printer.command, "localhost")
        described["identity"]["password"] = "another"
        with pytest.raises(SettingsError, match="password"):
            activate(settings=described)
        assert not is_active()

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", IdentityProblem.UNREADABLE),
            (b"no credentials", IdentityProblem.DAMAGED),
            (b"certificate", IdentityProblem.NO_KEY),
            (b"key", IdentityProblem.NO_CERTIFICATE),
        ],
    )
    def test_what_is_no_identity(
        self, printer: Printer, alpha: Leaf, content: bytes, problem: IdentityProblem
    ) -> None:
        """Output that cannot be used is an error that names the command."""
        parts = {b"certificate": alpha.pem(), b"key": alpha.key_pem()}
        printer.content.write_bytes(parts.get(content, content))
        error = failure(printer.command)
        assert problem is error.problem
        assert repr(sys.executable) in str(error)


class TestFailures:
    def test_a_status_other_than_nothing(self, alpha: Leaf, tmp_path: Path) -> None:
        """What it has printed by then does not count, and is not shown, whatever it is."""
        (tmp_path / "output").write_bytes(alpha.key_pem() + alpha.pem())
        text = (
            "import sys, pathlib\n"
            "print(pathlib.Path(sys.argv[1]).read_text())\n"
            f"print({MARK!r}); print({MARK!r}, file=sys.stderr); sys.exit(3)"
        )
        command = program(text, str(tmp_path / "output"), MARK)
        with pytest.raises(SettingsError) as caught:
            activate(settings=settings(command, "localhost"))
        assert "ended with status 3" in str(caught.value)
        assert not is_active()
        told = traceback.TracebackException.from_exception(caught.value, capture_locals=False)
        key_lines = alpha.key_pem().decode().splitlines()[1:-1]
        for secret in (MARK, *key_lines):
            assert secret not in "".join(told.format())

    def test_no_trace_has_the_output(self) -> None:
        """The variables of a traceback do not have it either."""
        error = failure(program("import sys; print('hunter2' + '-and-more'); sys.exit(1)"))
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert MARK not in "".join(told.format())

    def test_a_signal(self) -> None:
        """A command that was killed says by what."""
        error = failure(program("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
        assert f"was ended by signal {int(signal.SIGKILL)}" in str(error)

    @pytest.mark.parametrize("then", ["wait", "end"])
    def test_one_that_hangs(self, tmp_path: Path, then: str) -> None:
        """Past its time it is ended with what it started, also where it has ended and that not."""
        with Pipe(tmp_path) as pipe:
            # Else the pipe would have no end where the command has not begun within its time.
            writing = os.open(pipe.path, os.O_WRONLY)
            error = failure(program(_HANG, str(pipe.path), then), seconds=2.0)
            os.close(writing)
            assert "has not ended within 2 seconds" in str(error)
            assert b"" == pipe.read()

    def test_one_that_prints_without_end(self) -> None:
        """It is ended as soon as the bound is passed."""
        error = failure(program("while True: print('x' * 10_000)"))
        assert f"prints more than {MOST_BYTES // 1024} KiB" in str(error)

    def test_one_that_prints_as_much_as_is_taken(self, printer: Printer, alpha: Leaf) -> None:
        """The twin: at the bound the output is read whole, and used."""
        content = alpha.key_pem() + alpha.pem()
        printer.content.write_bytes(content + b"\n" * (MOST_BYTES - len(content)))
        source = CommandSource(printer.command, dict(os.environ), _SECONDS)
        assert MOST_BYTES == len(source.read().sealed.reveal())

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        """A program that is not there, or may not be run, is told without its arguments."""
        script = tmp_path / "script"
        script.write_text("#!/bin/sh\n")
        for name in (str(script), str(tmp_path / "missing"), "no-such-program"):
            error = failure([name, MARK])
            assert f"the command {name!r} is not there, or may not be run" in str(error)
            assert MARK not in str(error)

    def test_a_line_for_a_shell(self, tmp_path: Path) -> None:
        """A text is one program, whatever a shell would read in it; only its first word is told."""
        marker = tmp_path / "marker"
        error = failure([f"/bin/sh -c 'touch {marker}; echo {MARK}'"])
        assert "the command '/bin/sh ' is not there" in str(error)
        assert (False, False) == (marker.exists(), MARK in str(error))

    def test_what_has_no_format(self, tmp_path: Path) -> None:
        """A file that may be run and is no program is the system's own reason."""
        (tmp_path / "script").write_bytes(b"\0\1\2")
        (tmp_path / "script").chmod(0o700)
        error = failure([str(tmp_path / "script")])
        assert "cannot be started" in str(error)
        assert error.__context__ is None


class TestSurroundings:
    def _report(self, folder: Path, environ: Mapping[str, str], **options: Any) -> dict[str, Any]:
        command = program(_REPORT, str(folder / "report"), "$(touch marker)", "`id`", "a b")
        reading = settings_from(settings(command, **options), environ=environ)
        (identity,) = reading.settings.identities
        with pytest.raises(IdentityError):
            identity.material.read()
        told: dict[str, Any] = json.loads((folder / "report").read_text())
        return told

    def test_little_of_the_environment(self, tmp_path: Path) -> None:
        """What it needs to run, and that a plugin in it stays out; no setting and no secret."""
        environ = {
            **{"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8"},
            **{"MXCERT_CONFIG": "/x", "MXCERT_AUTOSTART": "1", "AWS_SECRET_ACCESS_KEY": MARK},
        }
        told = self._report(tmp_path, environ)["environment"]
        kept = {name: environ[name] for name in ("PATH", "HOME", "LANG")}
        assert {**kept, "MXCERT_DISABLE": "1"} == {
            name: told[name] for name in told if name != "LC_CTYPE"
        }

    def test_what_is_passed_by_name(self, tmp_path: Path) -> None:
        """The twin: a variable that the settings name is there; one that is not set is no fault."""
        environ = {"PATH": os.environ["PATH"], "VAULT_TOKEN": MARK, "OTHER": "x"}
        names = ["VAULT_TOKEN", "NOT_SET"]
        told = self._report(tmp_path, environ, pass_environment=names)["environment"]
        assert (MARK, False, False) == (told["VAULT_TOKEN"], "OTHER" in told, "NOT_SET" in told)

    def test_no_input_and_no_shell(self, tmp_path: Path) -> None:
        """It has nothing to read, and its arguments as they are."""
        told = self._report(tmp_path, {"PATH": os.environ["PATH"]})
        assert ("", ["$(touch marker)", "`id`", "a b"]) == (told["input"], told["arguments"])
        assert not (tmp_path / "marker").exists()

    def test_what_goes_on_after_it(self, tmp_path: Path, alpha: Leaf) -> None:
        """What a command that ended well has left running, such as an agent, is not ended."""
        (tmp_path / "output").write_bytes(alpha.key_pem() + alpha.pem())
        with Pipe(tmp_path) as pipe:
            command = program(_AGENT, str(pipe.path), str(tmp_path / "output"))
            CommandSource(command, dict(os.environ), _SECONDS).read()
            agent = int(pipe.read())
            os.kill(agent, signal.SIGKILL)
            assert b"" == pipe.read()


class TestSettings:
    def test_a_program_beside_the_settings_file(
        self, tmp_path: Path, printer: Printer, alpha: Leaf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A path is as seen from the settings file, wherever the program that reads it is."""
        (tmp_path / "bin").mkdir()
        script = tmp_path / "bin" / "print-it"
        script.write_text(f"#!/bin/sh\nexec {shlex.join(printer.command)}\n")
        script.chmod(0o700)
        printer.print_leaf(alpha)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        text = '[[identity]]\nsource = { kind = "command", command = "bin/print-it" }\n'
        reading = sound(read_file(tmp_path, "x.toml", text, PATH=os.environ["PATH"]))
        (identity,) = reading.settings.identities
        identity.material.read()
        assert 1 == printer.runs

    def test_a_name_is_not_looked_for_beside_it(self, tmp_path: Path) -> None:
        """The twin: without a separator it is one of PATH, and not of the folder."""
        (tmp_path / "print-it").write_text("#!/bin/sh\n")
        (tmp_path / "print-it").chmod(0o700)
        text = '[[identity]]\nsource = { kind = "command", command = "print-it" }\n'
        reading = sound(read_file(tmp_path, "x.toml", text, PATH=os.environ["PATH"]))
        (identity,) = reading.settings.identities
        with pytest.raises(IdentityError, match="'print-it' is not there"):
            identity.material.read()

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({}, "source, command: is missing"),
            ({"command": []}, "source, command: is too short"),
            ({"command": [7]}, "command, entry 1: is a number, not text"),
            ({"command": "a", "timeout": 0}, "source, timeout: is out of bounds"),
            ({"command": "a", "timeout": "soon"}, "source, timeout: is text"),
            ({"command": "a", "timeout": True}, "source, timeout: is true or false"),
            ({"command": "a", "time_out": 5}, "Write `timeout`, if that is meant"),
            ({"command": "a", "shell": True}, "has the unknown key `shell`"),
        ],
    )
    def test_wrong_options(self, options: dict[str, Any], problem: str) -> None:
        """Each is a fault at its key, and nothing is run."""
        source = {"kind": "command", **options}
        (fault,) = settings_from({"identity": {"source": source}}, environ={}).faults
        assert problem in str(fault)

    def test_beside_files(self) -> None:
        """A source and a file are two answers to one question."""
        source = {"kind": "command", "command": "a"}
        for other in ("pkcs12", "certificate", "key"):
            described = {"identity": {"source": source, other: "/x.p12"}}
            (fault,) = settings_from(described, environ={}).faults
            assert "has both a source and files" in fault.problem

    def test_what_is_shown(self) -> None:
        """Of the command its program, of the rest nothing: an argument may be a secret."""
        reading = settings_from(settings(["vault", MARK]), environ={})
        (identity,) = reading.settings.identities
        assert ("the command 'vault'", ()) == (identity.material.shown(), identity.material.files())
        assert MARK not in repr(reading)
        assert "the command of 19 characters, which may be a password" in (
            CommandSource(["hunter2!hunter2!!!!"], {}, 1.0, Secret("x")).shown()
        )
