"""Libraries: patched when they are loaded, whoever loads them and however."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any

import pytest

from mxcert_runtime.base import call_when_loaded
from mxcert_runtime.hooks import patching
from mxcert_runtime.hooks.patching import Patches
from tests.hooks.libraries import Libraries, library_of
from tests.hooks.samples import own


def test_a_loaded_library_is_patched_at_once(libraries: Libraries) -> None:
    """What is loaded is patched, once, and undone."""
    name = libraries.write()
    module = importlib.import_module(name)
    patches = Patches((library_of(name, "Thing.act", "work"),))
    assert () == patches.names
    patches.apply()
    patches.apply()
    assert ("<act>", "<work>", (name,)) == (module.Thing().act(), module.work(), patches.names)
    patches.undo()
    patches.undo()
    assert ("act", "work", ()) == (module.Thing().act(), module.work(), patches.names)


def test_a_library_is_patched_when_it_is_loaded(libraries: Libraries) -> None:
    """Applying imports nothing; who imports later has it patched."""
    name = libraries.write()
    patches = Patches((library_of(name, "Thing.act"),))
    patches.apply()
    assert name not in sys.modules
    assert () == patches.names
    module = importlib.import_module(name)
    assert ("<act>", (name,)) == (module.Thing().act(), patches.names)
    patches.undo()
    assert "act" == module.Thing().act()


class OldFinder:
    """A finder and loader as older versions of `six` bring it, which Python serves up to 3.11."""

    def __init__(self, name: str = "") -> None:
        self._name = name

    def find_module(self, name: str, path: object = None) -> OldFinder | None:
        return self if name == self._name else None

    def load_module(self, name: str) -> ModuleType:
        module = sys.modules[name] = ModuleType(name)
        module.__loader__ = self
        module.work = lambda: "old"  # type: ignore[attr-defined]
        return module


@pytest.mark.filterwarnings("ignore::ImportWarning")
def test_finders_of_the_old_kind(libraries: Libraries, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hinders no hook, and a library that is not there is missing as ever."""
    monkeypatch.setattr(sys, "meta_path", [OldFinder(), *sys.meta_path, OldFinder()])
    name, missing = libraries.write(), "mxcert_test_missing_library"
    patches = Patches((library_of(name, "work"), library_of(missing, "work")))
    patches.apply()
    module = importlib.import_module(name)
    if sys.version_info < (3, 12):
        with pytest.raises(ModuleNotFoundError, match=missing):
            importlib.import_module(missing)
    assert ("<work>", (name,)) == (module.work(), patches.names)
    patches.undo()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="importlib asks them no more")
@pytest.mark.filterwarnings("ignore::ImportWarning")
def test_a_library_of_an_old_finder(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only such a finder finds is patched too."""
    name = "mxcert_test_old_library"
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, OldFinder(name)])
    patches = Patches((library_of(name, "work"),))
    patches.apply()
    try:
        assert "<old>" == importlib.import_module(name).work()
    finally:
        patches.undo()
        sys.modules.pop(name, None)


def test_a_library_loaded_after_undo_stays_alone(libraries: Libraries) -> None:
    """Nothing is patched while nothing is applied, and all of it once it is again."""
    name = libraries.write()
    patches = Patches((library_of(name, "Thing.act"),))
    patches.apply()
    patches.undo()
    module = importlib.import_module(name)
    assert "act" == module.Thing().act()
    patches.apply()
    assert "<act>" == module.Thing().act()
    patches.undo()
    assert "act" == module.Thing().act()


def test_many_rounds_wrap_once(libraries: Libraries) -> None:
    """However often applied and undone before the import, it is patched once."""
    name = libraries.write()
    patches = Patches((library_of(name, "Thing.act"),))
    for _ in range(3):
        patches.apply()
        patches.undo()
    patches.apply()
    assert "<act>" == importlib.import_module(name).Thing().act()
    patches.undo()


def test_a_blocked_library_is_not_loaded(
    libraries: Libraries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``sys.modules[name] = None`` forbids an import; it does not say that the module is loaded."""
    name = libraries.write()
    monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    patches = Patches((library_of(name, "Thing.act"),))
    patches.apply()
    assert () == patches.names
    patches.undo()


def test_undo_goes_backwards(libraries: Libraries) -> None:
    """The last patch is undone first, so that two on one attribute restore it exactly."""
    name = libraries.write()
    module = importlib.import_module(name)
    before = own(module.Thing, "act")
    patches = Patches((library_of(name, "Thing.act", "Thing.act"), library_of(name, "work")))
    patches.apply()
    assert "<<act>>" == module.Thing().act()
    patches.undo()
    assert own(module.Thing, "act") is before


def test_libraries_are_patched_in_order(libraries: Libraries) -> None:
    """The order of the libraries is the order of the patches."""
    names = [libraries.write(), libraries.write()]
    for name in reversed(names):
        importlib.import_module(name)
    patches = Patches(tuple(library_of(name, "work") for name in names))
    patches.apply()
    assert tuple(names) == patches.names
    patches.undo()


def test_a_load_that_ends_unseen(libraries: Libraries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library whose load ends in another thread, just when it is watched, is patched."""
    name = libraries.write("import threading\nbegun.set(); assert ending.wait(60)")
    begun, ending = threading.Event(), threading.Event()
    monkeypatch.setattr(builtins, "begun", begun, raising=False)
    monkeypatch.setattr(builtins, "ending", ending, raising=False)
    thread = threading.Thread(target=importlib.import_module, args=(name,), daemon=True)
    thread.start()
    assert begun.wait(60)

    def too_late(spec: Any, call: Any) -> bool:
        ending.set()
        thread.join(60)
        return call_when_loaded(spec, call)

    monkeypatch.setattr(patching, "call_when_loaded", too_late)
    patches = Patches((library_of(name, "work"),))
    patches.apply()
    assert ("<work>", (name,)) == (sys.modules[name].work(), patches.names)
    patches.undo()


def test_undone_while_a_library_is_patched(libraries: Libraries) -> None:
    """What another thread undoes just then stays undone."""
    name = libraries.write()
    patches = Patches((library_of(name, "work", prepare=lambda: patches.undo()),))
    patches.apply()
    module = importlib.import_module(name)
    assert ("work", ()) == (module.work(), patches.names)


def test_others_in_force_while_a_library_is_patched(libraries: Libraries) -> None:
    """A library keeps in the end what is kept by all, however the two threads come."""
    name = libraries.write()
    kept: list[object] = []

    def keep_only(identities: Any) -> None:
        if not kept:
            kept.append("begun")
            patches.keep_only(["new"])  # type: ignore[list-item]
        kept.append(identities)

    patches = Patches((library_of(name, "work", keep_only=keep_only),))
    patches.keep_only(["old"])  # type: ignore[list-item]
    patches.apply()
    importlib.import_module(name)
    patches.undo()
    assert ("new",) == kept[-1]


def test_found_before_it_was_watched(libraries: Libraries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that another thread had found, and not begun to load, is patched all the same."""
    other = libraries.write()
    name = libraries.write(f"import {other}")
    patches = Patches((library_of(name, "work"),))

    class Between:
        def find_spec(self, wanted: str, path: Any = None, target: Any = None) -> Any:
            if wanted != name:
                return None
            sys.meta_path.remove(self)  # type: ignore[arg-type]
            found = importlib.util.find_spec(name)
            patches.apply()
            return found

    monkeypatch.setattr(sys, "meta_path", [Between(), *sys.meta_path])
    module = importlib.import_module(name)
    assert ("<work>", (name,)) == (module.work(), patches.names)
    patches.undo()
