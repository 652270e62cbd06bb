"""The table of settings in the documents is the one that is made from the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxcert_runtime.settings.documentation import settings_table, with_table
from mxcert_runtime.settings.scalars import SCALARS, WITH_FILE

PAGE = Path(__file__).parents[2] / "docs/settings.md"


def test_the_page_has_the_table_of_today() -> None:
    """To mend it: python -m mxcert_runtime.settings.documentation docs/settings.md"""
    document = PAGE.read_text(encoding="utf-8")
    assert with_table(document) == document


def test_every_setting_has_its_row() -> None:
    """Each variable stands there once."""
    assert [1] * len(WITH_FILE) == [settings_table().count(f"`{name}`") for name in WITH_FILE]
    assert all(scalar.documentation or scalar.key == "services" for scalar in SCALARS)


def test_a_table_that_was_edited_by_hand() -> None:
    """The twin: what stands between the marks counts for nothing, and marks must be there."""
    document = PAGE.read_text(encoding="utf-8")
    edited = document.replace("`MXCERT_TRUST_CACHE`", "`MXCERT_TRUST`")
    assert edited != document == with_table(edited.replace("`MXCERT_TRUST`=", "x"))
    with pytest.raises(ValueError, match="marks"):
        with_table("no marks")
