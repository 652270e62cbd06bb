"""A library that does not fit breaks no import: it is hooked whole, or left alone and told of."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from mxcert_runtime.errors import PatchError
from mxcert_runtime.hooks.patching import Library, Patch, Patches, Switch, attribute_of
from tests.hooks.libraries import Libraries, library_of, records
from tests.hooks.samples import own


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
    assert [("mxcert_runtime", "ERROR")] == records(caplog)
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
    assert [("mxcert_runtime", "ERROR")] == records(caplog)


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
    assert [("mxcert_runtime", "ERROR")] == records(caplog)
    patches.undo()


def test_an_error_of_the_library_itself_comes_through(libraries: Libraries) -> None:
    """A library that cannot be imported fails as it would without us."""
    name = libraries.write("raise ValueError('its own')")
    patches = Patches((library_of(name, "Thing.act"),))
    patches.apply()
    with pytest.raises(ValueError, match="its own"):
        importlib.import_module(name)
    patches.undo()
