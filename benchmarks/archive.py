"""Figures as a pyperf suite and back: each side of a comparison is one pyperf benchmark.

``python -m pyperf show results.json`` and ``hist`` can read it. Metadata say what belongs
together; nothing in them tells which machine it was.
"""

from __future__ import annotations

import platform
import ssl
from collections.abc import Iterable, Mapping
from typing import Any

from pyperf import Benchmark, BenchmarkSuite, Run  # type: ignore[import-untyped]

from .figures import Amount, Difference, Figure, Pair, Ratio

_KINDS: dict[str, type[Ratio] | type[Difference]] = {"ratio": Ratio, "difference": Difference}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_PYPERF_UNITS = ("second", "byte")
_SIDES = ("ours", "theirs")


def suite_of(answers: Mapping[str, Iterable[Figure]]) -> Any:
    """The suite of the figures of each question.

    The order of the figures, which pyperf does not keep, stands in the metadata.
    """
    machine = _machine()
    figures = [(question, each) for question, answer in answers.items() for each in answer]
    return BenchmarkSuite(
        [
            Benchmark([Run(values, metadata={**machine, **metadata}, collect_metadata=False)])
            for place, (question, figure) in enumerate(figures)
            for values, metadata in _series(figure, {"question": question, "place": place})
        ]
    )


def answers_of(suite: Any) -> dict[str, list[Figure]]:
    """The figures of each question, from such a suite."""
    sides: dict[int, dict[str, Any]] = {}
    for each in suite.get_benchmarks():
        metadata = each.get_metadata()
        sides.setdefault(metadata["place"], {})[metadata["side"]] = each
    answers: dict[str, list[Figure]] = {}
    for _, benchmarks in sorted(sides.items()):
        metadata = next(iter(benchmarks.values())).get_metadata()
        answers.setdefault(metadata["question"], []).append(_figure(metadata, benchmarks))
    return answers


def _series(
    figure: Figure, common: dict[str, object]
) -> Iterable[tuple[list[float], dict[str, object]]]:
    common = {**common, "figure": figure.name}
    prefix = f"{common['question']}: {figure.name}"
    if isinstance(figure, Amount):
        unit = figure.unit if figure.unit in _PYPERF_UNITS else "integer"
        yield list(figure.values), {**common, "name": prefix, "kind": "amount", "side": "ours",
                                    "label": figure.unit, "unit": unit}  # fmt: skip
        return
    for side, label, values in zip(_SIDES, (figure.ours, figure.theirs), zip(*figure.pairs)):
        yield list(values), {**common, "name": f"{prefix} ({label})", "kind": _NAMES[type(figure)],
                             "side": side, "label": label, "unit": "second"}  # fmt: skip


def _figure(metadata: Mapping[str, Any], benchmarks: Mapping[str, Any]) -> Figure:
    values = {side: each.get_values() for side, each in benchmarks.items()}
    if metadata["kind"] == "amount":
        return Amount(metadata["figure"], metadata["label"], tuple(values["ours"]))
    ours, theirs = (benchmarks[side].get_metadata()["label"] for side in _SIDES)
    pairs = tuple(map(Pair, values["ours"], values["theirs"]))
    return _KINDS[metadata["kind"]](metadata["figure"], ours, theirs, pairs)


def _machine() -> dict[str, str]:
    return {
        "python_version": platform.python_version(),
        "openssl_version": ssl.OPENSSL_VERSION,
        "platform": f"{platform.system()} {platform.machine()}",
    }
