"""A session is resumed for the same identity and host, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest

import mxcert_runtime
from tests.engines.drivers import Driver
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_SERVICE, NOBODY, Scene


def _sight(
    engine: Driver, scene: Scene, context: Any, session: Any, host: str = ALPHA_HOST
) -> tuple[str | None, bool]:
    answer = engine.get(scene.url(host), context, session=session).answer
    return answer["fingerprint"], answer["resumed"]


def test_same(engine: Driver, scene: Scene) -> None:
    """The same identity, host and context: resumed."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    session = engine.get(scene.url(), context).session
    assert (scene.alpha.fingerprint, True) == _sight(engine, scene, context, session)


def test_nobody(engine: Driver, scene: Scene) -> None:
    """Hosts without a rule: resumed, as it is without the plugin."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    session = engine.get(scene.url(NOBODY), context).session
    assert (None, True) == _sight(engine, scene, context, session, NOBODY)


@pytest.mark.parametrize(
    ("before", "after"), [(ALPHA_SERVICE, BETA_SERVICE), (None, ALPHA_SERVICE)]
)
def test_another_identity(engine: Driver, scene: Scene, before: str | None, after: str) -> None:
    """Another identity, or one where there was none: a full handshake."""
    scene.activate_services()
    leaves = {ALPHA_SERVICE: scene.alpha, BETA_SERVICE: scene.beta}
    context = engine.context(scene.ca_file)
    if before is None:
        session = engine.get(scene.url(), context).session
    else:
        with mxcert_runtime.service(before):
            session = engine.get(scene.url(), context).session
    with mxcert_runtime.service(after):
        assert (leaves[after].fingerprint, False) == _sight(engine, scene, context, session)


def test_another_host(engine: Driver, scene: Scene) -> None:
    """Another host with the same identity, and one without any: full handshakes."""
    scene.activate(scene.files.identity("one", scene.alpha, hosts=[ALPHA_HOST, "beta.test"]))
    context = engine.context(scene.ca_file)
    session = engine.get(scene.url(), context).session
    assert (scene.alpha.fingerprint, False) == _sight(engine, scene, context, session, "beta.test")
    assert (None, False) == _sight(engine, scene, context, session, NOBODY)


def test_from_before_the_activation(engine: Driver, scene: Scene) -> None:
    """A session that presented nothing is not resumed once the host has an identity."""
    context = engine.context(scene.ca_file)
    session = engine.get(scene.url(), context).session
    scene.activate_hosts()
    assert (scene.alpha.fingerprint, False) == _sight(engine, scene, context, session)


def test_deactivated(engine: Driver, scene: Scene) -> None:
    """What an identity has opened is resumed for nobody, and is no error, once it is withdrawn."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    session = engine.get(scene.url(), context).session
    mxcert_runtime.deactivate()
    assert (None, False) == _sight(engine, scene, context, session)


def test_deactivated_without_an_identity(engine: Driver, scene: Scene) -> None:
    """The twin: a session that presented nothing is resumed as ever."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    session = engine.get(scene.url(NOBODY), context).session
    mxcert_runtime.deactivate()
    assert (None, True) == _sight(engine, scene, context, session, NOBODY)
