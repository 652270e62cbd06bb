"""OpenLDAP's slapd as a server, which says to a client by which certificate it is bound.

A client that is bound by its certificate (SASL EXTERNAL) asks ``who am i`` (RFC 4532) and is
answered with the subject. There is no database behind it.
"""

from __future__ import annotations

import re
from pathlib import Path

from .daemon import Daemon, free_port, program
from .pki import pem
from .server_tls import Demand, ServerTls

_DEMANDS = {Demand.DEMAND: "demand", Demand.ACCEPT: "try", Demand.ASK_NOT: "never"}
_SETTINGS = """
pidfile {folder}/pid
# A subject with an attribute that no schema knows is nobody's.
attributetype ( 2.5.4.10 NAME ( 'o' 'organizationName' ) SUP name )
TLSCertificateFile {folder}/leaf.crt
TLSCertificateKeyFile {folder}/leaf.key
TLSCACertificateFile {folder}/clients.pem
TLSVerifyClient {demand}
"""


def subject_as_shown(subject: str) -> str:
    """The subject of a certificate (RFC 4514) as ``who am i`` answers with it."""
    parts = (each.partition("=") for each in subject.split(","))
    return "dn:" + ",".join(f"{name.lower()}={value}" for name, _, value in parts)


class SlapdServer(Daemon):
    """One server: ``ldaps`` on :attr:`port`, and ``ldap`` with StartTLS on :attr:`plain_port`."""

    #: it accepts only some time after it has said that it starts
    ready = re.compile("daemon: epoll: listen=")

    def __init__(self, tls: ServerTls) -> None:
        super().__init__()
        self._program = program("slapd")
        self._tls = tls
        self.port = self.plain_port = 0

    def prepare(self) -> None:
        """Its settings and certificates."""
        self._tls.leaf.write_pem(self.folder)
        authorities = (each.certificate for each in self._tls.client_authorities)
        (self.folder / "clients.pem").write_bytes(pem(*authorities))
        demand = _DEMANDS[self._tls.effective_demand]
        settings = _SETTINGS.format(folder=self.folder, demand=demand)
        self._settings.write_text(settings, encoding="utf-8")

    @property
    def _settings(self) -> Path:
        return self.folder / "slapd.conf"

    def command(self) -> list[str]:
        """In the foreground, since it is told to print something."""
        self.port, self.plain_port = free_port(), free_port()
        places = f"ldaps://127.0.0.1:{self.port} ldap://127.0.0.1:{self.plain_port}"
        return [self._program, "-f", str(self._settings), "-h", places, "-d", "conns,stats"]
