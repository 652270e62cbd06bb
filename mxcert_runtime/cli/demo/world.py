"""The demo's world: hosts, files and environments, in a folder that goes away with it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from ...base import Secret, dataclass, process_environ
from ...decisions import Decision, build_generation
from ...settings import names, read_settings
from .certificates import DemoAuthority
from .servers import Asks, serving

#: seconds for all calls of one client process; a call takes milliseconds
_CLIENT_TIMEOUT = 60.0
_HERE = Path(__file__).resolve().parent
CLIENT_SCRIPT = _HERE / "client.py"
_NAMES_SCRIPT = _HERE / "names.py"

IDENTITIES = ("billing", "orders", "partner")
#: identifier and identity; the empty one is: never a client certificate
USAGES = {
    "billing.example": "billing",
    "*.orders.example": "orders",
    "partner.example": "partner",
    "public.example": "",
    "plain.example": "partner",
}
SERVERS = {
    "billing.example": Asks.DEMANDS,
    "eu.orders.example": Asks.DEMANDS,
    "partner.example": Asks.ACCEPTS,
    "public.example": Asks.ACCEPTS,
    "plain.example": Asks.NEVER,
}
#: what a Python process cannot start without, on some systems
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")


class DemoError(Exception):
    """The demo cannot run on this machine; the message says why."""


@dataclass(frozen=True)
class World:
    """Running servers and the settings for a client of theirs."""

    folder: Path
    passwords: Sequence[Secret[str]]
    #: host to port
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def authority_path(self) -> Path:
        """The PEM file of the demo's root."""
        return self.folder / "root.pem"

    def plugin_environment(self) -> dict[str, str]:
        """All that the client gets: what Python needs, and the ClientCertificates family."""
        paths = [self._identity_path(name) for name in IDENTITIES]
        usages = {host: name and self._identity_path(name) for host, name in USAGES.items()}
        return {
            **_bare_environment(self.folder),
            names.CERTIFICATES: _as_list(paths),
            names.PASSWORDS: ", ".join(each.reveal() for each in self.passwords),
            names.USAGES: json.dumps(usages),
            names.AUTHORITIES: _as_list([str(self.authority_path)]),
        }

    def plain_environment(self) -> dict[str, str]:
        """What the client gets without the plugin: the libraries themselves get the root."""
        root = str(self.authority_path)
        trust = {"SSL_CERT_FILE": root, "REQUESTS_CA_BUNDLE": root}
        return {**self.plugin_environment(), **trust, names.DISABLE: "1"}

    def decisions(self) -> dict[str, Decision]:
        """For each host what the settings of the client come to."""
        policy = build_generation(read_settings(self.plugin_environment())).policy
        return {host: policy.select(host, port) for host, port in self.ports.items()}

    def run_client(self, environment: Callable[[], Mapping[str, str]]) -> list[dict[str, Any]]:
        """Run the client script in a process of its own; gives the lines that it printed.

        Raises :class:`DemoError` where it fails.
        """
        urls = [f"https://{host}:{port}/" for host, port in self.ports.items()]
        command = [sys.executable, str(self.folder / "client.py"), *urls]
        try:
            done = self._finish(command, environment)
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = f"the client did not run to its end: {type(error).__name__}"
        else:
            if done.returncode == 0:
                return [json.loads(line) for line in done.stdout.splitlines()]
            problem = f"the client failed:\n{done.stderr}"
        raise DemoError(problem)

    def _finish(
        self, command: Sequence[str], environment: Callable[[], Mapping[str, str]]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own script
            command,
            env=environment(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=_CLIENT_TIMEOUT,
            check=False,
        )

    def _identity_path(self, name: str) -> str:
        return str(self.folder / f"{name}.p12")


@contextlib.contextmanager
def open_world() -> Iterator[World]:
    """A world that is gone, with its folder and servers, once the context is left."""
    authority = DemoAuthority()
    with tempfile.TemporaryDirectory(prefix="mxcert-demo-") as name, contextlib.ExitStack() as up:
        folder = Path(name).resolve()
        _write_scripts(folder)
        passwords = _write_identities(folder, authority)
        ports = {
            host: up.enter_context(serving(host, asks, authority)) for host, asks in SERVERS.items()
        }
        yield World(folder, passwords, ports)


def _write_identities(folder: Path, authority: DemoAuthority) -> list[Secret[str]]:
    (folder / "root.pem").write_text(authority.pem, encoding="ascii")
    packs = {name: authority.issue_for_client(name) for name in IDENTITIES}
    for name, pack in packs.items():
        (folder / f"{name}.p12").write_bytes(pack.content.reveal())
    return [pack.password for pack in packs.values()]


def _write_scripts(folder: Path) -> None:
    # Copies, since a script's own folder comes first on its sys.path, and ours has more in it.
    (folder / "client.py").write_bytes(CLIENT_SCRIPT.read_bytes())
    (folder / "sitecustomize.py").write_bytes(_NAMES_SCRIPT.read_bytes())
    folders = [os.path.abspath(each) for each in [*sys.path, str(_HERE.parents[2])]]
    (folder / "folders.json").write_text(json.dumps(folders), encoding="ascii")
    (folder / "settings.toml").touch()


def _bare_environment(folder: Path) -> dict[str, str]:
    inherited = process_environ()
    environment = {name: inherited[name] for name in _KEPT_VARIABLES if name in inherited}
    environment.update(
        PYTHONPATH=str(folder),
        PYTHONDONTWRITEBYTECODE="1",
        # Loopback is not for the machine's proxy, which macOS and Windows name elsewhere.
        NO_PROXY="*",
    )
    # Nor may what is left of the user's own configuration, such as .netrc, have a say.
    environment.update(dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP"), str(folder)))
    if os.path.lexists(names.DEFAULT_FILE):
        # The settings of this machine are not those of the demo.
        environment[names.CONFIG] = str(folder / "settings.toml")
    return environment


def _as_list(paths: Sequence[str]) -> str:
    # The plain form has no escape for a comma, which the name of a temporary folder may hold.
    return json.dumps(paths) if any("," in path for path in paths) else ", ".join(paths)
