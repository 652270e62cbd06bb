"""Redis as a server: it lets in who presents a certificate of the clients' authorities.

It tells no client which certificate that was: being let in is the proof, being refused its twin.
"""

from __future__ import annotations

import re

from .daemon import Daemon, free_port, program, write_certificates
from .server_tls import Demand, ServerTls

_DEMANDS = {Demand.DEMAND: "yes", Demand.ACCEPT: "optional", Demand.ASK_NOT: "no"}


class RedisServer(Daemon):
    """One server, which keeps nothing."""

    ready = re.compile("Ready to accept connections")

    def __init__(self, tls: ServerTls) -> None:
        super().__init__()
        self._program = program("redis-server")
        self._tls = tls
        self.port = 0

    def prepare(self) -> None:
        """Its certificates."""
        write_certificates(self._tls, self.folder)

    def command(self) -> list[str]:
        """All settings, none of this machine's."""
        self.port = free_port()
        folder = self.folder
        files = f"--tls-cert-file {folder}/leaf.crt --tls-key-file {folder}/leaf.key"
        files += f" --tls-ca-cert-file {folder}/clients.pem --dir {folder}"
        demand = _DEMANDS[self._tls.effective_demand]
        place = f"--bind 127.0.0.1 --port 0 --tls-port {self.port} --tls-auth-clients {demand}"
        return [self._program, *files.split(), *place.split(), "--save", ""]
