"""The budgets: which figure must not be beyond which mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .figures import Figure

_MILLISECOND = 1e-3
_MEGABYTE = 1_000_000

#: milliseconds of activation, beside the decryption
_EACH_IDENTITY = 0.7

_DECISIONS = ("a rule says none", "pinned identity")
_POOLED = ("requests", "urllib3", "httpx", "http.client", "aiohttp")
_SIMPLE_CALLS = ("requests.get", "urllib.request.urlopen", "httpx.get")


@dataclass(frozen=True)
class Budget:
    """The median of a figure is at most a mark; in the unit of the figure."""

    question: str
    figure: str
    at_most: float


@dataclass(frozen=True)
class Verdict:
    """What came of a budget."""

    budget: Budget
    figure: Figure

    @property
    def is_kept(self) -> bool:
        return self.figure.spread.median <= self.budget.at_most

    def __str__(self) -> str:
        return "kept" if self.is_kept else "MISSED"


class UnknownFigureError(LookupError):
    """A budget names a figure that its question does not answer with."""


BUDGETS = (
    Budget("lookup", "exact host, 1 rule", 3.0),
    Budget("lookup", "exact host, 10,000 rules, beside 1 rule", 1.15),
    Budget("lookup", "wildcard beside exact host", 2.0),
    Budget("lookup", "miss beside exact host", 2.0),
    # As ratios, which hold on any machine: wide enough for code that reads plainly.
    *(Budget("creation", f"wrap_bio, {decision}, as a ratio", 1.6) for decision in _DECISIONS),
    *(Budget("creation", f"wrap_socket, {decision}, as a ratio", 1.4) for decision in _DECISIONS),
    Budget("imports", "import without settings", 1.15),
    Budget("activation", "1 identity", 10 * _MILLISECOND),
    Budget("activation", "10 identities", 10 * _MILLISECOND),
    # 10 ms are for what activation costs at all. Each identity adds what cryptography leaves out:
    # a look at the file's outside before OpenSSL gets it, who issued whom, which leaf fits, names.
    Budget("activation", "100 identities", (10 + 100 * _EACH_IDENTITY) * _MILLISECOND),
    Budget("starts", "import, 1,000 identities, time of the processor", 1.2),
    *(Budget("requests_pooled", client, 1.02) for client in _POOLED),
    *(Budget("requests_new_context", call, 0.35) for call in _SIMPLE_CALLS),
    *(
        Budget("requests_new_context", f"{call}, beside no certificate", 1.0)
        for call in (*_SIMPLE_CALLS, "urllib3.PoolManager", "aiohttp.ClientSession")
    ),
    Budget("memory", "1,000 identities, each used once", 40 * _MEGABYTE),
    Budget("memory", "1,000 identities, each used once, contexts", 300),
    Budget("memory", "1,000 identities, each used once, copies of the trust", 8),
)


def judge(
    answers: Mapping[str, Iterable[Figure]], budgets: Iterable[Budget] = BUDGETS
) -> list[Verdict]:
    """The verdicts of the budgets of the questions that were asked.

    Raises :class:`UnknownFigureError` where an answer lacks the figure of a budget.
    """
    asked = [each for each in budgets if each.question in answers]
    return [Verdict(each, _figure(each, answers[each.question])) for each in asked]


def _figure(budget: Budget, figures: Iterable[Figure]) -> Figure:
    for figure in figures:
        if figure.name == budget.figure:
            return figure
    raise UnknownFigureError(f"{budget.question} has no figure {budget.figure!r}")
