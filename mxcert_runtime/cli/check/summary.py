"""What ``mxcert check`` comes to in a few figures, and like errors and warnings as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

SUMMARY_NAME = "mxcert-check-summary/1"
#: So many of a kind are told one by one.
_TOLD_APART = 3
#: so many of the others are named
_NAMED = 3


def summarize(report: Mapping[str, Any]) -> dict[str, Any]:
    """How much there is of everything, and which identity ends first."""
    identities = report["identities"]
    first = min(identities, key=lambda each: each["not_after"], default=None)
    return {
        "identities": len(identities),
        "rules": len(report["rules"]),
        "errors": _counts(report["errors"]),
        "warnings": _counts(report["warnings"]),
        "first_to_end": first
        and {each: first[each] for each in ("name", "not_after", "days_left")},
    }


def only_summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """The summary as an object of its own."""
    kept = {each: report[each] for each in ("ok", "checked_at", "ignored")}
    return {"schema": SUMMARY_NAME, **kept, **report["summary"]}


def _counts(diagnostics: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By code, the most frequent first."""
    counts = Counter(each["code"] for each in diagnostics).most_common()
    return [{"code": code, "count": count} for code, count in counts]


class Like(NamedTuple):
    """A diagnostic, and how many more there are of the same code with the same remedy."""

    first: Mapping[str, Any]
    more: int
    #: the origins of some of the others
    origins: tuple[str, ...]


def alike(diagnostics: Sequence[Mapping[str, Any]]) -> Iterator[Like]:
    """All of them in their order; more than a few of a kind as one, where the first stands."""
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in diagnostics:
        kinds.setdefault((each["code"], each["remedy"]), []).append(each)
    for each in diagnostics:
        kind = kinds[each["code"], each["remedy"]]
        if len(kind) <= _TOLD_APART:
            yield Like(each, 0, ())
        elif each is kind[0]:
            others = tuple(other["origin"] for other in kind[1 : _NAMED + 1])
            yield Like(each, len(kind) - 1, others)
