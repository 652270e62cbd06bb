"""A program in C that has Python within it, where one can be linked to the Python of the tests."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.subprocesses import Finished

#: it adds each argument that is a folder, by itself, and runs every other one as a text
_SOURCE = """\
#include <Python.h>
static int add(const char *folder) {
    PyObject *site = PyImport_ImportModule("site");
    PyObject *done = site ? PyObject_CallMethod(site, "addsitedir", "s", folder) : NULL;
    if (done == NULL) PyErr_Print();
    Py_XDECREF(site);
    Py_XDECREF(done);
    return done == NULL;
}
int main(int count, char **arguments) {
    int failed = 0;
    Py_Initialize();
    for (int at = 1; at < count && !failed; at++)
        failed = arguments[at][0] == '/' ? add(arguments[at]) : PyRun_SimpleString(arguments[at]);
    return Py_FinalizeEx() < 0 || failed ? 1 : 0;
}
"""


def run_embedded(
    installation: Installation, folder: Path, environment: Mapping[str, str], *arguments: str
) -> Finished:
    """Run it with texts and folders, and with the modules of an environment.

    Python finds those by the command ``python3`` that comes first. The test is skipped where the
    program cannot be made.
    """
    return installation.run(str(_linked(folder)), *arguments, environment=environment)


def _linked(folder: Path) -> Path:
    library = sysconfig.get_config_var("LIBDIR")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        pytest.skip("this Python is no shared library that a program could be linked to")
    source, program = folder / "embedded.c", folder / "embedded"
    source.write_text(_SOURCE, encoding="utf-8")
    version = sysconfig.get_config_var("LDVERSION")
    options = [f"-I{sysconfig.get_path('include')}", f"-L{library}", f"-Wl,-rpath,{library}"]
    command = [compiler, str(source), *options, f"-lpython{version}", "-o", str(program)]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        pytest.skip("no program can be linked to this Python")
    return program
