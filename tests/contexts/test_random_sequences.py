"""Whatever a program does to its contexts, in whatever order, the verdicts are those without us."""

from __future__ import annotations

import contextlib
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import mxcert_runtime
from tests.contexts.ground import HOSTS, Activation, Ground, Realm
from tests.contexts.memory_pair import Meeting, meet
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls, server_context

_CHUNKS, _SEQUENCES, _LENGTH = 8, 25, 10

_CIPHERS = (
    "DEFAULT",
    "ECDHE+AESGCM",
    "DEFAULT:@SECLEVEL=3",
    "ALL:@SECLEVEL=1",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
)


@dataclass
class World:
    """One run of one sequence; with ``activate`` of ``None`` it is the run without us."""

    ground: Ground
    server: ssl.SSLContext
    own: tuple[Path, Path]
    activate: Activation | None
    contexts: list[ssl.SSLContext] = field(default_factory=list)
    meetings: list[Meeting] = field(default_factory=list)
    #: for each meeting, whether the caller's context had a certificate of its own
    owned: list[bool] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)
    owners: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ground.file(self.ground.realm.authority.pem)
        self.ground.default_paths(self.ground.file(self.ground.realm.foreign.pem, "default.pem"))
        self.ground.directory(self.ground.realm.authority)

    @property
    def bundle(self) -> str:
        return str(self.ground.folder / "bundle.pem")

    def pick(self, chance: random.Random) -> ssl.SSLContext:
        """One of the contexts that there are."""
        if not self.contexts:
            _create(self, chance)
        return chance.choice(self.contexts)


Operation = Callable[[World, random.Random], None]


def _create(world: World, chance: random.Random) -> None:
    factory = chance.choice(
        [
            lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            ssl.create_default_context,
            lambda: ssl.create_default_context(cafile=world.bundle),
            lambda: ssl.create_default_context(cadata=world.ground.realm.foreign.der),
            ssl._create_unverified_context,
        ]
    )
    world.contexts.append(factory())


def _load_file(world: World, chance: random.Random) -> None:
    world.pick(chance).load_verify_locations(world.bundle)


def _load_directory(world: World, chance: random.Random) -> None:
    world.pick(chance).load_verify_locations(capath=str(world.ground.folder / "hashed"))


def _load_data(world: World, chance: random.Random) -> None:
    realm = world.ground.realm
    content = chance.choice([realm.foreign.der, realm.authority.pem.decode(), realm.authority.der])
    world.pick(chance).load_verify_locations(cadata=content)


def _load_damaged(world: World, chance: random.Random) -> None:
    context = world.pick(chance)
    path = world.ground.file(world.ground.realm.foreign.pem + b"-----BEGIN CERTIFICATE-----\n!\n")
    with contextlib.suppress(ssl.SSLError):
        context.load_verify_locations(path)
    world.ground.replace(world.ground.realm.authority.pem)


def _load_default(world: World, chance: random.Random) -> None:
    context = world.pick(chance)
    chance.choice([context.set_default_verify_paths, context.load_default_certs])()


def _load_crl(world: World, chance: random.Random) -> None:
    context = world.pick(chance)
    context.load_verify_locations(world.ground.file(world.ground.realm.crl, "crl.pem"))
    if chance.random() < 0.5:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _replace_file(world: World, chance: random.Random) -> None:
    realm = world.ground.realm
    world.ground.replace(chance.choice([realm.foreign.pem, realm.authority.pem]))


def _set_ciphers(world: World, chance: random.Random) -> None:
    world.pick(chance).set_ciphers(chance.choice(_CIPHERS))


def _set_version(world: World, chance: random.Random) -> None:
    version = chance.choice([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    context = world.pick(chance)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = version


def _set_mode(world: World, chance: random.Random) -> None:
    context = world.pick(chance)
    context.check_hostname = False
    context.verify_mode = chance.choice([ssl.CERT_NONE, ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED])


def _set_host_check(world: World, chance: random.Random) -> None:
    world.pick(chance).check_hostname = chance.random() < 0.7


def _load_own_certificate(world: World, chance: random.Random) -> None:
    context = world.pick(chance)
    if chance.random() < 0.3:
        context.load_cert_chain(*world.own)
        world.owners.add(id(context))


def _activate(world: World, chance: random.Random) -> None:
    if world.activate is not None:
        world.activate()


def _deactivate(world: World, chance: random.Random) -> None:
    if chance.random() < 0.3 and world.activate is not None:
        mxcert_runtime.deactivate()


def _connect(world: World, chance: random.Random) -> None:
    context = world.pick(chance)
    world.meetings.append(meet(context, world.server, chance.choice(HOSTS)))
    world.owned.append(id(context) in world.owners)
    world.active.append(mxcert_runtime.is_active())


OPERATIONS: tuple[Operation, ...] = (
    _create,
    _load_file,
    _load_directory,
    _load_data,
    _load_damaged,
    _load_default,
    _load_crl,
    _replace_file,
    _set_ciphers,
    _set_version,
    _set_mode,
    _set_host_check,
    _load_own_certificate,
    _deactivate,
    *[_activate] * 2,
    *[_connect] * 6,
)


@pytest.fixture(scope="module")
def memory_server(realm: Realm, client_authority: Authority) -> ssl.SSLContext:
    """A server's context with a leaf for each host of the realm."""
    leaves = dict(realm.leaves)
    default = leaves[HOSTS[0]]
    return server_context(
        ServerTls(default, (client_authority,), Demand.ACCEPT, leaves_by_name=leaves)
    )


@pytest.mark.parametrize("chunk", range(_CHUNKS))
def test_sequences(
    chunk: int,
    ground: Ground,
    memory_server: ssl.SSLContext,
    activate: Activation,
    alpha: Leaf,
    beta: Leaf,
    tmp_path: Path,
) -> None:
    """Same sequence with and without us: same verdicts, and the right certificate at the server."""
    own = beta.write_pem(tmp_path)

    def run(seed: int, activation: Activation | None) -> World:
        folder = tmp_path / f"{seed}-{activation is not None}"
        folder.mkdir()
        place = Ground(ground.realm, folder, ground.monkeypatch)
        world = World(place, memory_server, own, activation)
        plan, chance = random.Random(seed), random.Random(~seed)  # noqa: S311
        for operation in [*plan.choices(OPERATIONS, k=_LENGTH), _connect]:
            operation(world, chance)
        mxcert_runtime.deactivate()
        return world

    for number in range(_SEQUENCES):
        seed = 1 + chunk * _SEQUENCES + number
        plain, hooked = run(seed, None), run(seed, activate)
        names = [each.__name__ for each in random.Random(seed).choices(OPERATIONS, k=_LENGTH)]  # noqa: S311
        message = f"seed {seed}: {names}"
        assert _decided(plain) == _decided(hooked), message
        assert _expected_fingerprints(hooked, alpha, beta) == _fingerprints(hooked), message


def _decided(world: World) -> list[object]:
    return [(each.verdict, each.agreed) for each in world.meetings]


def _fingerprints(world: World) -> list[str | None]:
    return [each.fingerprint for each in world.meetings]


def _expected_fingerprints(world: World, alpha: Leaf, beta: Leaf) -> list[str | None]:
    expected: list[str | None] = []
    for meeting, owned, active in zip(world.meetings, world.owned, world.active):
        leaf = beta if owned else alpha if active else None
        expected.append(leaf.fingerprint if leaf and meeting.verdict.accepted else None)
    return expected
