"""Programs that know nothing of tokens present certificates whose keys are in one."""

from __future__ import annotations

import pytest

from tests.support.factories import ServerFactory
from tests.support.nginx import NginxAnswer, NginxServer
from tests.support.openssl_server import OpensslServer
from tests.support.server_tls import Demand, TlsVersion

from .conftest import HOST, Deployment

_CLIENTS = {
    "urllib": """
        import ssl, urllib.request
        def get(url):
            context = ssl.create_default_context(cafile=ca_file)
            return urllib.request.urlopen(url, context=context, timeout=60).read().decode()
    """,
    "requests": """
        import requests
        def get(url):
            return requests.get(url, verify=ca_file, timeout=60).text
    """,
    "httpx": """
        import ssl, httpx
        def get(url):
            context = ssl.create_default_context(cafile=ca_file)
            return httpx.get(url, verify=context, timeout=60, trust_env=False).text
    """,
    "aiohttp": """
        import asyncio, ssl, aiohttp
        async def fetch(url):
            context = ssl.create_default_context(cafile=ca_file)
            connector = aiohttp.TCPConnector(ssl=context)
            async with aiohttp.ClientSession(connector=connector) as session:
                async with session.get(url) as answer:
                    return await answer.text()
        def get(url):
            return asyncio.run(fetch(url))
    """,
}
PROGRAM = """
import json, sys
import mxcert_runtime
ca_file, url = sys.argv[1:]
"""


def program(client: str) -> str:
    """A program that fetches a URL and prints what came."""
    import textwrap

    body = textwrap.dedent(_CLIENTS[client])
    return f"{PROGRAM}{body}\nprint(json.dumps(get(url)))\n"


@pytest.mark.parametrize("client", _CLIENTS)
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_nginx_sees_the_certificate(
    deployment: Deployment,
    nginx_server: ServerFactory[NginxServer],
    tls_version: TlsVersion,
    client: str,
    kind: str,
) -> None:
    """nginx that demands certificates verifies the one whose key is in the token."""
    pytest.importorskip(client.replace("urllib", "urllib.request"))
    nginx = nginx_server(hosts=[HOST], version=tls_version, demand=Demand.DEMAND)
    deployment.configure(deployment.entry(kind))
    finished = deployment.run(program(client), nginx.url(HOST))
    answer = NginxAnswer.parse(finished.json())
    assert answer.shows(deployment.leaves[kind])
    assert ("SUCCESS", tls_version.value) == (answer.verify, answer.tls)


def test_without_the_key_nginx_refuses(
    deployment: Deployment, nginx_server: ServerFactory[NginxServer], tls_version: TlsVersion
) -> None:
    """The twin: the same program whose host has no identity is turned away."""
    nginx = nginx_server(hosts=[HOST], version=tls_version, demand=Demand.DEMAND)
    deployment.configure(deployment.entry("ec", hosts=["other.test"]), unlisted_hosts="none")
    finished = deployment.run(program("requests"), nginx.url(HOST))
    assert "No required SSL certificate was sent" in finished.json()


@pytest.mark.parametrize(
    ("signatures", "kind"),
    [
        ("RSA+SHA256", "rsa"),
        ("rsa_pss_rsae_sha256", "rsa"),
        ("rsa_pss_rsae_sha512", "rsa"),
        ("ECDSA+SHA256", "ec"),
    ],
)
def test_each_signature(
    deployment: Deployment,
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    signatures: str,
    kind: str,
) -> None:
    """The token signs as the server demands: PKCS#1 v1.5, PSS, ECDSA."""
    if signatures == "RSA+SHA256" and tls_version is TlsVersion.TLS13:
        pytest.skip("TLS 1.3 has no PKCS#1 v1.5 signatures of handshakes")
    options = ("-client_sigalgs", signatures, "-Verify", "1")
    server = openssl_server(options=options, version=tls_version)
    deployment.configure(deployment.entry(kind, hosts=["localhost"]))
    finished = deployment.run(
        """
        import socket, ssl, sys
        import mxcert_runtime
        context = ssl.create_default_context(cafile=sys.argv[1])
        address = "localhost", int(sys.argv[2])
        with context.wrap_socket(socket.create_connection(address), server_hostname="localhost"):
            pass
        """,
        str(server.port),
    )
    assert 0 == finished.returncode, finished.stderr
    assert [deployment.leaves[kind].fingerprint] == server.presented.wait_for(1)
