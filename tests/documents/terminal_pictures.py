"""Pictures of the command, as a terminal has them, for docs/commands.md and docs/start.md.

``python -m tests.documents.terminal_pictures`` makes them: `mxcert check`, `probe` and `init` run
on a terminal of their own, against a server on loopback, and rich draws what they write there.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import secrets
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority
from tests.support.server_tls import Demand
from tests.support.subprocesses import client_environment

from .pages import DOCS

COLUMNS, _LINES = 110, 60
_PASSWORD = "its password"
HOST, _SHOWN_FOLDER, _SHOWN_PORT = "api.billing.example", "/run/secrets", "10443"
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def draw_all() -> None:
    """All pictures. The identity does not fit, so that the verdict has something to say."""
    servers, clients = Authority("Partner Root"), Authority("Partner Client CA")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder())
        factory = ServerFactory(OpensslServer, stack, servers, clients)
        port = factory(hosts=[HOST], demand=Demand.DEMAND).port
        variables = _variables(folder, servers, clients)
        commands = {
            "check": variables,
            f"probe https://{HOST}:{port}/": variables,
            f"init billing.pfx --host {HOST} --write mxcert.toml": {},
        }
        for line, given in commands.items():
            command = line.split()
            told = _on_terminal(command, given, folder)
            told = told.replace(str(folder), _SHOWN_FOLDER)
            title = f"mxcert {line}"
            picture = _drawn(told, title).replace(str(port), _SHOWN_PORT)
            (DOCS / f"{command[0]}.svg").write_text(picture, encoding="utf-8")


def _variables(folder: Path, servers: Authority, clients: Authority) -> dict[str, str]:
    files = ClientFiles(folder, _PASSWORD)
    billing = Authority("Our CA").issue("billing", server=False)
    orders = clients.issue("orders", server=False)
    for name, leaf in {"billing.p12": billing, "orders.p12": orders}.items():
        files.pkcs12(leaf, name).chmod(0o600)
    intermediate = clients.intermediate("Partner Client CA 2")
    chained = intermediate.issue("billing", server=False)
    ClientFiles(folder, _PASSWORD).pkcs12(chained, "billing.pfx").chmod(0o600)
    authority = files.authority(servers).rename(folder / "partner-root.pem")
    variables = files.variables(billing, orders, usages={HOST: billing})
    return {**variables, "CACertificates": str(authority)}


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """One with a name as long as the one that is shown, so that columns stay where they are."""
    parent = tempfile.gettempdir()
    folder = Path(parent, secrets.token_hex(8)[: len(_SHOWN_FOLDER) - len(parent) - 1])
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _on_terminal(command: list[str], variables: Mapping[str, str], folder: Path) -> str:
    """What the command writes to a terminal of our width, run in this folder."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, COLUMNS, 0, 0))
    environment = client_environment({**variables, "TERM": "xterm-256color"}, host_patterns=(HOST,))
    process = subprocess.Popen(
        [sys.executable, "-m", "mxcert_runtime", *command],
        stdin=its,
        stdout=its,
        stderr=its,
        env=environment,
        cwd=folder,
        start_new_session=True,  # so that it asks here, and not where this was started
    )
    os.close(its)
    told = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
        while chunk := os.read(ours, 65536):
            told += chunk
            if told.endswith(b".pfx: "):
                os.write(ours, f"{_PASSWORD}\n".encode())
    os.close(ours)
    process.wait(60)
    return told.decode().replace("\r\n", "\n")


def _drawn(told: str, title: str) -> str:
    """The picture, which asks no other server for a font."""
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(told), soft_wrap=False)
    return _FONTS.sub("", console.export_svg(title=title, unique_id=title.split()[1]))


if __name__ == "__main__":
    draw_all()
