"""The settings as environment variables: for a shell, or for a file of them."""

from __future__ import annotations

import shlex

from ...base import Secret
from ...settings import names
from ..writing.native import ENDING
from ..writing.next_steps import probe_command
from .native import native_text
from .wanted import (
    CannotSayError,
    Formatted,
    Wanted,
    family_variables,
    password_variable,
)

_SHELL = "# run the lines above in the shell that starts the program"


def shell_lines(wanted: Wanted, path: str | None) -> Formatted:
    """``export`` lines, as a shell takes them."""
    lines = [f"export {name}={shlex.quote(value.reveal())}" for name, value in _variables(wanted)]
    load = f". {shlex.quote(path)}" if path else _SHELL
    return _formatted(wanted, lines, load)


def file_lines(wanted: Wanted, path: str | None) -> Formatted:
    """``NAME=VALUE`` lines, in which nothing is quoted: what ``docker run --env-file`` takes."""
    variables = _variables(wanted)
    if any("\n" in value.reveal() for _, value in variables):
        raise CannotSayError(
            "a value has a line break, for which this format has no way. Use toml."
        )
    lines = [f"{name}={value.reveal()}" for name, value in variables]
    option = f"--env-file {shlex.quote(path or 'mxcert.env')}"
    return _formatted(wanted, lines, f"docker run {option} IMAGE")


def _variables(wanted: Wanted) -> list[tuple[str, Secret[str]]]:
    path = wanted.pkcs12
    if path is None:
        problem = "variables name PKCS12 files alone, and this is PEM"
        raise CannotSayError(f"{problem}. Use --format toml, or convert it to PKCS12.")
    variables = family_variables(wanted, path, wanted.password_file)
    found = [(name, Secret(value)) for name, value in variables]
    if wanted.password is not None and wanted.includes_secrets:
        found.append(password_variable(wanted.password))
    return found


def _formatted(wanted: Wanted, lines: list[str], load: str) -> Formatted:
    holds_secret = wanted.password is not None and wanted.includes_secrets
    steps = (load, "mxcert check", probe_command(wanted.hosts))
    return Formatted(Secret("\n".join(lines) + "\n"), holds_secret, steps)


def toml(wanted: Wanted, path: str | None) -> Formatted:
    """The native file, which a variable names."""
    if path is not None and not path.lower().endswith(ENDING):
        raise CannotSayError(f"`{path}` would not be read as TOML. Name a file in {ENDING}.")
    named = shlex.quote(path or names.DEFAULT_FILE)
    steps = (f"export {names.CONFIG}={named}", "mxcert check", probe_command(wanted.hosts))
    return Formatted(native_text(wanted), _is_in_clear(wanted), steps)


def _is_in_clear(wanted: Wanted) -> bool:
    return wanted.password is not None and wanted.includes_secrets
