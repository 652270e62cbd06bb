"""Postfix as an SMTP server that relays for those whose certificates it knows, by fingerprint.

It is started by root and by nobody else, and drops its rights itself.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from typing import Any

import pytest

from .daemon import Daemon, free_port, program, write_certificates
from .server_tls import ServerTls

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = /dev/stdout
myhostname = server.test
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_tls_cert_file = {folder}/leaf.crt
smtpd_tls_key_file = {folder}/leaf.key
smtpd_tls_CAfile = {folder}/clients.pem
smtpd_tls_security_level = encrypt
smtpd_tls_ask_ccert = yes
smtpd_tls_loglevel = 1
smtpd_tls_fingerprint_digest = sha256
smtpd_tls_session_cache_database =
relay_clientcerts = inline:{{ {known} }}
smtpd_relay_restrictions = permit_tls_clientcerts, reject
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
"""
_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "private", "public", "saved", "trace"),
)
#: of its daemons
_PLACES = "/usr/lib/postfix/sbin", "/usr/libexec/postfix"


class PostfixServer(Daemon):
    """One server with STARTTLS; ``relays_for`` are the fingerprints (SHA-256) that it knows."""

    ready = re.compile("daemon started")

    def __init__(self, tls: ServerTls, relays_for: Sequence[str] = ()) -> None:
        super().__init__()
        self._program = program("master", *_PLACES)
        if os.geteuid() != 0:
            pytest.skip("postfix is started by root only")
        self._tls = tls
        self._relays_for = relays_for
        self.port = 0

    def account(self) -> dict[str, Any]:
        """It becomes somebody else by itself."""
        return {}

    def prepare(self) -> None:
        """Its certificates, and the folders that it writes to."""
        write_certificates(self._tls, self.folder)
        for name in ("data", "spool/pid", *(f"spool/{each}" for each in _QUEUES)):
            (self.folder / name).mkdir(parents=True)

    def hand_over(self) -> None:
        """The data belongs to whom it becomes; who else looks in must be able to."""
        self.folder.chmod(0o755)
        for name in ("data", *(f"spool/{each}" for each in _QUEUES)):
            (self.folder / name).chmod(0o700)
            shutil.chown(self.folder / name, "postfix")

    def command(self) -> list[str]:
        """With its settings written anew."""
        self.port = free_port()
        known = ", ".join(f"{{ {_shown(each)} = known }}" for each in self._relays_for)
        main = _MAIN.format(folder=self.folder, known=known)
        (self.folder / "main.cf").write_text(main, encoding="ascii")
        (self.folder / "master.cf").write_text(_MASTER.format(port=self.port), encoding="ascii")
        # The script that would start it forks, and is not it.
        return [self._program, "-c", str(self.folder), "-s"]


def _shown(fingerprint: str) -> str:
    return ":".join(fingerprint[i : i + 2] for i in range(0, len(fingerprint), 2)).upper()
