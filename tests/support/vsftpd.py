"""vsftpd as an FTP server that demands certificates, of control and data connections alike.

It serves one connection as inetd would start it, on a socket that is accepted here, so that no port
is looked for and nobody waits until it is ready.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from .daemon import own, program, unprivileged, write_certificates
from .listener import TIMEOUT, ListeningServer
from .server_tls import Demand, ServerTls

_SETTINGS = """
listen=NO
background=NO
run_as_launching_user=YES
anonymous_enable=YES
anon_root={folder}/files
no_anon_password=YES
connect_from_port_20=NO
seccomp_sandbox=NO
xferlog_enable=YES
xferlog_std_format=NO
syslog_enable=NO
vsftpd_log_file={folder}/log
log_ftp_protocol=YES
ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
ssl_tlsv1=YES
ssl_ciphers=HIGH
require_ssl_reuse=NO
strict_ssl_read_eof=NO
debug_ssl=YES
require_cert={demand}
validate_cert={demand}
rsa_cert_file={folder}/leaf.crt
rsa_private_key_file={folder}/leaf.key
ca_certs_file={folder}/clients.pem
"""

#: how it logs a client's certificate: SHA-256, in decimals
_DIGEST = re.compile(r"Cert digest: ([\d ]+)")


class VsftpdServer(ListeningServer):
    """A context manager; a program of its own for each connection."""

    def __init__(self, tls: ServerTls) -> None:
        super().__init__()
        self._program = program("vsftpd")
        self._tls = tls

    @property
    def fingerprints(self) -> list[str]:
        """Of the certificate of each connection that has ended or serves, control and data."""
        log = Path(self._folder.name, "log").read_text(encoding="utf-8", errors="replace")
        return [bytes(map(int, each[1].split())).hex() for each in _DIGEST.finditer(log)]

    def __enter__(self) -> VsftpdServer:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        write_certificates(self._tls, folder)
        (folder / "files").mkdir()
        (folder / "files" / "greeting").write_text("hello", encoding="ascii")
        demand = "YES" if self._tls.effective_demand is Demand.DEMAND else "NO"
        settings = _SETTINGS.format(folder=folder, demand=demand)
        (folder / "vsftpd.conf").write_text(settings, encoding="ascii")
        own(folder)
        # Whose anonymous users could write there it refuses.
        (folder / "files").chmod(0o555)
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.closing(self):
            super().__exit__(kind, error, traceback)

    def close(self) -> None:
        """Remove what it was told by."""
        self._folder.cleanup()

    def _serve(self, plain: socket.socket, number: int) -> None:
        os.set_blocking(plain.fileno(), True)
        subprocess.run(
            [self._program, f"{self._folder.name}/vsftpd.conf"],
            check=False,
            stdin=plain.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            **unprivileged(),
        )
