"""The certificate files of the benchmarks: a server and clients of one authority of the tests.

All keys are on P-256, so that a handshake costs little and the client's own work shows. What
verifies the server is certifi's bundle with the root behind it, so that trust costs what it costs
outside.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.pki import Authority, Leaf

#: What every host of the benchmarks ends with; `.test` is nobody's (RFC 6761).
DOMAIN = "bench.test"
PASSWORD = "benchmark"

#: as cryptography takes them by default
_ROUNDS = 20_000


@dataclass(frozen=True)
class Certificates:
    """The files of the benchmarks, all in one folder that its maker removes."""

    authority: Authority
    folder: Path
    #: the root alone
    root: str
    #: certifi's bundle with the root behind it
    bundle: str
    #: certificate and key, PEM
    server: tuple[str, str]
    #: certificate and key, PEM
    client: tuple[str, str]
    #: the same identity as ``client``
    client_pkcs12: str
    #: another identity of the same authority
    second_pkcs12: str


def make_certificates(folder: Path) -> Certificates:
    """Write everything into a folder."""
    import certifi

    authority = Authority("Benchmark root")
    root, bundle = folder / "root.crt", folder / "bundle.crt"
    root.write_bytes(authority.pem)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.pem)
    server = authority.issue("server", hosts=(DOMAIN, f"*.{DOMAIN}"))
    client = authority.issue("client")
    return Certificates(
        authority=authority,
        folder=folder,
        root=str(root),
        bundle=str(bundle),
        server=_write_pem(server, folder, "server"),
        client=_write_pem(client, folder, "client"),
        client_pkcs12=write_pkcs12(client, folder, "client"),
        second_pkcs12=write_pkcs12(authority.issue("second"), folder, "second"),
    )


def write_pkcs12(leaf: Leaf, folder: Path, stem: str, rounds: int = _ROUNDS) -> str:
    """``stem.p12`` in the folder; with a single round it is quick to make and to open."""
    path = folder / f"{stem}.p12"
    path.write_bytes(leaf.pkcs12(PASSWORD, rounds=rounds))
    return str(path)


def _write_pem(leaf: Leaf, folder: Path, stem: str) -> tuple[str, str]:
    certificate, key = leaf.write_pem(folder, stem)
    return str(certificate), str(key)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="mxcert-bench-") as folder:
        yield Path(folder)
