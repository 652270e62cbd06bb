"""Random sequences of what programs do to SSL contexts: drawn, run, compared, made shorter.

A step is drawn with all its arguments before anything runs, so a sequence does the same with the
plugin and without it. What a step gave is a value: its result, or its exception, and its warnings.
"""

from __future__ import annotations

import random
import re
import ssl
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import pytest

import mxcert_runtime
from mxcert_runtime.base.genuine_ssl import NativeContext
from tests.contexts.handshakes import Meeting, failure
from tests.contexts.supplies import Supplies

#: how many contexts a sequence picks from, at most
CONTEXTS = 3


#: by the name of a rule its settings, and the fingerprint that servers see by it
Rules = dict[str, tuple[dict[str, object], Optional[str]]]


class Play:
    """Puts the settings of a run in force; a run without us has one that does nothing."""

    is_on = False

    def presents(self, server: str, host: str | None) -> str | None:
        """The fingerprint that a server sees where the program has no certificate of its own."""
        return None

    def activate(self, rule: str) -> None:
        """Put a rule for all hosts in force."""

    def deactivate(self) -> None:
        """Take everything away."""


@dataclass
class Active(Play):
    """Ourselves, by the settings of one rule after the other."""

    rules: Rules
    trust_cache: bool
    rule: str = ""

    def activate(self, rule: str) -> None:
        settings = self.rules[rule][0]
        mxcert_runtime.activate(settings={**settings, "trust_cache": self.trust_cache})
        self.rule, self.is_on = rule, True

    def presents(self, server: str, host: str | None) -> str | None:
        # A rule is for a name; the server's request chooses for whatever has no rule.
        has_rule = self.is_on and (host is not None or self.rule == "request")
        return self.rules[self.rule][1] if has_rule and "accept" in server else None

    def deactivate(self) -> None:
        mxcert_runtime.deactivate()
        self.is_on = False


@dataclass
class World:
    """What one run of one sequence works on."""

    supplies: Supplies
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    play: Play
    contexts: list[ssl.SSLContext] = field(default_factory=list)
    #: contexts with a certificate of the program's own
    owned: set[int] = field(default_factory=set)
    #: for each connection that was accepted by both sides: what the rule gives, what was seen
    presented: list[tuple[str | None, str | None]] = field(default_factory=list)
    #: contexts that have loaded a certificate, at least
    loaded: set[int] = field(default_factory=set)
    #: how often such a context was used or looked at while its store was empty
    waiting: int = 0

    def __post_init__(self) -> None:
        self.supplies.write_files(self.folder)
        self.monkeypatch.setenv("SSL_CERT_FILE", self.path("good.pem"))
        self.monkeypatch.setenv("SSL_CERT_DIR", self.path("nowhere"))

    def path(self, name: str) -> str:
        """The path of a file of this run."""
        return str(self.folder / name)

    def context(self, number: int) -> ssl.SSLContext:
        """One of the contexts that there are; a plain one where every attempt has failed."""
        if not self.contexts:
            self.contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        context = self.contexts[number % len(self.contexts)]
        if id(context) in self.loaded:
            self.waiting += not any(NativeContext.cert_store_stats(context).values())
        return context

    def own(self, number: int, certificate: Path, key: Path) -> None:
        """Give a context a certificate of its own."""
        context = self.context(number)
        context.load_cert_chain(certificate, key)
        self.owned.add(id(context))

    def note(
        self, context: ssl.SSLContext, server: str, host: str | None, meeting: Meeting
    ) -> object:
        """Keep whom the server saw: for comparison, or to be held against the rule."""
        if id(context) in self.owned:
            return meeting, meeting.fingerprint
        if meeting.client[0] in ("TLSv1.2", "TLSv1.3") and meeting.server[0] == "finished":
            self.presented.append((self.play.presents(server, host), meeting.fingerprint))
        return meeting


@dataclass(frozen=True)
class Step:
    """One operation with its arguments."""

    operation: Callable[..., object]
    arguments: tuple[object, ...] = ()

    def __str__(self) -> str:
        return f"{self.operation.__name__}{self.arguments!r}"

    def run(self, world: World) -> object:
        """What the operation gives or raises, and the warnings on its way."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", DeprecationWarning)
            try:
                result = self.operation(world, *self.arguments)
            except Exception as error:
                result = failure(error)
        texts = [str(each.message) for each in told]
        return _without_names(result, str(world.folder)), texts


def _without_names(result: object, folder: str) -> object:
    """The outcome without addresses, and without the folder of its run."""
    if isinstance(result, str):
        # CPython names the base class or the class, as it called a method bound or unbound.
        text = re.sub(r"\w+\.(?=\w+\(\) )", "", result.replace(folder, "<folder>"))
        return re.sub(r"0x[0-9a-f]+", "0x", text)
    if isinstance(result, tuple):
        return tuple(_without_names(each, folder) for each in result)
    return result


Drawing = Callable[[random.Random], list[Step]]


def draw(seed: int, drawings: Sequence[Drawing], weights: Sequence[int]) -> list[Step]:
    """The steps of a sequence; the same number gives the same ones."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    drawn = chance.choices(drawings, weights, k=chance.randint(2, 7))
    return [step for drawing in drawn for step in drawing(chance)]


@dataclass(frozen=True)
class Run:
    """What one run of a sequence gave."""

    outcomes: list[object]
    presented: list[tuple[str | None, str | None]]
    waiting: int


@dataclass
class Stage:
    """Runs sequences in one folder, one at a time."""

    supplies: Supplies
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        self.supplies.write_folders(self.folder)

    def run(self, steps: Sequence[Step], play: Play) -> Run:
        """Run a sequence; at its end nothing is in force."""
        world = World(self.supplies, self.folder, self.monkeypatch, play)
        try:
            return Run([step.run(world) for step in steps], world.presented, world.waiting)
        finally:
            play.deactivate()

    def shortened(self, steps: list[Step], play: Play) -> list[Step]:
        """The steps without which the two runs do not differ."""
        for step in list(steps):
            fewer = [each for each in steps if each is not step]
            if self.difference(fewer, play):
                return self.shortened(fewer, play)
        return steps

    def difference(self, steps: list[Step], play: Play) -> str:
        """How a run with ``play`` differs from one without us; empty where it does not."""
        return describe_difference(steps, self.run(steps, Play()), self.run(steps, play))


def describe_difference(steps: list[Step], plain: Run, hooked: Run) -> str:
    """How a run differs from one without us; empty where it does not."""
    lines = [
        f"{number}. {step}\n     without us: {one}\n     with us:    {other}"
        for number, (step, one, other) in enumerate(zip(steps, plain.outcomes, hooked.outcomes), 1)
        if one != other
    ]
    if any(expected != seen for expected, seen in hooked.presented):
        lines.append(f"presented (by the rule, seen): {hooked.presented}")
    return "\n".join(lines)
