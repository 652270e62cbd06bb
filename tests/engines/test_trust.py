"""Which servers are trusted: as the program has it, unless a rule pins CAs or extra ones join."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engines.drivers import Driver
from tests.support.pki import Authority
from tests.support.scene import ALPHA_HOST, NOBODY, Scene

HOSTS = ALPHA_HOST, NOBODY


@pytest.fixture
def foreign_file(scene: Scene) -> str:
    """The file of an authority that no server has its certificate from."""
    return str(scene.files.authority(Authority("Foreign root")))


@pytest.fixture
def default_trust(monkeypatch: pytest.MonkeyPatch, foreign_file: str, tmp_path: Path) -> None:
    """What OpenSSL trusts by default, and it is not the server."""
    monkeypatch.setenv("SSL_CERT_FILE", foreign_file)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))


def _is_accepted(engine: Driver, scene: Scene, context: Any, host: str = ALPHA_HOST) -> bool:
    try:
        engine.get(scene.url(host), context)
    except engine.errors:
        return False
    return True


def test_a_bad_server_is_refused(engine: Driver, scene: Scene, foreign_file: str) -> None:
    """With an identity, with none and offered one: what the program distrusts gets nothing."""
    context = engine.context(foreign_file)
    scene.activate_hosts()
    assert [False, False] == [_is_accepted(engine, scene, context, host) for host in HOSTS]
    scene.activate(scene.files.identity("one", scene.alpha), unlisted_hosts="offer")
    assert not _is_accepted(engine, scene, context)
    assert [] == scene.seen


@pytest.mark.parametrize("is_right", [True, False])
def test_pinned_cas(engine: Driver, scene: Scene, is_right: bool) -> None:
    """They verify alone for their hosts, whatever the program trusts, and for no other host."""
    pinned = scene.authority if is_right else Authority("Pinned root")
    rule = scene.files.identity("one", scene.alpha, hosts=[ALPHA_HOST], authorities=[pinned])
    scene.activate(rule)
    others = str(scene.files.authority(Authority("Another root")))
    verdicts = [
        _is_accepted(engine, scene, engine.context(file), host)
        for file in (scene.ca_file, others)
        for host in HOSTS
    ]
    assert [is_right, True, is_right, False] == verdicts


@pytest.mark.usefixtures("default_trust")
def test_extra_cas(engine: Driver, scene: Scene, foreign_file: str) -> None:
    """They join default trust, with an identity and without, and no bundle of the program's."""
    scene.activate_hosts(ca=[scene.ca_file])
    context, explicit = engine.context(), engine.context(foreign_file)
    assert [True, True] == [_is_accepted(engine, scene, context, host) for host in HOSTS]
    # As the default file it is default trust: what the program names is another one.
    named = str(scene.files.authority(Authority("Named root")))
    assert _is_accepted(engine, scene, explicit)
    assert not _is_accepted(engine, scene, engine.context(named))


@pytest.mark.usefixtures("default_trust")
def test_no_extra_cas(engine: Driver, scene: Scene) -> None:
    """The twin: without them default trust refuses the server."""
    scene.activate_hosts()
    context = engine.context()
    assert [False, False] == [_is_accepted(engine, scene, context, host) for host in HOSTS]


@pytest.mark.usefixtures("default_trust")
def test_extra_cas_of_later_settings(engine: Driver, scene: Scene) -> None:
    """A context with default trust gets those of settings that come after it."""
    scene.activate_hosts()
    context = engine.context()
    assert not _is_accepted(engine, scene, context)
    scene.activate_hosts(ca=[scene.ca_file])
    assert [True, True] == [_is_accepted(engine, scene, context, host) for host in HOSTS]


@pytest.mark.usefixtures("default_trust")
def test_extra_cas_and_an_older_context(
    engine: Driver, scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """What an older context trusts nobody can tell: nothing is added, and one warning says so."""
    context = engine.context()
    scene.activate_hosts(ca=[scene.ca_file])
    caplog.clear()
    assert [False, False] == [_is_accepted(engine, scene, context, host) for host in HOSTS]
    told = [each.getMessage() for each in caplog.records if "is older than" in each.getMessage()]
    assert [True] == [scene.ca_file in text for text in told]


def test_ciphers_are_kept(engine: Driver, scene: Scene) -> None:
    """A context that offers no cipher of the server's is refused with an identity too."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    # In TLS 1.3 this list has no say.
    engine.set_ciphers(context, "ECDHE-RSA-AES128-GCM-SHA256")
    is_tls_1_3 = scene.server.tls.version.value == "TLSv1.3"
    assert is_tls_1_3 == _is_accepted(engine, scene, context)
