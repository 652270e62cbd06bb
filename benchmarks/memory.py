"""What identities take in memory, idle and each used once; every value from a fresh process.

A used identity has made one connection on a context that trusts as much as certifi's bundle. Such
a bundle parsed takes 600 KB, so what counts is in how many contexts it stands.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.support.pki import Authority

from .certificates import (
    Certificates,
    make_certificates,
    temporary_folder,
    write_pkcs12,
)
from .measure import Amount, Effort, Figure
from .memory_probe import Found, Task
from .quick_server import Kind, QuickServer
from .workers import by_hand, clean_environment

NAME = "memory"
WORKERS = 1

_SIZES = (1, 100, 1_000)
#: far more than a thousand handshakes take
_TIMEOUT = 300.0


def _make_identities(authority: Authority, folder: Path, count: int) -> None:
    """As many PKCS12 files, quick to open: what counts is what is left of them."""
    for number in range(count):
        leaf = authority.issue(f"client {number}")
        write_pkcs12(leaf, folder, f"identity-{number}", rounds=1)


def _run(task: Task) -> Found:
    command = [sys.executable, "-m", "benchmarks.memory_probe", json.dumps(asdict(task))]
    done = subprocess.run(
        command,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_TIMEOUT,
    )
    return Found(**json.loads(done.stdout))


def _ask(size: int, certificates: Certificates, port: int, effort: Effort) -> list[Figure]:
    count = effort.sized(size)
    task = Task(
        identities=count, folder=str(certificates.folder), bundle=certificates.bundle, port=port
    )
    found = [_run(task) for _ in range(min(3, effort.pairs))]
    name = "1 identity" if size == 1 else f"{size:,} identities"
    used = f"{name}, each used once"
    return [
        Amount(f"{name}, idle", "byte", tuple(each.idle for each in found)),
        Amount(used, "byte", tuple(each.used for each in found)),
        Amount(f"{used}, contexts", "count", tuple(each.contexts for each in found)),
        Amount(f"{used}, copies of the trust", "count", tuple(each.copies for each in found)),
    ]


def measure(effort: Effort) -> list[Figure]:
    """Bytes for each number of identities, and in how many contexts the bundle stands."""
    with temporary_folder() as folder:
        certificates = make_certificates(folder)
        _make_identities(certificates.authority, folder, effort.sized(max(_SIZES)))
        with QuickServer(certificates.server, certificates.root) as server:
            port = server.ports[Kind.DEMANDING]
            figures = [_ask(size, certificates, port, effort) for size in _SIZES]
    return [each for part in figures for each in part]


if __name__ == "__main__":
    by_hand(NAME)
