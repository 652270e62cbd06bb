"""What activation costs beyond what it cannot do without: imports and the decryption of the files.

The other side imports the very modules that activation loads, in their order, ours among them, and
opens the same PKCS12 files with ``cryptography``. The files have 2,048 rounds; with more, only the
decryption takes longer, and that stands on both sides. Files that have not changed are not opened
again, so a second activation takes less than their decryption.
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

from .interpreters import interpreting, program
from .measure import Effort, Figure, Side, alternate, alternate_difference, calls
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

_MUST_BE_ACTIVE = """
if not mxcert_runtime.is_active():
    sys.exit("the settings are not in force")
"""

_UNAVOIDABLE = """
for name in names:
    __import__(name)
from cryptography.hazmat.primitives.serialization import pkcs12
for path in paths:
    with open(path, "rb") as file:
        pkcs12.load_pkcs12(file.read(), password)
"""


@dataclass(frozen=True)
class _World:
    """PKCS12 files, and the settings that name them."""

    settings: dict[str, object]
    settings_path: str
    paths: Sequence[str]
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
        return cls(settings, str(path), paths, files.password)

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
    environment = {"MXCERT_CONFIG": world.settings_path}
    loaded = run_client(_LOADED, environment=environment, host_patterns=()).json()
    ours = program("import mxcert_runtime", check=_MUST_BE_ACTIVE)
    given = f"names, paths, password = {loaded!r}, {world.paths!r}, {world.password.encode()!r}"
    theirs = program(_UNAVOIDABLE, setup=given)
    return alternate_difference(
        name,
        Side("import that activates", interpreting(ours, environment=environment)),
        Side("imports and decryption", interpreting(theirs)),
        effort,
        loops=1,
    )


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
