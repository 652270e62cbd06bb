"""The settings as a drop-in of a systemd unit: files are passed by ``LoadCredential=``.

The service then need not have the right to read them, and its variables hold no secret:
systemd.exec(5), "Credentials".
"""

from __future__ import annotations

import shlex
from dataclasses import replace

from ...base import Secret
from ..writing.next_steps import probe_command
from .native import native_text
from .wanted import (
    CannotSayError,
    Formatted,
    Wanted,
    family_variables,
    plain_ending,
    refuse_lists,
)

_PASSWORD, _SETTINGS, _AUTHORITIES = "password", "mxcert.toml", "ca"
_PREFIX = "credential:"


def drop_in(wanted: Wanted, path: str | None) -> Formatted:
    """A ``[Service]`` section."""
    if wanted.includes_secrets:
        problem = "a unit is readable for everybody, and systemd passes the files themselves"
        raise CannotSayError(f"{problem}. Leave --include-secrets out.")
    inside = _inside(wanted)
    lines = ["[Service]", *_loads(wanted), *_settings(inside), "Environment=MXCERT_AUTOSTART=1"]
    properties = (*_loads(wanted), *_settings(inside))
    options = " ".join(f"-p {shlex.quote(each)}" for each in properties)
    place = path or "/etc/systemd/system/PROGRAM.service.d/mxcert.conf"
    steps = (
        f"systemctl daemon-reload && systemctl restart PROGRAM   # the drop-in is {place}",
        f"systemd-run --pty --wait {options} mxcert check",
        f"systemd-run --pty --wait {options} {probe_command(wanted.hosts)}",
    )
    return Formatted(Secret("\n".join(lines) + "\n"), False, steps)


def _credentials(wanted: Wanted) -> list[tuple[str, str]]:
    """The name of each credential, and the path of its file."""
    found = [(_name(key, path), path) for key, path in wanted.material]
    if wanted.password is not None:
        found.append((_PASSWORD, wanted.password_file))
    return found + [(f"{_AUTHORITIES}{n}.pem", each) for n, each in enumerate(wanted.authorities)]


def _name(key: str, path: str) -> str:
    return f"{'client' if key == 'pkcs12' else key}{plain_ending(path)}"


def _loads(wanted: Wanted) -> list[str]:
    for _, path in _credentials(wanted):
        # A backslash at its end would take the next line along, and a blank there is cut off.
        if not path.isprintable() or path != path.rstrip("\\ "):
            raise CannotSayError(f"a unit cannot name {path!r}. Move the file to a plainer path.")
    return [f"LoadCredential={name}:{_literal(path)}" for name, path in _credentials(wanted)]


def _inside(wanted: Wanted) -> Wanted:
    """The same with credentials in the place of the paths."""
    authorities = [f"{_AUTHORITIES}{n}.pem" for n in range(len(wanted.authorities))]
    return replace(
        wanted,
        material=tuple((key, _PREFIX + _name(key, path)) for key, path in wanted.material),
        password_file=_PREFIX + _PASSWORD,
        authorities=tuple(_PREFIX + each for each in authorities),
    )


def _settings(inside: Wanted) -> list[str]:
    path = inside.pkcs12
    try:
        refuse_lists(inside.password)
    except CannotSayError:
        path = None
    if path is None:
        text = _escaped(native_text(inside).reveal())
        variable = f"Environment=MXCERT_CONFIG={_PREFIX}{_SETTINGS}"
        return [f"SetCredential={_SETTINGS}:{text}", variable]
    variables = family_variables(inside, path, inside.password_file)
    return [f"Environment={_quoted(f'{name}={value}')}" for name, value in variables]


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    return f'"{_literal(_escaped(text))}"'


def _escaped(text: str) -> str:
    """As systemd reads it, in quotes or without: with the escapes of C."""
    return text.replace("\\", "\\\\").replace('"', "\\x22").replace("\n", "\\n")
