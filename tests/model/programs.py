"""Random programs: drawn with all their arguments before anything runs, so that a seed says all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from random import Random
from typing import Union

from tests.model.cast import ADDRESS, HOSTS, PEERS, SERVER_ROOTS, WRONG_HOST
from tests.model.deployment import SERVICES, Deployment, draw_deployment

#: ways to make a connection, and what they take
SSL_CLIENTS = (
    "wrap",
    "wrap-then-connect",
    "asyncio",
    "asyncio-on-socket",
    "start_tls",
    "http.client",
    "urllib3",
    "httpx",
    "aiohttp",
    "aiohttp-kept",
)
#: those that go by way of proxies too
PROXIED = ("urllib3", "httpx", "aiohttp-kept")
#: those that name no host, so that nobody can verify one
NAMELESS = ("wrap-dialled-without-name", "wrap-without-name")
OPENSSL_CLIENTS = ("pyopenssl",)


@dataclass(frozen=True)
class Activate:
    """Put a deployment in force, in the place of what is."""

    deployment: Deployment


@dataclass(frozen=True)
class Deactivate:
    """Take it all away."""


@dataclass(frozen=True)
class Make:
    """Make a context. ``roots`` of ``None`` is default trust, which is root R here."""

    engine: str
    roots: tuple[str, ...] | None
    has_own: bool
    #: a certificate that cannot be loaded, tried before
    fails_first: bool
    version: str
    by_factory: bool
    verifies_names: bool


@dataclass(frozen=True)
class Call:
    """One request by a context, counted from the first that was made."""

    context: int
    client: str
    peer: str
    host: str
    service: str | None
    proxy: str | None = None
    resumes: bool = False
    #: whether the host is written in capitals
    is_loud: bool = False


@dataclass(frozen=True)
class Crowd:
    """Calls at the same time, each in a thread of its own."""

    calls: tuple[Call, ...]


Step = Union[Activate, Deactivate, Make, Call, Crowd]


def draw(seed: int) -> list[Step]:
    """The steps of a program; a context is made first, so that it is older than the settings."""
    chance = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    steps: list[Step] = [_draw_make(chance)]
    made = 1
    if chance.random() < 0.8:
        steps.append(Activate(draw_deployment(chance)))
    for _ in range(chance.randint(3, 9)):
        step = _draw_step(chance, steps)
        made += isinstance(step, Make)
        steps.append(step)
    return [*steps, *(_draw_call(chance, steps) for _ in range(2))]


def _draw_step(chance: Random, before: Sequence[Step]) -> Step:
    kind = chance.choices(("call", "make", "activate", "crowd", "deactivate"), (10, 4, 3, 2, 1))[0]
    if kind == "make":
        return _draw_make(chance)
    if kind == "activate":
        return Activate(draw_deployment(chance))
    if kind == "deactivate":
        return Deactivate()
    if kind == "call":
        return _draw_call(chance, before)
    first = _draw_call(chance, before)
    return Crowd(tuple(_draw_call(chance, before, first.context) for _ in range(6)))


def _draw_make(chance: Random) -> Make:
    roots = chance.choice((None, None, ("R",), ("R",), ("S",), SERVER_ROOTS))
    return Make(
        chance.choice(("ssl", "ssl", "ssl", "openssl")),
        roots,
        has_own=chance.random() < 0.25,
        fails_first=chance.random() < 0.15,
        version=chance.choice(("1.2", "1.3", "both")),
        by_factory=chance.random() < 0.5,
        verifies_names=chance.random() < 0.7,
    )


def _draw_call(chance: Random, before: Sequence[Step], context: int | None = None) -> Call:
    made = [step for step in before if isinstance(step, Make)]
    number = chance.randrange(len(made)) if context is None else context
    client = chance.choice(_clients_for(made[number]))
    return Call(
        number,
        client,
        chance.choice(PEERS),
        chance.choice(_hosts_for(client)),
        chance.choice((None, None, *SERVICES)),
        _draw_proxy(chance, client),
        resumes=client == "wrap" and chance.random() < 0.4,
        is_loud=client not in NAMELESS and chance.random() < 0.2,
    )


def _hosts_for(client: str) -> tuple[str, ...]:
    # urllib3 1.26 tells TLS no name for an address, which a context that verifies names refuses.
    is_old = client == "urllib3" and version("urllib3").startswith("1.")
    return (*(each for each in HOSTS if each != ADDRESS or not is_old), WRONG_HOST)


def _draw_proxy(chance: Random, client: str) -> str | None:
    if client not in PROXIED:
        return None
    # A refusal of TLS in TLS is a TypeError within asyncio of some Pythons (gh-113214).
    return chance.choice((None, None, "http", "https" if client != "aiohttp-kept" else "http"))


def _clients_for(make: Make) -> tuple[str, ...]:
    if make.engine != "ssl":
        return OPENSSL_CLIENTS
    return SSL_CLIENTS if make.verifies_names else (*SSL_CLIENTS, *NAMELESS)


def shorter(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """The program without each of its steps; no context's number changes by that."""
    for number, step in enumerate(steps):
        if not isinstance(step, Make):
            yield [*steps[:number], *steps[number + 1 :]]
