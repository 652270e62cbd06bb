"""NATS as a server that lets in those whose certificates have the subjects that it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from .daemon import Daemon, free_port, program, write_certificates
from .server_tls import ServerTls


class NatsServer(Daemon):
    """One server; ``subjects`` (RFC 4514) are its users, by their certificates."""

    ready = re.compile("Server is ready")

    def __init__(self, tls: ServerTls, subjects: Sequence[str] = ()) -> None:
        super().__init__()
        self._program = program("nats-server")
        self._tls = tls
        self._subjects = subjects
        self.port = 0

    def prepare(self) -> None:
        """Its certificates."""
        write_certificates(self._tls, self.folder)

    def command(self) -> list[str]:
        """With its settings written anew; JSON is a form of them."""
        self.port = free_port()
        folder = str(self.folder)
        settings = {
            "listen": f"127.0.0.1:{self.port}",
            "tls": {
                "cert_file": f"{folder}/leaf.crt",
                "key_file": f"{folder}/leaf.key",
                "ca_file": f"{folder}/clients.pem",
                "verify_and_map": True,
            },
            "authorization": {"users": [{"user": each} for each in self._subjects]},
        }
        (self.folder / "nats.conf").write_text(json.dumps(settings), encoding="utf-8")
        return [self._program, "-D", "-c", f"{folder}/nats.conf"]
