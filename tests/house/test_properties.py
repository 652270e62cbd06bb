"""Properties are tried by the same examples, whatever was loaded and tried before."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.support import properties
from tests.support.properties import examples
from tests.support.subprocesses import run_client

_PROGRAM = """
    import importlib, json, sys
    from hypothesis import given, strategies as st
    from tests.support.properties import examples

    for name in sys.argv[1:]:
        importlib.import_module(name)
    tried = []

    @examples(300)
    @given(st.text(), st.integers())
    def property(text, number):
        tried.append([ascii(text), number])

    property()
    print(json.dumps(tried))
"""
_MODULES = ("mxcert_runtime.settings.environment", "mxcert_runtime.errors")


@pytest.mark.skipif(properties._WANTED is not None, reason="others are asked for")
def test_the_same_examples_whatever_is_loaded() -> None:
    """Another test's modules in the same process change none of them."""
    alone, among_others = (run_client(_PROGRAM, *more).json() for more in ((), _MODULES))
    assert alone == among_others


@pytest.mark.skipif(properties._WANTED is not None, reason="others are asked for")
def test_examples_differ() -> None:
    """The twin: there are hundreds of them, each tried once."""
    tried: list[str] = []

    @examples(300)
    @given(st.text())
    def property_(text: str) -> None:
        tried.append(text)

    property_()
    assert 300 >= len(tried) > 200 <= len(set(tried))
