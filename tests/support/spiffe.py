"""A SPIFFE trust domain for tests: its authority, the SVIDs of its workloads, and its agent."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .pki import Authority, Leaf, now
from .subprocesses import ROOT, client_environment

_CRITICAL = True


class TrustDomain:
    """An authority that issues X509-SVIDs as SPIRE does: one URI name, P-256, both usages."""

    def __init__(self, name: str = "fleet.test") -> None:
        self.name = name
        self.authority = Authority(f"SPIFFE {name}")

    def issue(
        self, path: str, *, hosts: Sequence[str] = (), lifetime: datetime.timedelta | None = None
    ) -> Leaf:
        """The SVID of the workload at a path of this domain; ``hosts`` are further DNS names."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(self.id_of(path))]
        names += map(x509.DNSName, hosts)
        usage = x509.KeyUsage(True, False, False, False, True, False, False, False, False)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        public_key = key.public_key()
        begin = now() - datetime.timedelta(seconds=10)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "US")]))
            .issuer_name(self.authority.certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(now() + (lifetime or datetime.timedelta(hours=1)))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), _CRITICAL)
            .add_extension(usage, _CRITICAL)
            .add_extension(x509.ExtendedKeyUsage(usages), not _CRITICAL)
            .add_extension(x509.SubjectAlternativeName(names), not _CRITICAL)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), not _CRITICAL)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.key.public_key()),
                not _CRITICAL,
            )
        )
        return Leaf(builder.sign(self.authority.key, hashes.SHA256()), key)

    def id_of(self, path: str) -> str:
        """The SPIFFE ID of a workload."""
        return f"spiffe://{self.name}/{path}"

    def svid(self, path: str, leaf: Leaf, bundle: bytes | None = None) -> dict[str, str]:
        """The SVID as the agent of :mod:`.workload_agent` takes it."""
        return {
            "spiffe_id": self.id_of(path),
            "chain": _text(leaf.der()),
            "key": _text(
                leaf.key.private_bytes(
                    serialization.Encoding.DER,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            ),
            "bundle": _text(self.authority.der if bundle is None else bundle),
        }


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


class AgentProcess:
    """The process of an agent on a socket; it may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "agent.sock"
        self._process: subprocess.Popen[str] | None = None
        self._last: str | None = None

    @property
    def url(self) -> str:
        """The socket as ``SPIFFE_ENDPOINT_SOCKET`` names it."""
        return f"unix://{self.path}"

    def start(self) -> None:
        """Serve; what was sent last is sent to every stream again."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.workload_agent", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=client_environment(host_patterns=()),
        )
        self.wait_for("listening")
        if self._last is not None:
            self._write(self._last)

    def send(self, *svids: Mapping[str, str], federated: Mapping[str, bytes] | None = None) -> None:
        """Send these SVIDs, the first being the default one; none is: no identity issued."""
        bundles = {domain: _text(bundle) for domain, bundle in (federated or {}).items()}
        self._last = json.dumps({"svids": svids, "federated": bundles})
        self._write(self._last)

    def wait_for(self, event: str) -> dict[str, Any]:
        """Read what the agent tells until it tells that."""
        process = self._running()
        assert process.stdout is not None
        for line in process.stdout:
            told: dict[str, Any] = json.loads(line)
            if told["event"] == event:
                return told
        raise AssertionError(f"the agent ended without {event!r}")

    def next_event(self) -> str:
        """What it tells next."""
        process = self._running()
        assert process.stdout is not None
        event: str = json.loads(process.stdout.readline())["event"]
        return event

    def end(self) -> None:
        """End it in order: its streams are closed, and its socket goes."""
        process, self._process = self._running(), None
        process.communicate()

    def kill(self) -> None:
        """End it at once, as a crash does: its socket stays behind."""
        process, self._process = self._running(), None
        process.kill()
        process.communicate()

    def _write(self, line: str) -> None:
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        self.wait_for("updated")

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the agent is not running"
        return self._process

    def close(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.kill()


@contextlib.contextmanager
def running_agent(folder: Path) -> Iterator[AgentProcess]:
    """An agent that serves until the end."""
    agent = AgentProcess(folder)
    agent.start()
    try:
        yield agent
    finally:
        agent.close()
