"""RabbitMQ as a broker whose users log in by the common names of their certificates.

Erlang gives names to its nodes by a program of its own (epmd), which a node starts where it finds
none and which outlives it. So there is one of ours on a port of its own, until the node has ended.
"""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Iterator

from .daemon import Daemon, free_port, program, write_certificates
from .server_tls import Demand, ServerTls

#: not the one of the path, which is for root and one user of the system alone
_PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"
_SETTINGS = """
listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.certfile = {folder}/leaf.crt
ssl_options.keyfile = {folder}/leaf.key
ssl_options.cacertfile = {folder}/clients.pem
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = {demand}
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
ssl_cert_login_from = common_name
auth_mechanisms.1 = EXTERNAL
default_user = {user}
default_pass = is-not-asked-for
distribution.listener.interface = 127.0.0.1
distribution.listener.port_range.min = {node_port}
distribution.listener.port_range.max = {node_port}
log.file = false
log.console = true
"""
_LISTENS = re.compile("started TLS .*listener on")
#: how it logs whom it lets in
_USER = re.compile(r"user '(.*)' authenticated and granted access to vhost")


@contextlib.contextmanager
def rabbitmq(tls: ServerTls, user: str) -> Iterator[RabbitmqServer]:
    """A broker with this one user."""
    with NodeNames() as names, RabbitmqServer(tls, user, names.port) as server:
        yield server


class NodeNames(Daemon):
    """Erlang's epmd."""

    ready = re.compile("entering the main select")

    def __init__(self) -> None:
        super().__init__()
        self._program = program("epmd")
        self.port = 0

    def prepare(self) -> None:
        """Nothing."""

    def command(self) -> list[str]:
        """In the foreground; asked twice to print, it says when it has its port."""
        self.port = free_port()
        return [self._program, "-address", "127.0.0.1", "-port", str(self.port), "-d", "-d"]


class RabbitmqServer(Daemon):
    """One broker; it keeps nothing."""

    ready = re.compile("Server startup complete; 1 plugins started")
    ending = signal.SIGKILL

    def __init__(self, tls: ServerTls, user: str, names_port: int) -> None:
        super().__init__()
        self._program = program(_PROGRAM)
        self._tls = tls
        self._user = user
        self._names_port = names_port
        self.port = 0

    def user(self, after: int) -> str:
        """Who is let in next, when so many lines had been printed."""
        return self.line(_USER, after=after)[1]

    def _is_ready(self) -> bool:
        """It says that it is even where its port was taken."""
        return super()._is_ready() and any(map(_LISTENS.search, self.output))

    def prepare(self) -> None:
        """Its certificates, its plugin, its folders."""
        write_certificates(self._tls, self.folder)
        plugins = "[rabbitmq_auth_mechanism_ssl]."
        (self.folder / "enabled_plugins").write_text(plugins, encoding="utf-8")
        (self.folder / "data").mkdir()

    def command(self) -> list[str]:
        """With its settings written anew."""
        self.port = free_port()
        settings = _SETTINGS.format(
            folder=self.folder,
            port=self.port,
            node_port=free_port(),
            demand=str(self._tls.effective_demand is Demand.DEMAND).lower(),
            user=self._user,
        )
        (self.folder / "rabbitmq.conf").write_text(settings, encoding="utf-8")
        return [self._program]

    def environment(self) -> dict[str, str]:
        """None of this machine's settings; as for systemd it is one process, not a shell's."""
        folder = str(self.folder)
        mine = {
            "HOME": folder,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_CRASH_DUMP_SECONDS": "0",
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": "mxcert@localhost",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONFIG_FILES": f"{folder}/none",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/none.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
        }
        others = super().environment().items()
        kept = {name: value for name, value in others if not name.startswith(("RABBITMQ_", "ERL_"))}
        return {**kept, **mine}
