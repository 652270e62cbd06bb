"""A program in C that has Python within it presents its identity like any other."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.start.first_tls.calls import CALL, assert_presented
from tests.support.installation import Installations
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

_EMBEDDED = """\
#include <Python.h>
int main(int count, char **arguments) {
    Py_Initialize();
    int failed = PyRun_SimpleString(arguments[1]);
    return Py_FinalizeEx() < 0 || failed ? 1 : 0;
}
"""


def _compiled(folder: Path) -> Path | None:
    """A program in C that runs a text by an interpreter within it, where that can be made."""
    library = sysconfig.get_config_var("LIBDIR")
    compiler = shutil.which("cc")
    if compiler is None or not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        return None
    source, program = folder / "embedded.c", folder / "embedded"
    source.write_text(_EMBEDDED, encoding="utf-8")
    version = sysconfig.get_config_var("LDVERSION")
    options = [f"-I{sysconfig.get_path('include')}", f"-L{library}", f"-Wl,-rpath,{library}"]
    command = [compiler, str(source), *options, f"-lpython{version}", "-o", str(program)]
    done = subprocess.run(command, check=False, capture_output=True)
    return program if done.returncode == 0 else None


def test_an_embedded_interpreter(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """A program in C that has Python within it, without arguments of its own."""
    program = _compiled(tmp_path)
    if program is None:
        pytest.skip("no program can be linked to this Python")
    installation = installations.wheel
    site = f"import site; site.addsitedir({str(installation.packages)!r})\n"

    done = installation.run(
        *(str(program), f"{site}{CALL}\ncall()\n"),
        environment={**environment, "PYTHONHOME": sys.base_prefix},
    )

    assert_presented(done, server, alpha.fingerprint)
