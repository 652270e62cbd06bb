"""``mxcert_runtime.material``: no key and no password shows, is sent, or is kept."""

from __future__ import annotations

import copy
import gc
import pickle
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.identity import exportable
from tests.connections.material.reading import HOST, Activate, touch
from tests.house.test_secrets_hidden import seen_in
from tests.support.pki import Leaf


class TestSecret:
    @pytest.fixture(autouse=True)
    def _activated(self, activate: Activate, alpha: Leaf) -> None:
        activate([("alpha", alpha, [HOST])])

    def test_not_shown(self, alpha: Leaf) -> None:
        """Neither key nor password is in a repr, a format, or the attributes."""
        with mxcert_runtime.material(host=HOST) as material:
            touch(material)
            clear, password = material.clear_key_pem(), material.password
            texts = f"{material!r} {material} {vars(material)!r} {clear!r} {password!r}"
            assert password.reveal() not in texts
            assert [] == seen_in(texts, alpha)
        assert "(closed)" in repr(material)

    @pytest.mark.parametrize("send", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_not_sent(self, send: Callable[[Any], Any]) -> None:
        """It stays in the process, and so do its key and password."""
        with mxcert_runtime.material(host=HOST) as material:
            for each in (material, material.clear_key_pem(), material.password):
                with pytest.raises(TypeError):
                    send(each)

    def test_not_in_a_traceback(
        self, alpha: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The frames of an error within, and of one of the writing, have none of it."""
        texts = []
        with mxcert_runtime.material(host=HOST) as material:
            password = material.password.reveal()
            touch(material)
            texts.append(_told_by(lambda: 1 // 0))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        with mxcert_runtime.material(host=HOST) as material:
            texts.append(_told_by(lambda: material.key_path))
        assert ["ZeroDivisionError", "MaterialError"] == [
            text.strip().rpartition("\n")[2].partition(":")[0].rpartition(".")[2] for text in texts
        ]
        del password
        assert [] == seen_in("".join(texts), alpha)


def _told_by(fail: Callable[[], object]) -> str:
    """All that a traceback can show, with the variables of its frames."""
    try:
        fail()
    except Exception as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format())
    raise AssertionError("it does not fail")


def test_what_is_kept_of_it_has_no_key(activate: Activate, alpha: Leaf) -> None:
    """A program may keep the object: the key goes with the block and the settings."""
    activate([("alpha", alpha, [HOST])])
    with mxcert_runtime.material(host=HOST) as material:
        key = weakref.ref(exportable(material._open().identity))
        assert key() is not None
    mxcert_runtime.deactivate()
    gc.collect()
    assert "<TlsMaterial (closed)>" == repr(material)
    assert None is key()
