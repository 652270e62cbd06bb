"""``mxcert probe``: how far a connection comes, by a proxy and without, and what ends it."""

from __future__ import annotations

import base64
import functools
import os
import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from mxcert_runtime.cli import main
from tests.cli.probing import HOST, Probe, ScriptedServer, probe_with
from tests.cli.processes import MODULE, command_environment
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import Demand
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.usefixtures("loopback_names")


def test_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
    tls_server: ServerFactory[TlsServer],
    plain_proxy: ConnectProxy,
) -> None:
    """The tunnel is one step; a rule with a port goes by the server's, not by the proxy's."""
    server = tls_server(hosts=[HOST], demand=Demand.DEMAND)
    usages = {f"{HOST}:{server.port}": beta, f"{HOST}:{plain_proxy.port}": alpha}
    settings = client_files.variables(usages=usages, authorities=[authority])
    proxy = f"http://user:pass%20word@localhost:{plain_proxy.port}"

    probed = probe_with(monkeypatch, capsys, settings)("--proxy", proxy, server.url(HOST))

    assert (0, beta.fingerprint) == (probed.status, probed.presented)
    assert [f"{HOST}:{server.port}"] == list(plain_proxy.tunnels)
    assert "proxy tunnel" in probed.steps
    assert "pass" not in str(probed.data)


def test_a_proxy_that_wants_a_password(server_stack: ExitStack, probe: Probe) -> None:
    """It gets user and password as Basic, and they are shown nowhere, not in an error either."""
    proxy = ScriptedServer(server_stack, [])
    refusing = b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n"
    asked = _AnsweringProxy(server_stack, refusing)

    probed = probe("--proxy", f"http://user:s3cret@localhost:{asked.port}", f"https://{HOST}/")
    closed = probe("--proxy", f"http://user:s3cret@localhost:{proxy.port}", f"https://{HOST}/")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert "user and password" in probed.data["verdict"]["text"]
    encoded = base64.b64encode(b"user:s3cret").decode("ascii")
    assert f"Basic {encoded}" in asked.heads[0]
    assert (1, "no-connection") == (closed.status, closed.outcome)
    assert "s3cret" not in f"{probed.data}{closed.data}"
    assert encoded not in f"{probed.data}{closed.data}"


class _AnsweringProxy(ConnectProxy):
    """Reads the whole head of a request and gives one answer."""

    def __init__(self, stack: ExitStack, answer: bytes) -> None:
        super().__init__()
        self._answer = answer
        self.heads: list[str] = []
        stack.enter_context(self)

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        self.heads.append(head.decode("ascii"))
        client.sendall(self._answer)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["ssh://partner.example"], "scheme"),
        (["tls://partner.example"], "port"),
        (["https://"], "host"),
        (["https://user:s3cret@partner.example:99999/"], "valid port"),
        (["https://user:s3cret@[partner/"], "valid URL"),
        (["--proxy", "https://user:s3cret@proxy.example", "partner.example"], "plain HTTP"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str) -> None:
    """Told on stderr with exit status 2, without what may be a password in a URL."""
    assert 2 == main(["probe", *arguments])

    printed = capsys.readouterr()
    assert problem in printed.err
    assert "s3cret" not in printed.err + printed.out


def test_nobody_listens(probe: Probe) -> None:
    """No connection: said as that, with nothing about certificates."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # taken, but not listening
        probed = probe(f"https://127.0.0.1:{unused.getsockname()[1]}/")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert ["name resolution", "TCP connect"] == probed.steps


def test_a_name_without_an_address(
    probe: Probe, loopback_names: LoopbackNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads nowhere ends it at the first step."""
    monkeypatch.setattr(loopback_names, "_addresses", ())

    probed = probe(f"https://{HOST}/")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert ["name resolution"] == probed.steps


@pytest.mark.parametrize("answers", [[], [b"220 hello\r\n"]], ids=["closes", "speaks no TLS"])
def test_what_is_no_tls(probe: Probe, server_stack: ExitStack, answers: list[bytes]) -> None:
    """A peer without TLS is told apart from a server that refuses a certificate."""
    server = ScriptedServer(server_stack, answers)

    probed = probe(f"https://{HOST}:{server.port}/")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert "the scheme" in probed.remedy


def test_a_peer_that_keeps_silent(
    capsys: pytest.CaptureFixture[str], server_stack: ExitStack
) -> None:
    """The timeout bounds each wait."""
    listening = server_stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    url = f"https://127.0.0.1:{listening.getsockname()[1]}/"

    assert 1 == main(["probe", "--timeout", "0.05", url])
    assert "no answer within 0.05 s" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["1e300", "86401", "0", "-1", "nan", "inf", "soon"])
def test_a_timeout_that_is_none(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What no socket can wait is wrong use, and nothing is printed where JSON is expected."""
    with pytest.raises(SystemExit) as raised:
        main(["probe", "--json", "--timeout", seconds, "https://127.0.0.1:1/"])
    assert (2, "") == (raised.value.code, capsys.readouterr().out)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal there")
def test_where_a_server_hangs_is_seen(tmp_path: Path, server_stack: ExitStack) -> None:
    """Each step is on the screen before it is over; Ctrl-C ends the wait, and the last line."""
    listening = server_stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
    probe = subprocess.Popen(
        [*MODULE, "probe", "--timeout", "60", url],
        env=command_environment(tmp_path, {"SSL_CERT_FILE": "/nonexistent"}),
        stdout=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, a shell lets all of them ignore it.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    with probe:
        assert probe.stdout is not None
        printed = ""
        while "TLS handshake" not in printed:
            character = probe.stdout.read(1)
            assert character, f"it has ended: {printed}"
            printed += character
        # Sent by then, it sits and waits. An interrupt within the message callback, of Python's
        # own making, is raised when the handshake ends, and not before.
        accepted, _ = listening.accept()
        server_stack.enter_context(accepted).recv(1)
        probe.send_signal(signal.SIGINT)
        printed += probe.stdout.read()
    assert 130 == probe.returncode
    lines = printed.splitlines()
    names = ["name resolution", "TCP connect", "TLS set-up", "TLS handshake"]
    assert names == [line[2:17].strip() for line in lines[-4:]]
    assert lines[-1].endswith("ms  interrupted")
