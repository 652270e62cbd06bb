"""Words that look like a known one are found, and never at the cost of the product of all."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import pytest

from mxcert_runtime.base.near_words import NearWords
from tests.settings.readings import read


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("hots", "hosts"),
        ("HOSTS", "hosts"),
        ("servces", "services"),
        ("password_fil", "password_file"),
        ("zzz", None),
        ("h" * 300, None),
    ],
)
def test_the_nearest_word(word: str, expected: str | None) -> None:
    """One slip does not hide what was meant; what is far from all is near to none."""
    known = ["hosts", "services", "password_file", "password_env"]
    assert expected == NearWords().nearest(word, known)


def test_what_all_begin_with_says_nothing() -> None:
    """A prefix that all have makes no word look like another."""
    known = ["MXCERT_SERVICES", "MXCERT_CONFIG"]
    assert "MXCERT_SERVICES" == NearWords().nearest("MXCERT_REFRESH", known)
    assert None is NearWords().nearest("MXCERT_REFRESH", known, "MXCERT_")


def test_a_slip_among_many() -> None:
    """Among hundreds of paths that look alike, the one with the slip is found."""
    known = [f"/run/secrets/partner-{number:04}.p12" for number in range(800)]
    assert known[417] == NearWords().nearest("/run/secrets/partnr-0417.p12", known)


class _Work:
    """Counts the characters that are compared with characters."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done = 0
        original = difflib.get_close_matches

        def counted(word: str, possibilities: Sequence[str], **more: Any) -> list[str]:
            self.done += len(word) * sum(map(len, possibilities))
            return original(word, possibilities, **more)

        monkeypatch.setattr(difflib, "get_close_matches", counted)


@pytest.mark.parametrize("letter", ["", "a" * 150])
def test_all_searches_of_a_reading_together(monkeypatch: pytest.MonkeyPatch, letter: str) -> None:
    """800 paths that are not listed, against 800 that are: a bound of work, and all are faults."""
    work = _Work(monkeypatch)
    usages = {f"h{n}.example": f"/certs/x{letter}{n:03}.p12" for n in range(800)}
    listed = ",".join(f"/certs/y{letter}{n:03}.p12" for n in range(800))
    pairs = ", ".join(f'"{host}": "{path}"' for host, path in usages.items())
    reading = read({"ClientCertificates": listed, "ClientCertificateUsages": f"{{{pairs}}}"})
    assert 800 == len(reading.faults)
    assert 0 < work.done <= 1_000_000
