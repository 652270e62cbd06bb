"""PostgreSQL as a server, which tells each client in SQL which certificate it has presented.

A role named ``demanding`` gets in with a certificate only; any other gets in without one too, where
the server's ``demand`` does not say otherwise. None has a password.
"""

from __future__ import annotations

import functools
import re
import signal
from pathlib import Path

from .daemon import Daemon, copy_kept, free_port, kept_folder, program, run_unprivileged
from .pki import pem
from .server_tls import Demand, ServerTls, TlsVersion

#: what a client asks: the subject of its certificate as the server has it, and its serial number
QUESTION = "select client_dn, client_serial from pg_stat_ssl where pid = pg_backend_pid()"
DEMANDING, ANYONE = "demanding", "anyone"
_PLACES = "/usr/lib/postgresql/*/bin"
_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_wal_size = '2MB'
min_wal_size = '2MB'
ssl = on
ssl_cert_file = 'leaf.crt'
ssl_key_file = 'leaf.key'
{authorities}
ssl_min_protocol_version = '{lowest}'
ssl_max_protocol_version = '{highest}'
log_connections = on
"""
_NAMES = {TlsVersion.TLS12: ("TLSv1.2", "TLSv1.2"), TlsVersion.TLS13: ("TLSv1.3", "TLSv1.3")}


def subject_as_shown(subject: str) -> str:
    """The subject of a certificate (RFC 4514) as ``pg_stat_ssl`` shows it."""
    return "".join(f"/{each}" for each in reversed(subject.split(",")))


def _program(name: str) -> str:
    folders = sorted(map(str, Path("/").glob(_PLACES[1:])), reverse=True)
    return program(name, *folders)


@functools.cache
def _initialised() -> Path:
    """An empty cluster of databases, which takes a second to make."""
    folder = kept_folder() / "data"
    options = ["--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8", "--wal-segsize=1"]
    options += ["--username=postgres"]
    run_unprivileged([_program("initdb"), "--pgdata", str(folder), *options])
    roles = "".join(f"create role {name} login;\n" for name in (DEMANDING, ANYONE))
    single = [_program("postgres"), "--single", "-D", str(folder), "-c", "fsync=off", "postgres"]
    run_unprivileged(single, stdin=roles.encode("ascii"))
    return folder


class PostgresqlServer(Daemon):
    """One server with the databases ``postgres`` and ``template1``."""

    ready = re.compile("database system is ready to accept connections")
    ending = signal.SIGINT

    def __init__(self, tls: ServerTls) -> None:
        super().__init__()
        self._program = _program("postgres")
        self._tls = tls
        self.port = 0

    def prepare(self) -> None:
        """The data, the certificates, and who gets in how."""
        data = self.folder / "data"
        copy_kept(_initialised(), data)
        for path in self._tls.leaf.write_pem(data):
            path.chmod(0o600)
        (data / "pg_hba.conf").write_text("\n".join((*self._ways_in(), "")))
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(self._settings(data))

    def _settings(self, data: Path) -> str:
        authorities = ""
        if self._asks:
            (data / "clients.pem").write_bytes(
                pem(*(each.certificate for each in self._tls.client_authorities))
            )
            authorities = "ssl_ca_file = 'clients.pem'"
        lowest, highest = _NAMES.get(self._tls.version, ("TLSv1.2", "TLSv1.3"))
        return _SETTINGS.format(authorities=authorities, lowest=lowest, highest=highest)

    def _ways_in(self) -> list[str]:
        demand = " clientcert=verify-ca"
        always = demand if self._tls.effective_demand is Demand.DEMAND else ""
        lines = [f"hostssl all {DEMANDING} all trust{demand}"] if self._asks else []
        return [*lines, f"hostssl all all all trust{always}"]

    @property
    def _asks(self) -> bool:
        return self._tls.effective_demand is not Demand.ASK_NOT

    def command(self) -> list[str]:
        """The server itself, without those that look after it."""
        self.port = free_port()
        return [self._program, "-D", str(self.folder / "data"), "-p", str(self.port)]
