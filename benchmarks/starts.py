"""What a start of the interpreter takes beside the same without mxcert_runtime.

Each side is a whole process. Where identities are loaded, the other side decrypts the same files
straight with ``cryptography``, so that what is compared is what this package adds to that. The
PKCS12 files have the 20,000 rounds that cryptography gives them. By the clock it matters how many
processors there are, since this package derives keys on all of them at once and the loop on one:
so what many identities take is told in time of the processor too.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import subprocess
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.pki import Authority

from .certificates import PASSWORD, temporary_folder, write_pkcs12
from .interpreter_start import make_environment
from .measure import Amount, Effort, Figure, Side, alternate, alternate_difference
from .workers import ROOT, by_hand, clean_environment

NAME = "starts"
WORKERS = 1

_SIZES = (0, 1, 10, 100, 1_000)
#: pairs, where one takes many seconds
_FEW = 5
#: starts Python by a command, in an environment, and gives the seconds that it took
_Clock = Callable[[Sequence[str], Mapping[str, str]], float]
#: far more than a thousand identities take
_TIMEOUT = 300.0
_DECRYPT = """
import json, os, sys{more}
from cryptography.hazmat.primitives.serialization import pkcs12
with open(sys.argv[1], "rb") as file:
    entries = json.load(file)["identity"]
for entry in entries:
    with open(entry["pkcs12"], "rb") as file:
        pkcs12.load_pkcs12(file.read(), entry["password"].encode())
"""


class _Starts:
    """An environment with the ``.pth`` file, and files of identities."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        file = (ROOT / "mxcert_runtime" / "autostart.pth").read_text("ascii")
        self._python = make_environment(folder / "environment", file, self._paths()) / "bin/python"
        authority = Authority()
        self._pkcs12, self._pem = [], []
        for number in range(count):
            stem, leaf = f"identity-{number}", authority.issue(f"client {number}")
            hosts = [f"host-{number}-{each}.example" for each in range(10)]
            entry = {"name": stem, "hosts": hosts}
            path = write_pkcs12(leaf, folder, stem)
            self._pkcs12.append({**entry, "pkcs12": path, "password": PASSWORD})
            certificate, key = map(str, leaf.write_pem(folder, stem))
            self._pem.append({**entry, "certificate": certificate, "key": key})

    @staticmethod
    def _paths() -> Sequence[str]:
        return (str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))

    def settings(self, count: int) -> str:
        """The path of a file with so many identities, each with ten rules."""
        return self._written(f"{count}.json", self._pkcs12[:count])

    def pem_settings(self, count: int) -> str:
        """The same with PEM files without a password."""
        return self._written(f"{count}-pem.json", self._pem[:count])

    def _written(self, name: str, entries: Sequence[Mapping[str, Any]]) -> str:
        path = self._folder / name
        path.write_text(json.dumps({"identity": entries}), encoding="utf-8")
        return str(path)

    def running(self, label: str, *arguments: str, **variables: str) -> Side:
        """Starts Python so and waits for its end, by the clock."""
        return self._timed(_by_the_clock, label, arguments, variables)

    def working(self, label: str, *arguments: str, **variables: str) -> Side:
        """The same in time of the processor, of all its threads together."""
        return self._timed(_by_the_processor, label, arguments, variables)

    def _timed(
        self, clock: _Clock, label: str, arguments: Sequence[str], variables: Mapping[str, str]
    ) -> Side:
        command = [str(self._python), *arguments]
        environment = {**clean_environment(), **variables}
        environment.pop("PYTHONPATH")
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PATH"] = os.pathsep.join((str(self._python.parent), environment["PATH"]))
        return Side(label, lambda loops: sum(clock(command, environment) for _ in range(loops)))


def _by_the_clock(command: Sequence[str], environment: Mapping[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, timeout=_TIMEOUT)
    return time.perf_counter() - start


def _by_the_processor(command: Sequence[str], environment: Mapping[str, str]) -> float:
    start = _of_children()
    subprocess.run(command, env=environment, check=True, timeout=_TIMEOUT)
    return _of_children() - start


def _of_children() -> float:
    """Seconds of the processor, in the program and in the kernel, of all that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _without_requests(starts: _Starts, effort: Effort) -> list[Figure]:
    file = starts.settings(1)
    asked = {"MXCERT_AUTOSTART": "1", "MXCERT_CONFIG": file}
    bare = starts.running("python", "-c", "")
    command = "import sys; sys.argv[0] = 'mxcert'; from mxcert_runtime.cli import main; main()"
    run = ("-c", command, "run", "--", "python", "-c", "")
    decrypt = starts.running("decryption", "-c", _DECRYPT.format(more=", ssl"), file)
    idle = starts.running("autostart", "-c", "", **asked)
    with_tls = starts.running("autostart", "-c", "import ssl", **asked)
    import_it = starts.running("import", "-c", "import mxcert_runtime", MXCERT_CONFIG=file)
    started = starts.running("mxcert run", *run, MXCERT_CONFIG=file)
    return [
        alternate_difference("autostart, no TLS", idle, bare, effort, loops=1),
        alternate("autostart, TLS, 1 identity", with_tls, decrypt, effort, loops=1),
        alternate("import, 1 identity", import_it, decrypt, effort, loops=1),
        alternate_difference("mxcert run, no TLS", started, bare, effort, loops=1),
    ]


def _with_requests(starts: _Starts, size: int, effort: Effort) -> Figure:
    count = effort.sized(size)
    file = starts.settings(count)
    variables = {"MXCERT_CONFIG": file} if count else {}
    ours = starts.running("import", "-c", "import mxcert_runtime, requests", **variables)
    code = _DECRYPT.format(more=", requests") if count else "import requests"
    theirs = starts.running("decryption", "-c", code, file)
    return alternate(f"requests, {size:,} identities", ours, theirs, effort, loops=1)


def _by_processor(starts: _Starts, effort: Effort) -> Figure:
    size = max(_SIZES)
    file = starts.settings(effort.sized(size))
    ours = starts.working("import", "-c", "import mxcert_runtime", MXCERT_CONFIG=file)
    theirs = starts.working("decryption", "-c", _DECRYPT.format(more=", ssl"), file)
    name = f"import, {size:,} identities, time of the processor"
    return alternate(name, ours, theirs, effort, loops=1)


def _with_pem(starts: _Starts, effort: Effort) -> Figure:
    """Nothing to derive: what is left is all of this package."""
    file = starts.pem_settings(effort.sized(max(_SIZES)))
    timed = starts.running("import", "-c", "import mxcert_runtime", MXCERT_CONFIG=file).timed
    timed(1)
    values = tuple(timed(1) for _ in range(effort.pairs))
    return Amount("import, 1,000 identities in unencrypted PEM", "second", values)


def measure(effort: Effort) -> list[Figure]:
    """Without TLS, with it, by ``mxcert run``, and for each number of identities."""
    fewer = dataclasses.replace(effort, pairs=min(effort.pairs, _FEW))
    with temporary_folder() as folder:
        starts = _Starts(folder, effort.sized(max(_SIZES)))
        figures = _without_requests(starts, effort)
        for size in _SIZES:
            figures.append(_with_requests(starts, size, fewer if size > 100 else effort))
        return [*figures, _by_processor(starts, fewer), _with_pem(starts, fewer)]


if __name__ == "__main__":
    by_hand(NAME)
