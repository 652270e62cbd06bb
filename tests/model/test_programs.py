"""What peers see of random programs is what the model says."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from tests.model.cast import Cast, on_stage
from tests.model.trial import differences_of
from tests.support.names import LoopbackNames

pytestmark = pytest.mark.any_python

#: the first seed and how many; ``MXCERT_MODEL_SEED`` begins elsewhere
SEED, PROGRAMS_OF_A_TEST, TESTS = int(os.environ.get("MXCERT_MODEL_SEED", "0")), 20, 10


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """Everybody that takes part, for all programs of this process."""
    with LoopbackNames(), on_stage(tmp_path_factory.mktemp("model")) as cast:
        yield cast


@pytest.mark.parametrize("number", range(TESTS))
def test_peers_see_what_the_model_says(
    cast: Cast, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of contexts old and new, threads, services, proxies, reloads and both engines."""
    # Failed connections are among what is wanted here, and thousands of lines tell nothing.
    monkeypatch.setattr(logging.getLogger("mxcert_runtime"), "disabled", True)
    monkeypatch.setenv("SSL_CERT_FILE", cast.default_bundle())
    monkeypatch.setenv("SSL_CERT_DIR", str(cast.folder / "nowhere"))
    first = SEED + number * PROGRAMS_OF_A_TEST
    assert "" == differences_of(cast, range(first, first + PROGRAMS_OF_A_TEST))
