"""Side by side with a JVM: where the server's request leaves one identity, both choose that one.

The JVM's default key manager reads a key store made by ``keytool -importkeystore`` from the very
PKCS12 files that the settings name. One JVM meets all servers, since its start takes longest.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

import mxcert_runtime
from tests.connections.candidates import connected
from tests.support.client_files import PASSWORD
from tests.support.listener import TIMEOUT
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls, TlsVersion

SOURCE = Path(__file__).with_name("Client.java")
TLS12, TLS13 = TlsVersion.TLS12, TlsVersion.TLS13
#: seconds for one JVM on a machine that has much else to do
JVM_TIMEOUT = 300
#: keeps a JVM from compiling much of what runs once
QUICK = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@dataclass(frozen=True)
class Case:
    """A request that leaves one identity, or none."""

    accepted: str
    algorithms: str
    expected: str | None
    versions: tuple[TlsVersion, ...] = (TLS12, TLS13)

    @property
    def options(self) -> list[str]:
        """The options of s_server."""
        return ["-client_sigalgs", self.algorithms]


RSA = "RSA-PSS+SHA256:RSA+SHA256"
EVERY = f"ECDSA+SHA256:{RSA}"
CASES = [
    Case("A", "ECDSA+SHA256", "a-ec"),
    Case("R", RSA, "r-rsa"),
    Case("B", EVERY, "b-ec"),
    Case("C", EVERY, "c-rsa"),
    Case("B", RSA, None),
    Case("stranger", EVERY, None),
]


@dataclass(frozen=True)
class Side:
    """One server of a case, with what it is to see."""

    case: Case
    version: TlsVersion
    server: OpensslServer

    @property
    def argument(self) -> str:
        """What the Java program is told."""
        return f"{self.version.value}:{self.server.port}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _program("java")
    _program("keytool")
    return tmp_path_factory.mktemp("jvm")


@pytest.fixture(scope="module")
def root_r() -> Authority:
    """A root with an RSA key."""
    return Authority("Root R", "rsa")


@pytest.fixture(scope="module")
def leaves(
    root_a: Authority, below_b: Authority, root_c: Authority, root_r: Authority
) -> dict[str, Leaf]:
    """Two kinds of key below A and R each, one below an intermediate of B, one below C.

    The certificates of R are signed with RSA: Java's newer key manager applies the signature
    algorithms of a request to the certificates too, as RFC 5246, section 7.4.4, has it.
    """
    return {
        "a-rsa": root_a.issue("a-rsa", server=False, key="rsa"),
        "a-ec": root_a.issue("a-ec", server=False),
        "b-ec": below_b.issue("b-ec", server=False),
        "r-ec": root_r.issue("r-ec", server=False),
        "r-rsa": root_r.issue("r-rsa", server=False, key="rsa"),
        "c-rsa": root_c.issue("c-rsa", server=False, key="rsa"),
    }


@pytest.fixture(scope="module")
def files(folder: Path, leaves: dict[str, Leaf]) -> dict[str, Path]:
    """A PKCS12 file for each leaf, whose alias is its name."""
    paths = {name: folder / f"{name}.p12" for name in leaves}
    for name, leaf in leaves.items():
        paths[name].write_bytes(leaf.pkcs12(PASSWORD, friendly_name=name.encode()))
    return paths


@pytest.fixture(scope="module")
def sides(
    root_a: Authority,
    root_b: Authority,
    root_c: Authority,
    root_r: Authority,
    authority: Authority,
) -> Iterator[list[Side]]:
    """A server for each case and version."""
    accepted = {"A": root_a, "B": root_b, "C": root_c, "R": root_r}
    accepted["stranger"] = Authority("Stranger")
    leaf = authority.issue("server", hosts=["localhost", "127.0.0.1"])
    with ExitStack() as stack:
        started = []
        for case in CASES:
            for version in case.versions:
                tls = ServerTls(leaf, (accepted[case.accepted],), Demand.ACCEPT, version)
                server = stack.enter_context(OpensslServer(tls, case.options))
                started.append(Side(case, version, server))
        yield started


@pytest.fixture(scope="module")
def stores(folder: Path, files: dict[str, Path], authority: Authority) -> tuple[Path, Path]:
    """The key store and the trust store, as ``keytool`` makes them."""
    keys, trust = folder / "keys.p12", folder / "trust.p12"
    for path in files.values():
        source = ["-srckeystore", str(path), "-srcstoretype", "PKCS12", "-srcstorepass", PASSWORD]
        target = ["-destkeystore", str(keys), "-deststoretype", "PKCS12"]
        _keytool("-importkeystore", *source, *target, "-deststorepass", PASSWORD)
    (folder / "ca.pem").write_bytes(authority.pem)
    added = ["-file", str(folder / "ca.pem"), "-keystore", str(trust), "-storepass", PASSWORD]
    _keytool("-importcert", *added, "-storetype", "PKCS12", "-alias", "ca")
    return keys, trust


def _keytool(*arguments: str) -> None:
    options = [f"-J{option}" for option in QUICK]
    command = [_program("keytool"), *options, *arguments, "-noprompt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=JVM_TIMEOUT, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


def _run_java(algorithm: str, sides: list[Side], stores: tuple[Path, Path]) -> str:
    keys, trust = stores
    properties = {
        "javax.net.ssl.keyStore": str(keys),
        "javax.net.ssl.keyStorePassword": PASSWORD,
        "javax.net.ssl.keyStoreType": "PKCS12",
        "javax.net.ssl.trustStore": str(trust),
        "javax.net.ssl.trustStorePassword": PASSWORD,
    }
    options = [f"-D{name}={value}" for name, value in properties.items()]
    command = [_program("java"), *QUICK, *options, str(SOURCE), algorithm]
    command += [side.argument for side in sides]
    done = subprocess.run(command, capture_output=True, text=True, timeout=JVM_TIMEOUT, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def _named(fingerprint: str | None, leaves: dict[str, Leaf]) -> str | None:
    names = {leaf.fingerprint: name for name, leaf in leaves.items()}
    return None if fingerprint is None else names[fingerprint]


def _new_to(sides: list[Side], before: list[int], leaves: dict[str, Leaf]) -> list[str | None]:
    pairs = zip(sides, before)
    seen = [side.server.presented.wait_for(count + 1)[count] for side, count in pairs]
    return [_named(fingerprint, leaves) for fingerprint in seen]


def _expected(sides: list[Side]) -> list[str | None]:
    return [side.case.expected for side in sides]


@pytest.mark.parametrize("algorithm", ["SunX509", "NewSunX509"])
def test_jvm(
    sides: list[Side], stores: tuple[Path, Path], leaves: dict[str, Leaf], algorithm: str
) -> None:
    """Java's key manager chooses what the cases say, the default one and the newer one."""
    before = [len(side.server.presented) for side in sides]
    output = _run_java(algorithm, sides, stores)
    assert _expected(sides) == _new_to(sides, before, leaves), output


@pytest.mark.parametrize("order", ["as written", "reversed"])
def test_library(
    sides: list[Side],
    files: dict[str, Path],
    leaves: dict[str, Leaf],
    authority: Authority,
    order: str,
) -> None:
    """This library chooses the same, in whichever order the settings have the files."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    names = list(files) if order == "as written" else list(files)[::-1]
    identities = [
        {"name": name, "pkcs12": str(files[name]), "password": PASSWORD} for name in names
    ]
    mxcert_runtime.activate(settings={"identity": identities})
    before = [len(side.server.presented) for side in sides]
    for side, count in zip(sides, before):
        with connected(side.server.port, context):
            side.server.presented.wait_for(count + 1, TIMEOUT)
    assert _expected(sides) == _new_to(sides, before, leaves)
