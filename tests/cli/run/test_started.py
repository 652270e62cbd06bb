"""``mxcert run``: what it starts is as without it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.client_files import ClientFiles
from tests.support.installation import TIMEOUT, Installation
from tests.support.pki import Leaf

_STATE = """\
import json, os, signal, ssl, sys
in_force = sys.modules.get("mxcert_runtime.decisions.in_force")
sys.exit(json.dumps([os.getpid(), sys.argv[1:], os.environ.get("MXCERT_CONFIG"),
                     in_force is not None and in_force.current is not None]))
"""


def test_the_settings_file(
    installation: Installation, client_files: ClientFiles, alpha: Leaf
) -> None:
    """``--config`` holds for the program wherever it goes, and all its arguments are its own."""
    path = client_files.pkcs12(alpha, "alpha.p12")
    text = f'[[identity]]\nname = "alpha"\npkcs12 = "{path}"\npassword = "{client_files.password}"'
    (client_files.folder / "mxcert.toml").write_text(text, encoding="utf-8")
    arguments = ["--json", "--config", "other", "--", "-h"]
    command = [installation.script("mxcert"), "run", "--config", "mxcert.toml"]

    with subprocess.Popen(
        [*command, "--", "python", "-c", _STATE, *arguments],
        env=installation.environment(),
        cwd=client_files.folder,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        _, stderr = process.communicate(timeout=TIMEOUT)

    assert 1 == process.returncode
    config = str(client_files.folder / "mxcert.toml")
    assert [process.pid, arguments, config, True] == json.loads(stderr)


_INHERITING = """\
import json, os, subprocess, sys, mxcert_runtime
def said():
    return [os.environ.get(name) for name in ("MXCERT_CONFIG", "MXCERT_AUTOSTART")]
before = said()
with open("mxcert.json") as file:
    settings = json.load(file)
with open("mxcert.json", "w") as file:
    json.dump({**settings, "inherit": False}, file)
mxcert_runtime.reload()
inner = [sys.argv[1], "run", "--", sys.executable, "-c", "import ssl, os; print(os.environ)"]
told = subprocess.run(inner, stdout=subprocess.PIPE, encoding="utf-8").stdout
print(json.dumps([before, said(), "MXCERT_CONFIG" in told, "MXCERT_AUTOSTART" in told]))
"""


def test_a_settings_file_that_keeps_it_from_children(
    installation: Installation, client_files: ClientFiles, alpha: Leaf
) -> None:
    """What the command says to children a settings file may take back: when it is read again, and
    in another program that is started by the command."""
    entry = client_files.identity("alpha", alpha, hosts=["localhost"])
    path = client_files.folder / "mxcert.json"
    path.write_text(json.dumps({"identity": [entry]}), encoding="utf-8")
    mxcert = installation.script("mxcert")
    done = subprocess.run(
        [mxcert, "run", "--", "python", "-c", _INHERITING, mxcert],
        env=installation.environment({"MXCERT_CONFIG": path.name}),
        cwd=path.parent,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=True,
    )
    before, after = [str(path), "1"], [str(path), None]
    assert [before, after, True, False] == json.loads(done.stdout)


@pytest.mark.parametrize(
    "command",
    [
        "exit 3",
        "kill -TERM $$",
        "kill -PIPE $$; exit 4",
        "cat; echo told >&2; pwd; ls /proc/self/fd",
    ],
)
def test_the_same_as_without(
    installation: Installation, settings: dict[str, str], tmp_path: Path, command: str
) -> None:
    """Exit status, signals and what they do, standard streams, working directory, open files."""
    shell = ["sh", "-c", command]

    plain = installation.run(*shell, folder=tmp_path, stdin="typed\n", environment=settings)
    run = installation.run(
        *(installation.script("mxcert"), "run", "--allow-any-program", "--", *shell),
        folder=tmp_path,
        stdin="typed\n",
        environment=settings,
    )

    assert plain == run
