"""``mxcert probe`` for databases and brokers: how each begins TLS, or says that it does not."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.cli.probe.target import parse_target
from tests.cli.probing import HOST, Probe, ScriptedServer, wait_for_refusals
from tests.compat.servers import BEFORE
from tests.compat.values import Server
from tests.support.factories import ServerFactory, factory_of
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerConnection, ServerTls
from tests.support.tls_listener import TlsListener

_GREETING = b"\x0a8.0.36\0" + bytes(13)
_WITHOUT_TLS = _GREETING + b"\xff\xf7" + bytes(20)
_BLOCKED = b"\xff\x69\x04Host 'x' is blocked"
_AMQP_START = b"\x01\0\0\0\0\0\x04\0\x0a\0\x0a"

pytestmark = pytest.mark.usefixtures("loopback_names")


class _Upgrading(TlsListener):
    """Speaks before TLS what its protocol has, and answers a line in TLS, if it has an answer."""

    def __init__(self, tls: ServerTls, kind: Server = Server.TLS, answer: bytes = b"") -> None:
        super().__init__(tls)
        self._kind, self._answer = kind, answer

    def _serve(self, plain: socket.socket, number: int) -> None:
        if self._kind in BEFORE:
            BEFORE[self._kind](plain)
        super()._serve(plain, number)

    def _converse(self, connection: ServerConnection, number: int) -> None:
        # A probe that does not speak closes when it has waited for a refusal.
        connection.recv(512)
        connection.sendall(self._answer)


servers = factory_of(_Upgrading)


@pytest.mark.parametrize(
    ("scheme", "kind", "answer", "told"),
    [
        ("postgresql", Server.POSTGRES, b"", None),
        ("mariadb", Server.MYSQL, b"", None),
        ("nats", Server.NATS, b"", None),
        ("rediss", Server.TLS, b"+PONG\r\n", "+PONG"),
        ("amqps", Server.TLS, _AMQP_START, "AMQP Connection.Start"),
        ("amqps", Server.TLS, b"AMQP\0\0\0\x08", "AMQP 0-0-8"),
    ],
)
def test_taken(
    probe: Probe,
    servers: ServerFactory[_Upgrading],
    scheme: str,
    kind: Server,
    answer: bytes,
    told: str | None,
    alpha: Leaf,
) -> None:
    """The server sees the identity; the verdict says where to look if it refuses at login."""
    server = servers(hosts=[HOST], demand=Demand.DEMAND, kind=kind, answer=answer)

    probed = probe(f"{scheme}://user:password@{HOST}:{server.port}/name")

    assert (0, told, alpha.fingerprint) == (probed.status, probed.data["answer"], probed.presented)
    assert [alpha.fingerprint] == [seen.fingerprint for seen in server.seen.wait_for(1)]
    assert "it says at login only" in probed.remedy
    assert (kind is not Server.TLS) == ("STARTTLS" in probed.steps)


def test_refused(
    probe: Probe, servers: ServerFactory[_Upgrading], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: a server that does not know the client's CA refuses, and is heard."""
    wait_for_refusals(monkeypatch)
    stranger = Authority("Another client root")
    server = servers(
        hosts=[HOST],
        demand=Demand.DEMAND,
        client_authorities=[stranger],
        kind=Server.POSTGRES,
    )

    probed = probe(f"postgres://{HOST}:{server.port}")

    assert (1, "refused", 48) == (probed.status, probed.outcome, probed.data["alert"]["number"])


class _PostgresWithoutTls(ScriptedServer):
    def _serve(self, plain: socket.socket, number: int) -> None:
        self.received.append(plain.recv(8))
        plain.sendall(b"N")


def test_postgres_without_tls(probe: Probe, server_stack: ExitStack) -> None:
    """`N` is no TLS, and nothing goes on in clear."""
    server = _PostgresWithoutTls(server_stack, [])

    probed = probe(f"postgresql://{HOST}:{server.port}")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert "no TLS to offer" in probed.data["verdict"]["text"]
    assert [bytes.fromhex("0000000804d2162f")] == server.received


@pytest.mark.parametrize(
    ("scheme", "first", "told"),
    [
        (
            "mysql",
            len(_WITHOUT_TLS).to_bytes(3, "little") + b"\0" + _WITHOUT_TLS,
            "no TLS to offer",
        ),
        ("mysql", len(_BLOCKED).to_bytes(3, "little") + b"\0" + _BLOCKED, "is blocked"),
        ("mysql", b"220 an FTP server\r\n", "does not greet"),
        ("nats", b'INFO {"version":"2.10"}\r\n', "has no TLS"),
        ("nats", b"INFO nothing\r\n", "does not begin with INFO"),
        ("nats", b"+OK ready\r\n", "does not begin with INFO"),
    ],
)
def test_no_upgrade(
    probe: Probe, server_stack: ExitStack, scheme: str, first: bytes, told: str
) -> None:
    """A server that has no TLS, or is another one, is told as that."""
    server = ScriptedServer(server_stack, [first])

    probed = probe(f"{scheme}://{HOST}:{server.port}")

    assert (1, "no-connection", "STARTTLS") == (probed.status, probed.outcome, probed.steps[-1])
    assert told in probed.data["verdict"]["text"]


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("rediss://a.test", 6379),
        ("amqps://a.test/vhost", 5671),
        ("mqtts://a.test", 8883),
        ("ldaps://a.test", 636),
        ("postgres://a.test/name", 5432),
        ("postgresql://a.test", 5432),
        ("mysql://a.test", 3306),
        ("mariadb://a.test", 3306),
        ("nats://a.test", 4222),
    ],
)
def test_ports(url: str, port: int) -> None:
    """A URL without a port means the port of its protocol."""
    assert port == parse_target(url).port


def test_unknown_scheme(capsys: pytest.CaptureFixture[str]) -> None:
    """The error lists what there is, and how to probe what is not there."""
    assert 2 == main(["probe", "redis://a.test"])
    told = capsys.readouterr().err
    assert "rediss, amqps, mqtts, postgresql" in told
    assert "`tls://host:port`" in told
