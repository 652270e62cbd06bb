"""pycurl: which CAs verify a server, and what one gets that is not verified, or too late."""

from __future__ import annotations

import pytest

pytest.importorskip("pycurl")

import pycurl

from mxcert_runtime.connections import announcement
from tests.clients.curl.handles import HOSTS, IS_LATE, activate_pinning, get, make_handle, shown
from tests.support.factories import ServerFactory
from tests.support.pki import Authority
from tests.support.scene import ALPHA_HOST, NOBODY, Scene
from tests.support.tls_server import TlsServer


@pytest.mark.parametrize("setting", ["pinned", "off"])
def test_pinned_authorities(
    scene: Scene, tls_server: ServerFactory[TlsServer], setting: str
) -> None:
    """They alone verify; where they do so too late, nothing is presented, unless a setting says
    so."""
    other = Authority("Other root")
    stranger = tls_server(hosts=HOSTS, leaf=other.issue("server", hosts=HOSTS))
    activate_pinning(scene, require_verified_server=setting)
    curl = make_handle(scene, stranger)
    curl.setopt(pycurl.CAINFO, str(scene.files.authority(other)))
    is_shown = setting == "off" or not IS_LATE
    assert [scene.alpha.fingerprint if is_shown else None] == shown(curl, scene.url())
    with pytest.raises(pycurl.error, match="certificate"):
        get(curl, stranger.url(ALPHA_HOST))
    assert [] == list(stranger.answers)
    seen = [each.fingerprint for each in stranger.seen.wait_for(1)] if IS_LATE else []
    assert [scene.alpha.fingerprint if is_shown else None] * IS_LATE == seen
    assert IS_LATE or [] == list(stranger.seen)
    # The program's own CAs are back for other hosts.
    assert [None] == shown(curl, stranger.url(NOBODY))
    with pytest.raises(pycurl.error, match="certificate"):
        get(curl, scene.url(NOBODY))


@pytest.mark.skipif(not IS_LATE, reason="this libcurl verifies before it presents")
def test_late_verification(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """What is withheld for that is told, with what to do."""
    announcement._warn_of_late_verification.cache_clear()
    activate_pinning(scene)
    assert [None] == shown(make_handle(scene), scene.url())
    assert 1 == sum("when that has seen the identity" in each for each in caplog.messages)
    assert "whose libcurl is older" in caplog.text


def test_pinned_and_unverified(scene: Scene) -> None:
    """A server that the program does not verify gets nothing where CAs are pinned."""
    activate_pinning(scene)
    curl = make_handle(scene)
    curl.setopt(pycurl.SSL_VERIFYPEER, 0)
    assert [None] == shown(curl, scene.url())


def test_pinned_and_added_authorities(scene: Scene) -> None:
    """CAs that were added past the options cannot be taken out, so it is refused with words."""
    activate_pinning(scene)
    curl = make_handle(scene)
    curl.set_ca_certs(Authority("Other root").pem.decode("ascii"))
    with pytest.raises(pycurl.error, match="set_ca_certs"):
        get(curl, scene.url())
    assert [] == scene.seen


@pytest.mark.parametrize(("setting", "is_shown"), [("all", False), ("pinned", True), ("off", True)])
def test_unverified_server(scene: Scene, setting: str, is_shown: bool) -> None:
    """``require_verified_server`` keeps an identity from a server that the handle does not
    verify."""
    scene.activate_hosts(require_verified_server=setting)
    curl = make_handle(scene)
    curl.setopt(pycurl.SSL_VERIFYPEER, 0)
    assert [scene.alpha.fingerprint if is_shown else None] == shown(curl, scene.url())


def test_bad_server(scene: Scene, tls_server: ServerFactory[TlsServer]) -> None:
    """A server that the program does not trust sees no request, and before libcurl 8.17 nothing;
    with `require_verified_server` it never sees an identity."""
    stranger = tls_server(leaf=Authority("Other root").issue("server", hosts=HOSTS))
    for setting in ("all", "pinned"):
        scene.activate_hosts(require_verified_server=setting)
        curl = make_handle(scene, stranger)
        with pytest.raises(pycurl.error, match="certificate"):
            get(curl, stranger.url(ALPHA_HOST))
        curl.close()
        number = 1 if setting == "all" else 2
        if IS_LATE:
            seen = [each.fingerprint for each in stranger.seen.wait_for(number)]
            assert [None, scene.alpha.fingerprint][:number] == seen
    assert [] == list(stranger.answers)
    assert IS_LATE or [] == list(stranger.seen)


def test_extra_authorities(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """They cannot join libcurl's default trust, and one warning says so."""
    scene.activate_hosts(ca=[scene.ca_file])
    curl = pycurl.Curl()
    curl.setopt(pycurl.RESOLVE, [f"{ALPHA_HOST}:{scene.server.port}:127.0.0.1"])
    with pytest.raises(pycurl.error, match="certificate"):
        get(curl, scene.url())
    assert 1 == sum("do not count for pycurl" in each for each in caplog.messages)
    assert [scene.alpha.fingerprint] == shown(make_handle(scene), scene.url())
