"""The private key is in no memory of the process that presents its certificate."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Leaf
from tests.support.server_tls import TlsVersion
from tests.support.subprocesses import client_environment

from .conftest import Deployment

_CLIENTS = (
    "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so",
    "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so",
    "/usr/lib64/pkcs11/p11-kit-client.so",
)
#: connects, says so, and stays until it has an answer
PROGRAM = """
import socket, ssl, sys
import mxcert_runtime
context = ssl.create_default_context(cafile=sys.argv[1])
address = "localhost", int(sys.argv[2])
for _ in range(3):
    with context.wrap_socket(socket.create_connection(address), server_hostname="localhost"):
        pass
print("connected", flush=True)
sys.stdin.readline()
"""
pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs Linux's /proc")


@contextlib.contextmanager
def _remote_token(deployment: Deployment) -> Iterator[None]:
    """The token in another process, by p11-kit's server; its client is the module of programs."""
    client = next((each for each in _CLIENTS if os.path.exists(each)), None)
    if shutil.which("p11-kit") is None or client is None:
        pytest.skip("p11-kit is not installed")
    path, variables = deployment.token.folder / "p11", deployment.token.variables
    words = ["p11-kit", "server", "--foreground", "--name", str(path)]
    process = subprocess.Popen(
        [*words, "--provider", variables["PKCS11_PROVIDER_MODULE"], "pkcs11:token=mx"],
        stdout=subprocess.PIPE,
        env={**os.environ, **variables},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()  # it listens
    variables["PKCS11_PROVIDER_MODULE"] = client
    variables["P11_KIT_SERVER_ADDRESS"] = f"unix:path={path}"
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        process.stdout.close()


def _secrets(leaf: Leaf) -> list[bytes]:
    """The private numbers of a key, as files have them and as OpenSSL has them in memory."""
    if isinstance(leaf.key, ec.EllipticCurvePrivateKey):
        numbers = [leaf.key.private_numbers().private_value]
    else:
        assert isinstance(leaf.key, rsa.RSAPrivateKey)
        private = leaf.key.private_numbers()
        numbers = [private.p, private.q, private.d]
    sizes = [(number.bit_length() + 7) // 8 for number in numbers]
    return [
        number.to_bytes(size, order)
        for number, size in zip(numbers, sizes)
        for order in ("big", "little")
    ]


def _holds(process: int, secrets: list[bytes]) -> bool:
    """Whether memory of a process that can be written to has one of the values."""
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            begin, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()  # type: ignore[union-attr]
            if not rights.startswith("rw"):
                continue
            with contextlib.suppress(OSError, ValueError):
                memory.seek(int(begin, 16))
                content = memory.read(int(end, 16) - int(begin, 16))
                if any(each in content for each in secrets):
                    return True
    return False


def _found_in_client(deployment: Deployment, server: OpensslServer, leaf: Leaf) -> bool:
    """Whether a client that has presented the certificate of a leaf has its key in memory."""
    # Through files and not through arguments: nothing of the key may come that way either.
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, deployment.ca_file, str(server.port)],
        env=client_environment(deployment.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert "connected\n" == process.stdout.readline()
        return _holds(process.pid, _secrets(leaf))


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_the_key_is_nowhere(
    deployment: Deployment,
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    kind: str,
) -> None:
    """After handshakes that it signed, no private number of it is in the client's memory."""
    if kind == "rsa" and tls_version is TlsVersion.TLS13:
        pytest.skip("p11-kit 0.24 does not hand PSS with SHA-256 on, which TLS 1.3 asks for")
    signatures = "RSA+SHA256" if kind == "rsa" else "ECDSA+SHA256"
    options = ("-client_sigalgs", signatures, "-Verify", "1")
    server = openssl_server(options=options, version=tls_version)
    deployment.configure(deployment.entry(kind, hosts=["localhost"]))
    with _remote_token(deployment):
        assert not _found_in_client(deployment, server, deployment.leaves[kind])
    assert [deployment.leaves[kind].fingerprint] * 3 == server.presented.wait_for(3)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_the_search_finds_a_key(
    deployment: Deployment, openssl_server: ServerFactory[OpensslServer], kind: str
) -> None:
    """The twin: with the same key in a file it is found."""
    leaf, path = deployment.leaves[kind], deployment.token.folder / "leaf.key"
    path.write_bytes(leaf.key_pem())
    entry = deployment.entry(kind, key=str(path), hosts=["localhost"])
    del entry["pin_file"]
    deployment.configure(entry)
    server = openssl_server(options=("-Verify", "1"))
    assert _found_in_client(deployment, server, leaf)
    assert [leaf.fingerprint] * 3 == server.presented.wait_for(3)
