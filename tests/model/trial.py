"""Runs programs by their seeds, and tells the first that differs, as short as it gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.model.cast import Cast
from tests.model.playing import Stage
from tests.model.programs import Step, draw, shorter


def differences_of(cast: Cast, seeds: Iterable[int]) -> str:
    """In words, with the seed; empty where all is as the model says."""
    for seed in seeds:
        steps = draw(seed)
        if Stage(cast).run(steps):
            return describe(cast, seed, shortened(cast, steps))
    return ""


def shortened(cast: Cast, steps: Sequence[Step]) -> list[Step]:
    """The program without the steps that are not needed for a difference."""
    for fewer in shorter(steps):
        if Stage(cast).run(fewer):
            return shortened(cast, fewer)
    return list(steps)


def describe(cast: Cast, seed: int, steps: Sequence[Step]) -> str:
    """The program and how it differs."""
    # Of threads not every run shows it.
    differences = Stage(cast).run(steps) or ["(not in this run)"]
    told = "\n".join(f"  {step}" for step in steps)
    return f"seed {seed}:\n{told}\n" + "\n".join(differences)
