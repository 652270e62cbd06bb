"""pycurl: transfers side by side present each its own, a handle that is changed meanwhile too."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

pytest.importorskip("pycurl")

import pycurl

import mxcert_runtime
from mxcert_runtime.hooks.curl import transfers
from tests.clients.curl.handles import HOSTS, activate_pinning, finish, make_handle, shown
from tests.support.scene import ALPHA_HOST, BETA_HOST, NOBODY, Scene


def test_multi(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transfers side by side present each its own; a redirect out of one is told with words."""
    monkeypatch.setattr(transfers, "libcurl_version", lambda: (8, 0))
    scene.activate_hosts()
    multi, bodies = pycurl.CurlMulti(), {}
    urls = [*map(scene.url, HOSTS), scene.url(path=f"/redirect?to={scene.url(BETA_HOST)}")]
    for url in urls:
        curl = make_handle(scene)
        curl.setopt(pycurl.FOLLOWLOCATION, 1)
        curl.setopt(pycurl.URL, url)
        bodies[curl] = io.BytesIO()
        curl.setopt(pycurl.WRITEFUNCTION, bodies[curl].write)
        multi.add_handle(curl)
    good, bad = finish(multi, len(urls))
    assert [list(bodies)[-1]] == [curl for curl, _, _ in bad]
    assert "leads to beta.test" in bad[0][2]
    answers = [json.loads(bodies[curl].getvalue())["fingerprint"] for curl in list(bodies)[:3]]
    assert [scene.alpha.fingerprint, scene.beta.fingerprint, None] == answers
    for curl in bodies:
        multi.remove_handle(curl)
    mxcert_runtime.deactivate()
    assert [None] == shown(make_handle(scene, handle=good[0]), scene.url())


def test_multi_that_is_closed(scene: Scene) -> None:
    """What a closed multi leaves in a handle counts no more."""
    scene.activate_hosts()
    curl, multi = make_handle(scene), pycurl.CurlMulti()
    curl.setopt(pycurl.URL, scene.url())
    multi.add_handle(curl)
    multi.close()
    mxcert_runtime.deactivate()
    assert [None] == shown(curl, scene.url())


def _added(scene: Scene, **options: Any) -> tuple[Any, Any]:
    """A handle for ALPHA_HOST on a multi, which has not begun with it."""
    curl, multi = make_handle(scene), pycurl.CurlMulti()
    curl.setopt(pycurl.URL, scene.url())
    curl.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    for name, value in options.items():
        curl.setopt(getattr(pycurl, name), value)
    multi.add_handle(curl)
    return curl, multi


@pytest.mark.parametrize("host", [BETA_HOST, NOBODY])
def test_url_that_is_changed_on_a_multi(scene: Scene, host: str) -> None:
    """libcurl reads the URL when it begins, so that one counts and not that of ``add_handle``."""
    scene.activate_hosts()
    curl, multi = _added(scene)
    curl.setopt(pycurl.URL, scene.url(host))
    finish(multi, 1)
    wanted = scene.beta.fingerprint if host == BETA_HOST else None
    assert [(host, wanted)] == [(each.sni, each.fingerprint) for each in scene.server.seen]
    multi.remove_handle(curl)
    assert [scene.alpha.fingerprint] == shown(make_handle(scene, handle=curl), scene.url())


def test_url_that_is_changed_under_way(scene: Scene) -> None:
    """It is for the next transfer: the one under way keeps its identity, and follows nobody."""
    scene.activate_hosts()
    curl, multi = _added(scene, CONNECTTIMEOUT=9)
    multi.perform()
    curl.setopt(pycurl.URL, scene.url(BETA_HOST))
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    finish(multi, 1)
    multi.remove_handle(curl)
    multi.add_handle(curl)
    finish(multi, 1)
    assert [scene.alpha.fingerprint, scene.beta.fingerprint] == scene.seen


def test_options_that_are_changed_on_a_multi(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a decision depends on is looked at again: here redirects and the verification."""
    monkeypatch.setattr(transfers, "libcurl_version", lambda: (8, 0))
    scene.activate_hosts(require_verified_server="all")
    curl, multi = _added(scene, URL=scene.url(path=f"/redirect?to={scene.url(NOBODY)}"))
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    _, bad = finish(multi, 1)
    assert "leads to nobody.test" in bad[0][2]
    assert [scene.alpha.fingerprint] == scene.seen
    curl, multi = _added(scene)
    curl.setopt(pycurl.SSL_VERIFYPEER, 0)
    finish(multi, 1)
    assert [scene.alpha.fingerprint, None] == scene.seen


def test_option_that_is_refused_on_a_multi(scene: Scene) -> None:
    """What cannot be carried out is told at once, and the transfer opens nothing."""
    activate_pinning(scene, require_verified_server="off")
    curl, multi = _added(scene)
    with pytest.raises(pycurl.error, match="pinned for this host"):
        curl.set_ca_certs(scene.authority.pem.decode())
    _, bad = finish(multi, 1)
    assert [curl] == [each for each, _, _ in bad]
    assert 0 == scene.server.connections
    multi.remove_handle(curl)
    mxcert_runtime.deactivate()
    assert [None] == shown(make_handle(scene, handle=curl), scene.url())


@pytest.mark.skipif(not hasattr(pycurl, "CurlUrl"), reason="this pycurl has no URLs of parts")
def test_url_of_parts(scene: Scene) -> None:
    """``CURLU`` counts in the place of ``URL``, as for libcurl, and may be changed until then."""
    scene.activate_hosts()
    curl, parts = make_handle(scene), pycurl.CurlUrl(scene.url())
    curl.setopt(pycurl.CURLU, parts)
    assert [scene.alpha.fingerprint] == shown(curl, scene.url(BETA_HOST))
    parts.host = NOBODY
    assert [None] == shown(curl, scene.url())
    parts.host = ALPHA_HOST
    multi = pycurl.CurlMulti()
    multi.add_handle(curl)
    parts.host = NOBODY
    finish(multi, 1)
    multi.remove_handle(curl)
    curl.unsetopt(pycurl.CURLU)
    make_handle(scene, handle=curl)
    assert [scene.beta.fingerprint] == shown(curl, scene.url(BETA_HOST))
    assert [scene.alpha.fingerprint, None, scene.beta.fingerprint] == scene.seen
