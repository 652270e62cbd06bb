"""Mosquitto as an MQTT broker whose clients have the names of their certificates."""

from __future__ import annotations

import re
import signal

from .daemon import Daemon, free_port, program, write_certificates
from .server_tls import Demand, ServerTls

_SETTINGS = """
listener {port} 127.0.0.1
cafile {folder}/clients.pem
certfile {folder}/leaf.crt
keyfile {folder}/leaf.key
require_certificate {demand}
use_identity_as_username {demand}
allow_anonymous true
persistence false
log_dest stderr
log_type all
"""
#: how it logs a client that it lets in
_CLIENT = re.compile(r"New client connected from .*?(?:u'(.*)')?\)\.$")


class MosquittoServer(Daemon):
    """One broker; a certificate is demanded of all, or asked for of nobody."""

    ready = re.compile("mosquitto version .* running")
    #: asked to end before its loop has begun, it would forget that
    ending = signal.SIGKILL

    def __init__(self, tls: ServerTls) -> None:
        super().__init__()
        self._program = program("mosquitto")
        self._tls = tls
        self.port = 0

    @property
    def user(self) -> str | None:
        """The common name of the first client that was let in, once one was."""
        return self.line(_CLIENT)[1]

    def prepare(self) -> None:
        """Its certificates."""
        write_certificates(self._tls, self.folder)

    def command(self) -> list[str]:
        """With its settings written anew."""
        self.port = free_port()
        demand = str(self._tls.effective_demand is Demand.DEMAND).lower()
        settings = _SETTINGS.format(folder=self.folder, port=self.port, demand=demand)
        (self.folder / "mosquitto.conf").write_text(settings, encoding="utf-8")
        return [self._program, "-c", str(self.folder / "mosquitto.conf")]
