"""A library is patched in the versions that are known, and left alone in others."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from mxcert_runtime.hooks.patching import Library, Patches
from tests.hooks.libraries import Libraries, library_of, records


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
    assert [("mxcert_runtime", "WARNING")] == records(caplog)
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
