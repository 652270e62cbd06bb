"""Hooks of a library are imported once it is; what the table says of them is what they are."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

import pytest

from mxcert_runtime import hooks
from mxcert_runtime.hooks.library import LateLibrary, Library
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf
from tests.support.subprocesses import run_client

LATE = [each for each in hooks.LIBRARIES if isinstance(each, LateLibrary)]


@pytest.mark.parametrize("late", LATE, ids=lambda each: each.module)
def test_found_by_its_file(late: LateLibrary) -> None:
    """A row names a file that has the hooks of that module."""
    assert late.module == late.found().module


def _all_libraries() -> list[Library]:
    found = []
    for each in pkgutil.walk_packages(hooks.__path__, f"{hooks.__name__}."):
        module = importlib.import_module(each.name)
        found += [*getattr(module, "LIBRARIES", ()), *filter(None, [vars(module).get("LIBRARY")])]
    return found


def test_no_library_is_left_out() -> None:
    """What any file of hooks offers has its row, once."""
    expected = Counter(each.module for each in _all_libraries())
    assert expected == Counter(each.module for each in hooks.LIBRARIES)


def test_only_what_is_loaded_has_its_hooks(client_files: ClientFiles, alpha: Leaf) -> None:
    """Without the library no module of its hooks; with it the hooks, before anybody has it."""
    program = """
        import sys
        import mxcert_runtime
        before = "mxcert_runtime.hooks.pyopenssl.connections" in sys.modules
        import OpenSSL.SSL
        after = "mxcert_runtime.hooks.pyopenssl.connections" in sys.modules
        others = "mxcert_runtime.hooks.twisted_agents" in sys.modules
        import json
        print(json.dumps([before, after, others]))
    """
    variables = client_files.variables(alpha)
    assert [False, True, False] == run_client(program, environment=variables).json()


@pytest.mark.parametrize(("version", "is_known"), [("26.0.0", True), ("999.0", False)])
def test_pyopenssl_of_another_version(
    client_files: ClientFiles, alpha: Leaf, version: str, is_known: bool
) -> None:
    """pyOpenSSL says its version when its connections are long loaded: that one is heeded."""
    program = """
        import importlib.util, json, logging, pathlib, re, shutil, sys
        import mxcert_runtime
        from mxcert_runtime.start import swap
        [folder] = importlib.util.find_spec("OpenSSL").submodule_search_locations
        shutil.copytree(folder, "OpenSSL")
        said = pathlib.Path("OpenSSL", "version.py")
        text = re.sub('__version__ = ".*"', f'__version__ = "{sys.argv[1]}"', said.read_text())
        said.write_text(text)
        import OpenSSL
        print(json.dumps([OpenSSL.__version__, "OpenSSL" in swap.hooked()]))
    """
    done = run_client(program, version, environment=client_files.variables(alpha))
    assert [version, is_known] == done.json()
    assert (not is_known) == ("present no certificate" in done.stderr)


_BROKEN = """
    import sys
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("mxcert_runtime.hooks.pyopenssl"):
                raise ImportError("half a disk")
    sys.meta_path.insert(0, Broken())
"""


def test_hooks_that_cannot_be_imported(client_files: ClientFiles, alpha: Leaf) -> None:
    """A program that has the library is told so, and what it loses; one that has it before the
    plugin is not activated, with an error of the plugin's own."""
    settings = client_files.variables(alpha)
    late = run_client(
        _BROKEN + "    import mxcert_runtime, OpenSSL.SSL; print([1])", environment=settings
    )
    early = run_client(_BROKEN + "    import OpenSSL.SSL, mxcert_runtime", environment=settings)
    told = "the hooks of OpenSSL.SSL cannot be imported (ImportError: half a disk)"
    assert [1] == late.json()
    assert f"OpenSSL.SSL cannot be hooked: {told}" in late.stderr
    assert "its connections present no certificate" in late.stderr
    assert 1 == early.returncode
    assert f"PatchError: {told}" in early.stderr
