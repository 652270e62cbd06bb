"""The finder that sees an import: it acts once, and every module is loaded as without it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path

import pytest

from mxcert_runtime.start.import_watch import ImportWatch, find_unwatched
from tests.support.subprocesses import run_client

FINDERS = [BuiltinImporter, FrozenImporter, PathFinder]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """On ``sys.path``, with a module and a package that count how often they are loaded."""
    (tmp_path / "watched_module.py").write_text("import loads; loads.seen.append(1)\n", "utf-8")
    (tmp_path / "watched_package").mkdir()
    init = tmp_path / "watched_package" / "__init__.py"
    init.write_text("import loads; loads.seen.append(1)\n", "utf-8")
    (tmp_path / "watched_package" / "inner.py").touch()
    (tmp_path / "loads.py").write_text("seen = []\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(FINDERS))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_it_acts_once(folder: Path) -> None:
    """No import is missed, and the finders keep their places: other threads are among them."""
    acts: list[int] = []
    watch = ImportWatch(lambda name: name == "watched_module", lambda: acts.append(1))
    watch.start()
    watch.start()

    importlib.import_module("watched_package")
    before = len(acts)
    importlib.import_module("watched_module")
    importlib.import_module("watched_package.inner")

    assert (0, 1) == (before, len(acts))
    assert [watch, *FINDERS] == sys.meta_path
    assert [1, 1] == sys.modules["loads"].seen


def test_a_finder_of_the_old_kind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that importlib serves up to Python 3.11, and skips later, hides no module."""

    class Old:
        def find_module(self, name: str, path: object = None) -> None:
            """Find nothing."""

    monkeypatch.setattr(sys, "meta_path", [Old(), *sys.meta_path])
    assert find_unwatched("watched_module") is not None
    assert find_unwatched("watched_missing") is None


@pytest.mark.parametrize("name", ["watched_module", "watched_package"])
def test_a_module_that_the_act_imports(folder: Path, name: str) -> None:
    """It is loaded once: the import that was watched gets the one that is there, whole."""
    loaded: list[object] = []
    ImportWatch(name.__eq__, lambda: loaded.append(importlib.import_module(name))).start()

    module = importlib.import_module(name)

    assert [module] == loaded
    assert [1] == sys.modules["loads"].seen
    spec = module.__spec__
    assert spec is not None
    assert (name, spec.origin) == (spec.name, module.__file__)
    assert importlib.reload(module) is module
    assert [1, 1] == sys.modules["loads"].seen


def test_a_package_that_the_act_imports(folder: Path) -> None:
    """What is in it is found."""
    name = "watched_package"
    ImportWatch(name.__eq__, lambda: importlib.import_module(name)).start()

    assert "watched_package.inner" == importlib.import_module("watched_package.inner").__name__


def test_a_module_that_is_loaded_anew(folder: Path) -> None:
    """Where its import is due then, it is: nobody takes the one that is there for it."""
    module = importlib.import_module("watched_module")
    ImportWatch("watched_module".__eq__, lambda: None).start()

    importlib.reload(module)

    assert [1, 1] == sys.modules["loads"].seen


def test_a_search_that_loads_nothing(folder: Path) -> None:
    """Who only looks for the module is told where it comes from, and can read its source."""
    name = "watched_module"
    ImportWatch(name.__eq__, lambda: importlib.import_module(name)).start()

    spec = importlib.util.find_spec(name)

    assert spec is not None
    assert str(folder / "watched_module.py") == spec.origin
    assert "loads" in spec.loader.get_source(name)  # type: ignore[union-attr]


def test_two_watches(folder: Path) -> None:
    """One does not hear of what another looks for."""
    heard: list[str] = []
    ImportWatch(lambda name: heard.append(name) or False, lambda: None).start()  # type: ignore[func-returns-value]

    assert find_unwatched("watched_module") is not None
    assert None is find_unwatched("no_such_module")
    assert [] == heard


_TWO_THREADS = """
    import importlib, pathlib, sys, threading
    from mxcert_runtime.start.import_watch import ImportWatch
    begun, acting = threading.Event(), threading.Event()
    pathlib.Path("slow.py").write_text(
        "import __main__\\n__main__.begun.set()\\nassert __main__.acting.wait(60)\\nimport fast\\n"
    )
    pathlib.Path("fast.py").touch()
    pathlib.Path("due.py").touch()

    def act():
        acting.set()
        importlib.import_module("slow")

    threading.Thread(target=importlib.import_module, args=("slow",), daemon=True).start()
    assert begun.wait(60)
    ImportWatch("due".__eq__, act).start()
    import due
    print("[true]")
"""


def test_what_another_thread_is_loading() -> None:
    """Who acts may need what another thread is loading, which itself asks finders: none waits."""
    assert [True] == run_client(_TWO_THREADS).json()
