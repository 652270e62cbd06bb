"""Which operations random sequences draw, how often, and with which arguments.

Here are also the operations that make connections and that put us in force or not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.contexts import sequence_operations as operations
from tests.contexts.ground import BELOW, EXPIRED, FOREIGN, GOOD, REVOKED, RSA, WRONG
from tests.contexts.handshakes import meet, pair
from tests.contexts.sequences import CONTEXTS, Drawing, Step, World
from tests.contexts.supplies import FILES, MISSING

RULES = ("identity", "none", "request")
#: the first ones most often
_HOSTS = (GOOD, GOOD, GOOD, FOREIGN, FOREIGN, REVOKED, EXPIRED, WRONG, BELOW, RSA, None)
_SERVERS = ("TLSv1.2 accept", "TLSv1.3 accept", "TLSv1.2 ask-not", "TLSv1.3 ask-not")
_NAMES = ("good.pem",) * 5 + ("other.pem", "both.pem") * 2 + FILES + (MISSING,)
_REWRITTEN = ("good.pem",) * 4 + ("other.pem", "both.pem", "empty.pem", MISSING)
_CONTENTS = ("other.pem",) * 4 + FILES
_MANNERS = ("written", "same size", "times kept", "replaced", "removed", "relinked")


def connect(world: World, number: int, server: str, host: str | None, way: str) -> object:
    """One connection of a context."""
    context = world.context(number)
    with pair(context, world.supplies.servers[server], host, way) as (client, other):
        meeting = meet(client, other)
        assert client.context is context
    return world.note(context, server, host, meeting)


def connect_twice(world: World, number: int, server: str, host: str | None, kind: str) -> object:
    """Two connections that exist before either shakes hands, with a look in between."""
    context, peer = world.context(number), world.supplies.servers[server]
    with pair(context, peer, host, "memory") as one, pair(context, peer, host, "memory") as other:
        first = meet(*other)
        seen = operations.LOOKS[kind](world, context)
        second = meet(*one)
    notes = [world.note(context, server, host, each) for each in (first, second)]
    return notes, seen


def accept(world: World, number: int, client: str, way: str) -> object:
    """A client connects to the context, which verifies it if its mode says so."""
    context = world.context(number)
    if id(context) not in world.owned:
        world.own(number, *world.supplies.server_files)
    with pair(world.supplies.clients[client], context, None, way) as (other, server):
        return meet(other, server), server.getpeercert(), server.getpeercert(binary_form=True)


def own(world: World, number: int) -> None:
    """The program gives the context a certificate of its own."""
    world.own(number, *world.supplies.client_files)


def activate(world: World, rule: str) -> None:
    """Put a rule in force, in the place of the one before."""
    world.play.activate(rule)


def deactivate(world: World) -> None:
    """Take everything away."""
    world.play.deactivate()


def _number(chance: random.Random) -> int:
    return chance.randrange(CONTEXTS)


def _warm(chance: random.Random) -> bool:
    return chance.random() < 0.85


def draw_make(chance: random.Random) -> list[Step]:
    """A context, most often one that a client can use."""
    kinds = ["client"] * 4 + ["default cafile"] * 4 + list(operations.MAKERS)
    return [
        Step(operations.make, (chance.choice(kinds), chance.choice(_NAMES[:12]), _warm(chance)))
    ]


def _load(chance: random.Random) -> list[Step]:
    forms = ["text"] * 14 + ["path", "link", "cadata text"] * 2 + list(operations.FORMS)
    arguments = _number(chance), chance.choice(forms), chance.choice(_NAMES), _warm(chance)
    return [Step(operations.load, arguments)]


def _load_from_pipe(chance: random.Random) -> list[Step]:
    return [Step(operations.load_from_pipe, (_number(chance), chance.choice(_NAMES[:12])))]


def _misuse(chance: random.Random) -> list[Step]:
    return [Step(operations.misuse, (_number(chance), chance.choice(list(operations.MISUSES))))]


def _rewrite(chance: random.Random) -> list[Step]:
    arguments = chance.choice(_REWRITTEN), chance.choice(_CONTENTS), chance.choice(_MANNERS)
    return [Step(operations.rewrite, arguments)]


def _load_rewritten(chance: random.Random) -> list[Step]:
    """A file that has been loaded is another one when it is loaded again."""
    name, content = chance.choice([("good.pem", "other.pem"), ("other.pem", "good.pem")])
    number, host = _number(chance), chance.choice([GOOD, FOREIGN])
    return [
        Step(operations.load, (_number(chance), "text", name, True)),
        Step(operations.rewrite, (name, content, chance.choice(_MANNERS))),
        Step(operations.load, (number, "text", name, False)),
        Step(connect, (number, chance.choice(_SERVERS), host, "memory")),
    ]


def _use_rewritten(chance: random.Random) -> list[Step]:
    """A file that has been loaded is another one when its context is used."""
    number, name = _number(chance), chance.choice(_REWRITTEN)
    drawing = chance.choice([_look, draw_connect, _accept])
    return [
        Step(operations.load, (number, "text", name, True)),
        Step(operations.rewrite, (name, chance.choice(FILES), chance.choice(_MANNERS))),
        *(Step(each.operation, (number, *each.arguments[1:])) for each in drawing(chance)),
    ]


def _set_default_paths(chance: random.Random) -> list[Step]:
    arguments = chance.choice(_NAMES), chance.choice(["nowhere", "hashed"])
    return [Step(operations.set_default_paths, arguments)]


def _load_default_paths(chance: random.Random) -> list[Step]:
    """Default trust of one place, then of another one, each in a context of its own."""
    form = chance.choice(["default paths", "default certificates"])
    names = chance.sample(["good.pem", "other.pem", "both.pem", MISSING], 2)
    first = chance.choice([MISSING, MISSING, "good.pem"]), chance.choice(["nowhere", "hashed"])
    return [
        Step(operations.set_default_paths, first),
        Step(operations.make, ("client", "", False)),
        Step(operations.load, (-1, form, "", True)),
        Step(operations.look, (-1, chance.choice(["binary", "stats", "ciphers"]))),
        Step(connect, (-1, chance.choice(_SERVERS), GOOD, "memory")),
        Step(operations.set_default_paths, (names[0], "nowhere")),
        Step(operations.make, ("default", "", True)),
        Step(operations.set_default_paths, (names[1], "nowhere")),
        Step(operations.make, ("default", "", False)),
        Step(connect, (-1, chance.choice(_SERVERS), chance.choice([GOOD, FOREIGN]), "memory")),
    ]


def _load_half(chance: random.Random) -> list[Step]:
    """A bundle with one damaged certificate; as ``cadata`` it leaves the one before it behind."""
    number, form = _number(chance), chance.choice(["text", "cadata text"])
    return [
        Step(operations.load, (number, form, "good_and_damaged.pem", _warm(chance))),
        Step(connect, (number, chance.choice(_SERVERS), GOOD, "memory")),
    ]


def _look(chance: random.Random) -> list[Step]:
    return [Step(operations.look, (_number(chance), chance.choice(list(operations.LOOKS))))]


def _change(chance: random.Random) -> list[Step]:
    name = chance.choice(["verify_flags", "check_hostname", *operations.CHANGES])
    value = chance.choice(operations.CHANGES[name][1])
    return [Step(operations.change, (_number(chance), name, value))]


def _choose_ciphers(chance: random.Random) -> list[Step]:
    """Ciphers show in TLS 1.2, where they can be chosen, and their level in the RSA key."""
    number, ciphers = _number(chance), chance.choice(operations.CHANGES["set_ciphers"][1])
    server, host = chance.choice(["TLSv1.2 accept", "TLSv1.2 ask-not"]), chance.choice([GOOD, RSA])
    return [
        Step(operations.change, (number, "set_ciphers", ciphers)),
        Step(connect, (number, server, host, "memory")),
    ]


def draw_connect(chance: random.Random) -> list[Step]:
    """A connection of some context to some server."""
    server, way = chance.choice(_SERVERS), chance.choice(["memory", "memory", "sockets"])
    return [Step(connect, (_number(chance), server, chance.choice(_HOSTS), way))]


def _connect_twice(chance: random.Random) -> list[Step]:
    kind = chance.choice(["certificates", "binary", "stats"])
    arguments = _number(chance), chance.choice(_SERVERS), chance.choice(_HOSTS), kind
    return [Step(connect_twice, arguments)]


def _accept(chance: random.Random) -> list[Step]:
    client, way = chance.choice(["known", "unknown", "none"]), chance.choice(["memory", "sockets"])
    return [Step(accept, (_number(chance), client, way))]


def _own(chance: random.Random) -> list[Step]:
    return [Step(own, (_number(chance),))]


def draw_activate(chance: random.Random) -> list[Step]:
    """One of the rules."""
    return [Step(activate, (chance.choice(RULES),))]


def _deactivate(chance: random.Random) -> list[Step]:
    return [Step(deactivate)]


#: what a sequence is drawn from, with the weight of each
DRAWINGS: Sequence[Drawing] = (
    draw_make,
    _load,
    _load_from_pipe,
    _misuse,
    _rewrite,
    _load_rewritten,
    _use_rewritten,
    _set_default_paths,
    _load_default_paths,
    _load_half,
    _look,
    _change,
    _choose_ciphers,
    draw_connect,
    _connect_twice,
    _accept,
    _own,
    draw_activate,
    _deactivate,
)
WEIGHTS = (11, 30, 1, 3, 8, 5, 5, 2, 4, 5, 9, 12, 6, 15, 3, 6, 2, 4, 3)


def whole(seed: int, steps: list[Step]) -> list[Step]:
    """The steps with a beginning and an end: a context first; at last connections and a look.

    Mostly active from the beginning, sometimes with a context that is older.
    """
    chance = random.Random(~seed)  # noqa: S311 - to be repeated, not to be secret
    start = [draw_activate(chance), draw_make(chance)]
    if chance.random() < 0.2:
        start.reverse()
    host = chance.choice([GOOD, FOREIGN])
    last = [Step(connect, (0, chance.choice(_SERVERS[:2]), host, "memory"))]
    if chance.random() < 0.5:
        last += _look(chance)
    return [*(step for each in start for step in each), *steps, *draw_connect(chance), *last]
