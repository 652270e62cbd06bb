"""Libraries: patched when they are loaded, whoever loads them, or left alone as a whole."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import itertools
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mxcert_runtime.base import call_when_loaded
from mxcert_runtime.errors import PatchError
from mxcert_runtime.hooks import patching
from mxcert_runtime.hooks.patching import Library, Patch, Patches, Switch, attribute_of, wrapping

_numbers = itertools.count()


def mark(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """A wrapper whose doing can be counted."""
    result = wrapped(*args, **kwargs)
    return f"<{result}>" if isinstance(result, str) else result


def own(owner: Any, name: str) -> Any:
    """What the owner itself stores under the name."""
    return vars(owner).get(name, "absent")


class Libraries:
    """Writes small libraries that nobody has imported yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: list[str] = []

    def write(self, text: str = "", version: str = "1.0") -> str:
        """The name of a new module with a class ``Thing``, a function ``work`` and this text."""
        name = f"mxcert_test_library_{next(_numbers)}"
        lines = [f"__version__ = {version!r}", "class Thing:", "    def act(self):"]
        lines += ["        return 'act'", "def work():", "    return 'work'", text]
        (self._folder / f"{name}.py").write_text("\n".join(lines), encoding="utf-8")
        importlib.invalidate_caches()
        self.names.append(name)
        return name


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Libraries]:
    """Libraries on the path, forgotten at the end."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Libraries(tmp_path)
    yield made
    for name in made.names:
        sys.modules.pop(name, None)


def library_of(name: str, *targets: str, **more: Any) -> Library:
    """A library whose targets, ``Thing.act`` or ``work``, are marked."""

    def patches() -> tuple[Patch, ...]:
        return tuple(_patch_at(name, target) for target in targets)

    return Library(name, patches, **more)


def _patch_at(module: str, target: str) -> Patch:
    owner, _, attribute = target.rpartition(".")
    return Patch(attribute_of(module, owner), attribute, wrapping(mark))


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


@pytest.mark.parametrize("target", ["Thing.missing", "Missing.act", "missing"])
def test_a_loaded_library_that_does_not_fit(libraries: Libraries, target: str) -> None:
    """A library that is loaded and is not what it should be is a PatchError; undo cleans up."""
    name = libraries.write()
    module = importlib.import_module(name)
    before = own(module.Thing, "act")
    patches = Patches((library_of(name, "Thing.act", target),))
    with pytest.raises(PatchError, match=target.rpartition(".")[2] + "|Missing"):
        patches.apply()
    patches.undo()
    assert own(module.Thing, "act") is before
    assert () == patches.names


def _records(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.name, record.levelname) for record in caplog.records]


@pytest.mark.parametrize("target", ["Thing.missing", "Missing.act", "missing"])
def test_a_later_import_does_not_break(
    libraries: Libraries, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    """A library that is loaded later and does not fit is logged; its import goes on."""
    name = libraries.write()
    patches = Patches((library_of(name, target),))
    patches.apply()
    module = importlib.import_module(name)
    assert "act" == module.Thing().act()
    assert [("mxcert_runtime", "ERROR")] == _records(caplog)
    assert name in caplog.text
    assert () == patches.names
    patches.undo()


def test_a_later_import_is_hooked_whole_or_not_at_all(
    libraries: Libraries, caplog: pytest.LogCaptureFixture
) -> None:
    """Where one patch of a library does not fit, those before it are taken back."""
    name = libraries.write()
    patches = Patches((library_of(name, "Thing.act", "Thing.missing"),))
    patches.apply()
    module = importlib.import_module(name)
    assert "act" == module.Thing().act()
    patches.undo()
    assert [("mxcert_runtime", "ERROR")] == _records(caplog)


def test_a_faulty_build_does_not_break_a_later_import(
    libraries: Libraries, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of ours, of whatever kind, is logged and kept from the application's import."""
    name = libraries.write()

    def build(original: Any, switch: Switch) -> Any:
        raise TypeError("our own mistake")

    owner = attribute_of(name, "Thing")
    patches = Patches((Library(name, lambda: (Patch(owner, "act", build),)),))
    patches.apply()
    assert "act" == importlib.import_module(name).Thing().act()
    assert [("mxcert_runtime", "ERROR")] == _records(caplog)
    patches.undo()


def test_an_error_of_the_library_itself_comes_through(libraries: Libraries) -> None:
    """A library that cannot be imported fails as it would without us."""
    name = libraries.write("raise ValueError('its own')")
    patches = Patches((library_of(name, "Thing.act"),))
    patches.apply()
    with pytest.raises(ValueError, match="its own"):
        importlib.import_module(name)
    patches.undo()


@pytest.mark.parametrize("loaded_before", [True, False])
def test_an_unknown_version_is_left_alone(
    libraries: Libraries, caplog: pytest.LogCaptureFixture, loaded_before: bool
) -> None:
    """A version outside the table is skipped, with one warning that names it."""
    name = libraries.write(version="3.0.1")
    library = library_of(name, "Thing.act", version_module=name, versions=("1.26", "3"))
    patches = Patches((library,))
    if loaded_before:
        importlib.import_module(name)
    patches.apply()
    assert "act" == importlib.import_module(name).Thing().act()
    assert [("mxcert_runtime", "WARNING")] == _records(caplog)
    assert all(text in caplog.text for text in (name, "3.0.1", "1.26"))
    assert () == patches.names
    patches.undo()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.26", True),
        ("1.26.0", True),
        ("1.26.20", True),
        ("2.0.0", True),
        ("2.10.1", True),
        ("2.3.0.post1", True),
        ("2", True),
        ("1.25.11", False),
        ("1.9", False),
        ("1", False),
        ("3", False),
        ("3.0", False),
        ("3.0.0a1", False),
        ("10.0", False),
        ("2rc1", True),
        ("2+deb12u1", True),
        ("2.1.dev3+g1234567", True),
        ("v2.1", True),
        ("3rc1", False),
        ("unknown", False),
    ],
)
def test_versions(libraries: Libraries, version: str, expected: bool) -> None:
    """Versions are compared by number, from the first up to below the second."""
    name = libraries.write(version=version)
    library = library_of(name, "work", version_module=name, versions=("1.26", "3"))
    importlib.import_module(name)
    assert (version, expected) == (library.version(), library.is_supported)


@pytest.mark.parametrize(("version", "expected"), [("2.0", True), ("2", True), ("1.9", False)])
def test_a_version_with_fewer_numbers(libraries: Libraries, version: str, expected: bool) -> None:
    """``2`` is ``2.0``."""
    name = libraries.write(version=version)
    library = library_of(name, "work", version_module=name, versions=("2.0", "3"))
    importlib.import_module(name)
    assert expected == library.is_supported


def test_the_standard_library_has_no_version() -> None:
    """Without a version module every version is known."""
    library = Library("logging", tuple)
    assert ("", True) == (library.version(), library.is_supported)


@pytest.mark.parametrize("version", [None, (3, 1), 3])
def test_a_version_that_is_no_text(libraries: Libraries, version: object) -> None:
    """It says no version, and the library is taken for one that is known."""
    name = libraries.write()
    importlib.import_module(name).__version__ = version  # type: ignore[attr-defined]
    library = library_of(name, version_module=name, versions=("1.2", "2"))
    assert ("", True) == (library.version(), library.is_supported)


def _package(libraries: Libraries, folder: Path, version: str) -> str:
    """A package that says its version at its end, when what is patched in it is long loaded."""
    name = libraries.write()
    (folder / f"{name}.py").unlink()
    (folder / name).mkdir()
    text = f"from {name}.inner import work\n__version__ = {version!r}\n"
    (folder / name / "__init__.py").write_text(text, encoding="utf-8")
    (folder / name / "inner.py").write_text("def work():\n    return 'work'\n", encoding="utf-8")
    libraries.names.append(f"{name}.inner")
    return name


@pytest.mark.parametrize(("version", "expected"), [("1.9", "<work>"), ("2.0", "work")])
def test_a_version_that_comes_last(
    libraries: Libraries,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    version: str,
    expected: str,
) -> None:
    """A package that says its version at its end is patched then, or left alone with a warning."""
    name = _package(libraries, tmp_path, version)
    library = library_of(f"{name}.inner", "work", version_module=name, versions=("1", "2"))
    patches = Patches((library,))
    patches.apply()
    importlib.import_module(name)
    try:
        assert expected == sys.modules[f"{name}.inner"].work()
        assert [f"{name} {version}"] * (version == "2.0") == [
            each.partition(" is not a version")[0] for each in caplog.messages
        ]
        assert patches.names == (f"{name}.inner",) * (version == "1.9")
    finally:
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
