"""MariaDB as a server; which certificate a client presents, it tells by whom it lets in.

``SHOW STATUS`` says nothing of the client's certificate, but an account may demand one: by
``account_for`` a leaf has one that only its own subject and issuer open. ``anyone`` gets in over
TLS, with a certificate or without.
"""

from __future__ import annotations

import functools
import re
import signal
import subprocess
from pathlib import Path

from .daemon import Daemon, copy_kept, free_port, kept_folder, own, program, run_unprivileged
from .listener import TIMEOUT
from .pki import Leaf, pem
from .server_tls import Demand, ServerTls, TlsVersion

ANYONE = "anyone"
#: what makes it quick: nothing of it outlives a test
_SMALL = (
    "--skip-name-resolve",
    "--innodb-log-file-size=4M",
    "--innodb-buffer-pool-size=8M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
)
_VERSIONS = {TlsVersion.TLS12: "TLSv1.2", TlsVersion.TLS13: "TLSv1.3"}


@functools.cache
def _initialised() -> Path:
    """Data with the system's tables, which takes seconds to make."""
    folder = kept_folder() / "data"
    folder.mkdir()
    own(folder)
    options = ["--no-defaults", f"--datadir={folder}", "--auth-root-authentication-method=normal"]
    run_unprivileged([program("mariadb-install-db"), *options, "--skip-test-db", *_SMALL])
    return folder


class MariadbServer(Daemon):
    """One server with the database ``mysql``."""

    ready = re.compile("ready for connections")
    ending = signal.SIGTERM

    def __init__(self, tls: ServerTls) -> None:
        super().__init__()
        self._program, self._client = program("mariadbd"), program("mariadb")
        self._tls = tls
        self.port = 0

    def prepare(self) -> None:
        """The data and the certificates."""
        copy_kept(_initialised(), self.folder / "data")
        self._tls.leaf.write_pem(self.folder)
        authorities = (each.certificate for each in self._tls.client_authorities)
        (self.folder / "clients.pem").write_bytes(pem(*authorities))

    def command(self) -> list[str]:
        """The server itself; what it is told by is nothing of this machine."""
        self.port = free_port()
        folder, port = self.folder, self.port
        places = [f"--datadir={folder}/data", f"--socket={self._socket}", f"--port={port}"]
        places += [f"--pid-file={folder}/pid", f"--tmpdir={folder}", "--bind-address=127.0.0.1"]
        tls = [f"--ssl-cert={folder}/leaf.crt", f"--ssl-key={folder}/leaf.key"]
        if self._tls.effective_demand is not Demand.ASK_NOT:
            tls += [f"--ssl-ca={folder}/clients.pem"]
        versions = _VERSIONS.get(self._tls.version, "TLSv1.2,TLSv1.3")
        tls += [f"--tls-version={versions}"]
        return [self._program, "--no-defaults", *places, *tls, *_SMALL]

    @property
    def _socket(self) -> Path:
        return self.folder / "socket"

    def __enter__(self) -> MariadbServer:
        super().__enter__()
        is_strict = self._tls.effective_demand is Demand.DEMAND
        self._make_account(ANYONE, "X509" if is_strict else "SSL")
        return self

    def account_for(self, leaf: Leaf) -> str:
        """The name of a new account, without a password, that this certificate alone opens."""
        name = f"only_{leaf.fingerprint[:8]}"
        subject, issuer = map(_shown, (leaf.subject, leaf.certificate.issuer.rfc4514_string()))
        self._make_account(name, f"SUBJECT '{subject}' AND ISSUER '{issuer}'")
        return name

    def _make_account(self, name: str, demand: str) -> None:
        command = [self._client, "--no-defaults", f"--socket={self._socket}", "--user=root"]
        text = f"create or replace user '{name}'@'%' require {demand};"
        subprocess.run(command, input=text.encode(), check=True, timeout=TIMEOUT)


def _shown(name: str) -> str:
    """A distinguished name (RFC 4514) as OpenSSL's one line, which accounts are compared by."""
    return "".join(f"/{each}" for each in reversed(name.split(",")))
