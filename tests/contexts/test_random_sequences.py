"""Whatever a program does to its contexts, in whatever order, it sees what it sees without us."""

from __future__ import annotations

import datetime
import logging
from pathlib import Path

import pytest

from mxcert_runtime.base import file_state
from tests.contexts.ground import GOOD, Realm
from tests.contexts.sequence_drawings import DRAWINGS, WEIGHTS, activate, connect, whole
from tests.contexts.sequence_operations import MISUSES, load, look, make, misuse
from tests.contexts.sequences import Active, Play, Rules, Stage, Step, describe_difference, draw
from tests.contexts.supplies import Supplies, make_supplies
from tests.support import pki
from tests.support.pki import Authority, Leaf

pytestmark = pytest.mark.any_python

_CHUNKS, _SEQUENCES = 6, 20
_SETTLED_NS = file_state._SETTLED_NS


@pytest.fixture(scope="module")
def supplies(
    realm: Realm,
    client_authority: Authority,
    beta: Leaf,
    tmp_path_factory: pytest.TempPathFactory,
) -> Supplies:
    return make_supplies(realm, client_authority, beta, tmp_path_factory.mktemp("supplies"))


@pytest.fixture(scope="module")
def rules(
    alpha: Leaf, client_authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Rules:
    """An identity for all hosts, none for all hosts, and the choice of the server's request."""
    folder = tmp_path_factory.mktemp("identities")

    def identity(name: str, leaf: Leaf, **more: object) -> dict[str, object]:
        certificate, key = leaf.write_pem(folder, name)
        return {"name": name, "certificate": str(certificate), "key": str(key), **more}

    hosts = ["*.test"]
    past = pki.now() - datetime.timedelta(hours=1)
    expired = client_authority.issue("expired", server=False, not_after=past)
    none = {"identity": [identity("alpha", alpha)], "no_certificate": {"hosts": hosts}}
    return {
        "identity": (
            {"unlisted_hosts": "none", "identity": [identity("alpha", alpha, hosts=hosts)]},
            alpha.fingerprint,
        ),
        "none": ({"unlisted_hosts": "none", **none}, None),
        "request": (
            {"identity": [identity("expired", expired), identity("alpha", alpha)]},
            alpha.fingerprint,
        ),
    }


@pytest.fixture
def stage(supplies: Supplies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(supplies, tmp_path, monkeypatch)


def _sequence(seed: int) -> list[Step]:
    return whole(seed, draw(seed, DRAWINGS, WEIGHTS))


@pytest.mark.parametrize("chunk", range(_CHUNKS))
def test_sequences(
    chunk: int,
    stage: Stage,
    rules: Rules,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Same results, exceptions, warnings and verdicts, and servers see what the rules say.

    So it is with and without the cache of trust, which does skip loads here; and both where files
    are told apart by their times alone and where they are too young for that.
    """
    caplog.set_level(logging.CRITICAL, "mxcert_runtime")
    waiting = {True: 0, False: 0}
    for seed in range(chunk * _SEQUENCES, (chunk + 1) * _SEQUENCES):
        monkeypatch.setattr(file_state, "_SETTLED_NS", _SETTLED_NS if seed % 2 else 0)
        steps = _sequence(seed)
        plain = stage.run(steps, Play())
        for cache in (True, False):
            play = Active(rules, trust_cache=cache)
            hooked = stage.run(steps, play)
            waiting[cache] += hooked.waiting
            if describe_difference(steps, plain, hooked):
                pytest.fail(f"seed {seed}, trust_cache {cache}\n{_shortest(stage, steps, play)}")
    assert waiting[True] > _SEQUENCES / 2
    assert 0 == waiting[False]


@pytest.mark.parametrize("loaded", [False, True])
def test_wrong_calls(
    loaded: bool, stage: Stage, rules: Rules, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that CPython refuses is refused with its words, and leaves the same behind.

    So it is where the same call, were it right, would be one that is not done again.
    """
    caplog.set_level(logging.CRITICAL, "mxcert_runtime")
    before = [Step(activate, ("identity",)), Step(make, ("client", "good.pem", False))]
    if loaded:
        forms = "text", "default paths", "cadata text"
        before += [Step(load, (0, form, "good.pem", True)) for form in forms]
    after = [Step(look, (0, "binary")), Step(connect, (0, "TLSv1.3 accept", GOOD, "memory"))]
    for name in MISUSES:
        steps = [*before, Step(misuse, (0, name)), *after]
        difference = stage.difference(steps, Active(rules, trust_cache=True))
        assert not difference, difference


def _shortest(stage: Stage, steps: list[Step], play: Play) -> str:
    steps = stage.shortened(steps, play)
    lines = [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    return "\n".join([*lines, "", stage.difference(steps, play)])
