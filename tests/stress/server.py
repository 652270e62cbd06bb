"""A server in a process of its own, so that the clients of the test have a core for themselves.

``python -m tests.stress.server FOLDER`` makes its own certificates, writes the clients' files into
the folder and prints a line of JSON: what a client needs. At the end of its input it prints how
many connections it had, and ends. Every answer is the client's fingerprint, or ``none``.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from tests.support.client_files import ClientFiles
from tests.support.listener import Listener
from tests.support.pki import Authority
from tests.support.server_tls import Demand, ServerEnd, ServerTls, close_politely, observe
from tests.support.subprocesses import ROOT, client_environment

HOSTS = ALPHA_HOST, BETA_HOST = ("alpha.test", "beta.test")
GAMMA_SERVICE, NO_SERVICE, UNKNOWN_SERVICE = SERVICES = ("Gamma", "Nobody", "Whoever")


@dataclass
class Running:
    """The server's process; ``told`` is what it said at its start."""

    process: Popen[str]
    told: dict[str, Any]

    def url(self, host: str) -> str:
        """The URL of the server under one of its names."""
        return f"https://{host}:{self.told['port']}/"

    def stop(self) -> int:
        """Let it end; how many connections it had."""
        output, _ = self.process.communicate(timeout=120)
        return int(output)


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """The server, as long as the context lasts."""
    command = [sys.executable, "-m", "tests.stress.server", str(folder)]
    with Popen(
        command, stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT, env=client_environment()
    ) as process:
        try:
            assert process.stdout is not None
            yield Running(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()


def _main() -> None:
    root, clients = Authority("Server root"), Authority("Client root")
    leaf = root.issue("server", hosts=HOSTS)
    end = ServerEnd(ServerTls(leaf, (clients,), Demand.ACCEPT))

    def serve(plain: socket.socket, number: int) -> None:
        # A client with hundreds of tasks on a busy machine takes long to get to its next message.
        plain.settimeout(IDLE_SECONDS)
        connection = end.handshake(plain, number)
        if connection is None:
            return
        body = (observe(connection, number).fingerprint or "none").encode("ascii")
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        try:
            _answer_all(connection, answer)
        finally:
            close_politely(connection)

    with Listener(serve) as listener:
        print(json.dumps(_describe(Path(sys.argv[1]), root, clients, listener.port)), flush=True)
        sys.stdin.read()
        print(listener.connections)


#: Longer than a whole test may take: a kept connection must not end while a busy machine gets to
#: its next request, since a client that has just begun to send it cannot know.
IDLE_SECONDS = 300.0


def _answer_all(connection: socket.socket, answer: bytes) -> None:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
        while b"\r\n\r\n" in received:
            received = received.partition(b"\r\n\r\n")[2]
            connection.sendall(answer)


def _describe(folder: Path, root: Authority, clients: Authority, port: int) -> dict[str, Any]:
    files = ClientFiles(folder)
    alpha, beta, gamma = (clients.issue(name, server=False) for name in ("alpha", "beta", "gamma"))
    settings = {
        "unlisted_hosts": "none",
        "identity": [
            files.identity("alpha", alpha, hosts=[ALPHA_HOST]),
            files.identity("beta", beta, hosts=[BETA_HOST]),
            files.identity("gamma", gamma, services=[GAMMA_SERVICE]),
        ],
        "no_certificate": {"services": [NO_SERVICE]},
    }
    own = {ALPHA_HOST: alpha.fingerprint, BETA_HOST: beta.fingerprint}
    by_service = {
        GAMMA_SERVICE: dict.fromkeys(HOSTS, gamma.fingerprint),
        NO_SERVICE: dict.fromkeys(HOSTS, "none"),
        UNKNOWN_SERVICE: own,
    }
    ca_file = str(files.authority(root))
    told = {"port": port, "ca_file": ca_file, "settings": settings, "expected": by_service}
    return {**told, "leaves": [_write_leaf(folder, clients, each) for each in range(LEAVES)]}


#: certificates for whoever renews one again and again
LEAVES = 40


def _write_leaf(folder: Path, clients: Authority, number: int) -> dict[str, str]:
    """Certificate and key as texts, and the fingerprint by which the server answers."""
    leaf = clients.issue(f"renewed {number}", server=False)
    texts = {"certificate": leaf.pem().decode(), "key": leaf.key_pem().decode()}
    return {**texts, "fingerprint": leaf.fingerprint}


if __name__ == "__main__":
    _main()
