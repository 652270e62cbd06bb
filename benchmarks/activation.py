"""What activation costs beyond what it cannot do without: imports and the decryption of the files.

A fresh process imports all modules that activation loads, ours among them, and has OpenSSL find its
algorithms by opening one more file. Then it activates, and opens the same PKCS12 files straight
with ``cryptography``; in every other process the other way round. The files have one round of key
derivation; with more, only the decryption takes longer, on both sides. Files that have not changed
are not opened again, so a second activation takes less than their decryption.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority
from tests.support.subprocesses import run_client

from .figures import Difference, Pair
from .interpreters import in_one_worker, interpret
from .measure import Effort, Figure, Side, alternate, calls
from .workers import by_hand

NAME = "activation"
WORKERS = 1

_LOADED = """
import sys
before = set(sys.modules)
import mxcert_runtime
specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
# What an extension module puts there by itself has no origin, and cannot be imported.
names = [spec.name for spec in specs if spec is not None and spec.origin is not None]
import json
print(json.dumps([name for name in names if name not in before]))
"""

_BOTH = """
import os, sys, time
for name in names:
    __import__(name)
from cryptography.hazmat.primitives.serialization import pkcs12

def decrypt(paths):
    for path in paths:
        with open(path, "rb") as file:
            pkcs12.load_pkcs12(file.read(), password)

def activate(paths):
    mxcert_runtime.activate()

import mxcert_runtime
decrypt([spare])
os.environ["MXCERT_CONFIG"] = settings
seconds = {}
for side in order:
    start = time.process_time()
    globals()[side](paths)
    seconds[side] = time.process_time() - start
if not mxcert_runtime.is_active():
    sys.exit("the settings are not in force")
print(seconds["activate"], seconds["decrypt"])
"""


@dataclass(frozen=True)
class _World:
    """PKCS12 files, and the settings that name them."""

    settings: dict[str, object]
    settings_path: str
    paths: Sequence[str]
    #: a file beside them, which no setting names
    spare: str
    password: str

    @classmethod
    def make(cls, folder: Path, count: int) -> _World:
        files, authority = ClientFiles(folder), Authority().intermediate()
        entries = [
            files.identity(f"identity {n}", authority.issue(f"client {n}"), hosts=[f"h{n}.example"])
            for n in range(count)
        ]
        settings: dict[str, object] = {"identity": entries}
        path = folder / "mxcert.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        paths = [entry["pkcs12"] for entry in entries]
        spare = files.identity("spare", authority.issue("spare"))["pkcs12"]
        return cls(settings, str(path), paths, spare, files.password)

    def activate(self) -> None:
        """All of it, hooks included, in the place of what is in force."""
        mxcert_runtime.deactivate()
        mxcert_runtime.activate(self.settings)

    def decrypt(self) -> None:
        """The files, straight by ``cryptography``."""
        for path in self.paths:
            content = Path(path).read_bytes()
            pkcs12.load_pkcs12(content, self.password.encode())


def _first_in_a_process(world: _World, name: str, effort: Effort) -> Figure:
    loaded = run_client(
        _LOADED, environment={"MXCERT_CONFIG": world.settings_path}, host_patterns=()
    ).json()
    given = {
        "names": loaded,
        "paths": world.paths,
        "spare": world.spare,
        "password": world.password.encode(),
        "settings": world.settings_path,
    }

    def take_pair(turn: int) -> Pair:
        order = ["activate", "decrypt"] if turn % 2 else ["decrypt", "activate"]
        assigned = [f"{name} = {value!r}" for name, value in {**given, "order": order}.items()]
        ours, theirs = interpret("\n".join([*assigned, _BOTH])).split()
        return Pair(float(ours), float(theirs))

    pairs = tuple(map(take_pair, range(in_one_worker(effort).pairs)))
    return Difference(name, "activate", "decryption", pairs)


def _again(world: _World, name: str, effort: Effort) -> Figure:
    ours = Side("deactivate and activate", calls(world.activate))
    theirs = Side("decryption", calls(world.decrypt))
    return alternate(f"{name}, again with unchanged files", ours, theirs, effort, loops=1)


def measure(effort: Effort) -> list[Figure]:
    """1, 10 and 100 identities, first in a fresh process, and then again in a running one."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 10, 100):
            parent = Path(folder, str(count))
            parent.mkdir()
            world = _World.make(parent, effort.sized(count))
            name = "1 identity" if count == 1 else f"{count} identities"
            figures.append(_first_in_a_process(world, name, effort))
            figures.append(_again(world, name, effort))
    return figures


if __name__ == "__main__":
    by_hand(NAME)
