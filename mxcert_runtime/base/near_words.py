"""Known words that look like one that is not known, found within a bound of work.

Comparing takes time by the product of the lengths, and settings can hold many words on both sides:
each search has so much work to do at most, and gives no answer beyond that.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

#: characters of one word by characters of another, some 0.2 µs each; a search over the names of
#: all our variables takes 20,000
_MOST_WORK = 1_000_000
#: known words that are looked at, each for as much time as so many characters, and those of them
#: that are compared in full
_LOOKED_AT, _LOOK, _COMPARED = 1_000, 20, 30
_LONGEST = 200
_LIKENESS = 0.7


class NearWords:
    """Searches that share one bound of work; past it nothing is found any more."""

    def __init__(self, work: int = _MOST_WORK) -> None:
        self._left = work

    def nearest(self, word: str, known: Iterable[str], skipped: str = "") -> str | None:
        """The known word that looks most like this one, in whatever case, if any does.

        What all begin with, and so says nothing, is ``skipped``.
        """
        return next(iter(self.closest(word, known, 1, skipped)), None)

    def closest(
        self, word: str, known: Iterable[str], count: int, skipped: str = ""
    ) -> tuple[str, ...]:
        """The known words that look like this one, in whatever case, the most alike first."""
        if self._left <= 0 or len(word) > _LONGEST:
            return ()
        folded = {_folded(each, skipped): each for each in islice(known, _LOOKED_AT)}
        wanted = _folded(word, skipped)
        candidates = _candidates(wanted, [each for each in folded if len(each) <= _LONGEST])
        self._left -= len(wanted) * sum(map(len, candidates)) + _LOOK * len(folded)
        if self._left < 0:
            return ()
        import difflib  # late: only mistakes need it

        close = difflib.get_close_matches(wanted, candidates, n=count, cutoff=_LIKENESS)
        return tuple(folded[each] for each in close)


def _folded(word: str, skipped: str) -> str:
    return (word[len(skipped) :] if skipped and word.startswith(skipped) else word).lower()


def _candidates(wanted: str, known: list[str]) -> list[str]:
    """Those that begin and end most like the wanted word, where there are many."""
    if len(known) <= _COMPARED:
        return known
    return sorted(known, key=lambda each: _shared_ends(wanted, each), reverse=True)[:_COMPARED]


def _shared_ends(one: str, other: str) -> int:
    return _shared_beginning(one, other) + _shared_beginning(one[::-1], other[::-1])


def _shared_beginning(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
