"""What client programs get from the test support: names, files, an environment of their own."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from typing import Any

import pytest

from tests.support import environment, subprocesses
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer

TlsServers = ServerFactory[TlsServer]


class TestNames:
    def test_names_lead_to_loopback(self) -> None:
        """A fitting name has both addresses, in any spelling; undone, it has none."""
        original = socket.getaddrinfo
        with LoopbackNames("*.test", "www.server-to-contact.com"):
            for host in ("a.b.test", "A.TEST.", b"a.test", "www.server-to-contact.com", "ü.test"):
                found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
                assert ["127.0.0.1", "::1"] == [entry[4][0] for entry in found]
        assert original is socket.getaddrinfo

    def test_family(self) -> None:
        """A question for one family is answered with it alone."""
        with LoopbackNames():
            found = socket.getaddrinfo("a.test", 443, socket.AF_INET6, socket.SOCK_STREAM)
            assert [("::1", 443)] == [entry[4][:2] for entry in found]
        with LoopbackNames(addresses=("127.0.0.1",)), pytest.raises(socket.gaierror):
            socket.getaddrinfo("a.test", 443, socket.AF_INET6)

    @pytest.mark.parametrize("host", ["127.0.0.1", None, "::1"])
    def test_others_stay(self, host: str | None) -> None:
        """What does not fit is answered as before."""
        expected = socket.getaddrinfo(host, 443)
        with LoopbackNames():
            assert expected == socket.getaddrinfo(host, 443)

    def test_asyncio(self, loopback_names: LoopbackNames) -> None:
        """An event loop resolves the names too."""

        async def ask() -> list[Any]:
            return await asyncio.get_running_loop().getaddrinfo("a.example", 1)

        assert "127.0.0.1" == asyncio.run(ask())[0][4][0]

    def test_in_client_process(
        self, tls_server: TlsServers, client_files: ClientFiles, authority: Authority
    ) -> None:
        """A client process reaches the test server by a test name."""
        server = tls_server(hosts=["api.bank.test"])
        script = """
            import ssl, sys, urllib.request
            context = ssl.create_default_context(cafile=sys.argv[2])
            with urllib.request.urlopen(sys.argv[1], context=context) as response:
                print(response.read().decode())
        """
        ca_file = str(client_files.authority(authority))
        done = subprocesses.run_client(script, server.url("api.bank.test"), ca_file)
        assert "api.bank.test" == done.json()["sni"]


class TestProcesses:
    def test_environment_is_clean(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No setting of this process reaches a client, what the test gives does."""
        monkeypatch.setenv("MXCERT_CLIENT_CERTIFICATES", "outer")
        monkeypatch.setenv("ClientCertificates", "outer")
        script = """
            import json, os
            print("noise")
            print(json.dumps([os.environ.get(n) for n in
                ("MXCERT_CLIENT_CERTIFICATES", "ClientCertificates", "CACertificates")]))
        """
        done = subprocesses.run_client(script, environment={"CACertificates": "given"})
        assert [None, None, "given"] == done.json()

    def test_nothing_loaded(self) -> None:
        """Without host patterns a client starts with neither ssl nor our names loaded."""
        script = "import sys, json; print(json.dumps([m in sys.modules for m in ('tests', 'ssl')]))"
        assert [False, False] == subprocesses.run_client(script, host_patterns=()).json()

    def test_failure_is_shown(self) -> None:
        """A client that fails shows its status and its traceback."""
        done = subprocesses.run_client("raise SystemExit('broken')")
        assert (1, "broken\n") == (done.returncode, done.stderr)
        with pytest.raises(AssertionError, match="broken"):
            done.json()

    def test_timeout(self) -> None:
        """A client that does not end is ended."""
        with pytest.raises(subprocess.TimeoutExpired):
            subprocesses.run_client("import threading; threading.Event().wait()", timeout=0.3)

    @pytest.mark.parametrize("variable", ["MXCERT_X", "MXRUNTIME_x", "https_proxy", "HTTPS_PROXY"])
    def test_steering_variables(self, variable: str) -> None:
        """Settings and what clients read are told from the rest."""
        assert {"PATH": "/"} == environment.cleaned({variable: "x", "PATH": "/"})


class TestClientFiles:
    def test_variables(self, client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> None:
        """Every certificate is listed once, with its password, and usages name listed paths."""
        values = client_files.variables(
            alpha, usages={"a.test": alpha, "b.test": beta, "c.test": None}, no_usages=["d.test"]
        )
        paths = [str(client_files.pkcs12(leaf)) for leaf in (alpha, beta)]
        assert paths == values["ClientCertificates"].split(", ")
        usages = {"a.test": paths[0], "b.test": paths[1], "c.test": ""}
        assert usages == json.loads(values["ClientCertificateUsages"])
        assert 2 == len(values["ClientCertificatePasswords"].split(", "))
        assert ("d.test", False) == (
            values["NoClientCertificateUsages"],
            "CACertificates" in values,
        )

    def test_prefix(self, client_files: ClientFiles, authority: Authority) -> None:
        """The names can have the platform's prefix; empty settings are left out."""
        values = client_files.variables(authorities=[authority], prefix="MXRUNTIME_")
        path = str(client_files.authority(authority))
        assert {"MXRUNTIME_CACertificates": path} == values

    def test_identity(self, client_files: ClientFiles, alpha: Leaf) -> None:
        """An entry of the native structure has the file, its password and its hosts."""
        expected = {
            "name": "alpha",
            "pkcs12": str(client_files.pkcs12(alpha)),
            "password": client_files.password,
            "hosts": ["a.test"],
        }
        assert expected == client_files.identity("alpha", alpha, hosts=["a.test"])
