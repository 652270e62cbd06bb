"""A command whose output is the credentials: PEM or PKCS12, as other tools have such plugins too.

It is started without a shell, with little of the environment, and has bounds of time and size. What
it prints is shown nowhere, since a command that fails may have printed a secret before.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence

from ..base import Secret, hidden_text, looks_like_path
from ..errors import IdentityError, IdentityProblem
from .bounded_output import Output, output_of
from .pulled import PulledSource
from .source import Credentials, Options

#: no key with its chain comes near it
MOST_BYTES = 1024 * 1024
_SECONDS = 10.0
#: what a program needs to run at all, and holds no secret
_PASSED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA"),
)
_DISABLE = "MXCERT_DISABLE"
_BY_HAND = "Run it by hand, as the user and with the environment of this program"
#: a program that has one is a path, and no name to be looked for in PATH
_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
_NAME = re.compile(r"[\w.+-]{1,64}")


def open_source(options: Options) -> CommandSource:
    """The source that settings describe: ``command``, ``timeout`` and ``pass_environment``."""
    command = options.texts("command", least=1)
    if command and any(each in command[0] for each in _SEPARATORS):
        command = (options.located(command[0]), *command[1:])
    passed = options.texts("pass_environment")
    environ = _environment(options.environ, passed)
    seconds = options.seconds("timeout", _SECONDS)
    return CommandSource(
        command=command, environ=environ, seconds=seconds, password=options.password
    )


def _environment(environ: Mapping[str, str], passed: Sequence[str]) -> dict[str, str]:
    # A command that imports this package would start itself without end.
    names = (*_PASSED, *passed)
    return {_DISABLE: "1", **{name: environ[name] for name in names if name in environ}}


class CommandSource(PulledSource):
    """Runs a command whenever new credentials are wanted."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        seconds: float,
        password: Secret[str] | None = None,
    ) -> None:
        super().__init__()
        self._command = tuple(command)
        self._environ = dict(environ)
        self._seconds = seconds
        self._password = password

    def shown(self) -> str:
        """The program alone: an argument may be a secret."""
        # Where somebody has written a line for a shell, the arguments stand in the program too.
        program, blank, _ = (self._command[0] if self._command else "").partition(" ")
        is_name = _NAME.fullmatch(program) or looks_like_path(program)
        return f"the command {repr(program + blank) if is_name else hidden_text(program)}"

    def fetch(self) -> Credentials:
        """What the command prints."""
        output = self._run()
        if output is None:
            problem = f"has not ended within {self._seconds:g} seconds"
            raise self._failed(problem, f"Raise its `timeout`, or mend it. {_BY_HAND}")
        if len(output.printed.reveal()) > MOST_BYTES:
            problem = f"prints more than {MOST_BYTES // 1024} KiB"
            raise self._failed(problem, "Let it print one key with its certificates")
        if output.status != 0:
            remedy = f"{_BY_HAND}; what it printed is not shown"
            raise self._failed(_described(output.status), remedy)
        if not output.printed:
            raise self._failed("prints nothing", "Let it print PEM or PKCS12 to standard output")
        return Credentials(output.printed, self._password)

    def _run(self) -> Output | None:
        arguments = (self._program(), *self._command[1:])
        try:
            return output_of(arguments, self._environ, seconds=self._seconds, most=MOST_BYTES)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
        # Outside, so that the error does not lead to frames with the environment of the command.
        raise self._failed(f"cannot be started: {reason}", _BY_HAND)

    def _program(self) -> str:
        found = shutil.which(self._command[0], path=self._environ.get("PATH"))
        if found is None:
            remedy = "Write the whole path of the program, and let this user run it"
            raise self._failed("is not there, or may not be run", remedy)
        return found

    def _failed(self, problem: str, remedy: str) -> IdentityError:
        message = f"{self.shown()} {problem}"
        return IdentityError(IdentityProblem.UNREADABLE, message, remedy)


def _described(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
