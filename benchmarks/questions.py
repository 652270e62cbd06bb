"""The questions in the order of the report; each is a module of this package."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from .measure import Effort, Figure

NAMES = (
    "lookup",
    "creation",
    "threads",
    "imports",
    "interpreter_start",
    "starts",
    "activation",
    "requests_pooled",
    "requests_new_connection",
    "requests_new_context",
    "bulk",
    "tokens",
    "memory",
    "prefork",
)


@dataclass(frozen=True)
class Question:
    """A module that answers one question."""

    name: str
    measure: Callable[[Effort], list[Figure]]
    #: at most so many fresh processes
    workers: int


def load_question(name: str) -> Question:
    """The question of this name, by the contract that `measure.py` states."""
    module = importlib.import_module(f"{__package__}.{name}")
    measure = cast("Callable[[Effort], list[Figure]]", module.measure)
    return Question(module.NAME, measure, getattr(module, "WORKERS", 1_000))
