"""pycurl: no identity goes where a redirect, a URL or a proxy leads libcurl beside its host."""

from __future__ import annotations

import contextlib

import pytest

pytest.importorskip("pycurl")

import pycurl

from mxcert_runtime.hooks.curl import transfers
from mxcert_runtime.hooks.curl.options import Options
from tests.clients.curl.handles import KEEPS_TO_ITSELF, get, make_handle, shown
from tests.support.names import LoopbackNames
from tests.support.proxy import ConnectProxy
from tests.support.scene import ALPHA_HOST, BETA_HOST, NOBODY, Scene


def test_redirect_within_the_host(scene: Scene) -> None:
    """A redirect to the same host is followed, with the identity."""
    scene.activate_hosts()
    curl = make_handle(scene)
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    assert [scene.alpha.fingerprint] == shown(curl, scene.url(path="/redirect?to=/"))


@pytest.mark.parametrize("host", [NOBODY, BETA_HOST])
def test_redirect_to_another_host(
    scene: Scene, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No identity goes along: libcurl keeps it, or the redirect is refused with words."""
    scene.activate_hosts()
    curl = make_handle(scene)
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    url = scene.url(path=f"/redirect?to={scene.url(host)}")
    if KEEPS_TO_ITSELF:
        assert [None] == shown(curl, url)
        assert (host == BETA_HOST) == ("has a rule of its own" in caplog.text)
        assert [scene.alpha.fingerprint, None] == scene.seen
    else:
        with pytest.raises(pycurl.error, match=f"leads to {host}:.*request of its own each"):
            get(curl, url)
        assert [scene.alpha.fingerprint] == scene.seen
    curl.setopt(pycurl.FOLLOWLOCATION, 0)
    wanted = scene.beta.fingerprint if host == BETA_HOST else None
    assert [wanted] == shown(curl, scene.url(host))


def test_redirect_where_libcurl_presents_to_all(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence of older versions holds with this one: nothing is opened to another host."""
    monkeypatch.setattr(transfers, "libcurl_version", lambda: (8, 0))
    scene.activate(
        scene.files.identity("alpha", scene.alpha, hosts=[ALPHA_HOST, NOBODY]),
        scene.files.identity("beta", scene.beta, hosts=[BETA_HOST]),
    )
    curl = make_handle(scene)
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    # Of the same rule, and so through the fence; newer versions present nothing there.
    url = scene.url(path=f"/redirect?to={scene.url(NOBODY)}")
    assert [None if KEEPS_TO_ITSELF else scene.alpha.fingerprint] == shown(curl, url)
    before = scene.server.connections
    with pytest.raises(pycurl.error, match=r"leads to beta.test:.*FOLLOWLOCATION off") as error:
        get(curl, scene.url(path=f"/redirect?to={scene.url(BETA_HOST)}"))
    assert pycurl.E_COULDNT_CONNECT == error.value.args[0]
    assert before == scene.server.connections
    assert [scene.beta.fingerprint] == shown(curl, scene.url(BETA_HOST))


def test_redirect_from_a_host_without_identity(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """It is followed as without the plugin, and one warning tells of the rule it passed over."""
    scene.activate_hosts()
    curl = make_handle(scene)
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    for _ in range(2):
        url = scene.url(NOBODY, f"/redirect?to={scene.url(ALPHA_HOST)}")
        assert [None] == shown(curl, url)
    assert 1 == sum("has a rule of its own" in each for each in caplog.messages)


@pytest.mark.parametrize(
    "url", ["https://user@alpha.test:{}/", "https://alpha.test:{0}\\@nobody.test:{0}/"]
)
def test_unusual_urls(scene: Scene, url: str) -> None:
    """Whatever host libcurl reads out of a URL, no other one than the rule's sees the identity."""
    scene.activate_hosts()
    curl = make_handle(scene)
    with contextlib.suppress(pycurl.error):
        get(curl, url.format(scene.server.port))
    wrong = [each for each in scene.server.seen if each.fingerprint and each.sni != ALPHA_HOST]
    assert [] == wrong


def test_own_connect_to(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own ``CONNECT_TO`` holds within the fence, and is there afterwards."""
    monkeypatch.setattr(transfers, "libcurl_version", lambda: (8, 0))
    scene.activate_hosts()
    curl = make_handle(scene)
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    own = [f"::127.0.0.1:{scene.server.port}"]
    curl.setopt(pycurl.CONNECT_TO, own)
    own.clear()  # libcurl has its own copy
    assert [scene.alpha.fingerprint] == shown(curl, f"https://{ALPHA_HOST}:7/")
    with pytest.raises(pycurl.error, match=r"leads to nobody\.test"):
        get(curl, f"https://{ALPHA_HOST}:7/redirect?to=https://{NOBODY}:7/")
    assert [None] == shown(curl, f"https://{NOBODY}:7/")


def test_proxy(
    scene: Scene, loopback_names: LoopbackNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a tunnel the server is told from its proxy. Where libcurl would take the identity to
    other hosts nothing goes by a proxy, which could lead anywhere, until the program follows
    redirects by itself."""
    scene.activate_hosts()
    with ConnectProxy() as proxy:
        curl = make_handle(scene)
        curl.setopt(pycurl.PROXY, proxy.url())
        assert [scene.alpha.fingerprint] == shown(curl, scene.url())
        monkeypatch.setattr(transfers, "libcurl_version", lambda: (8, 0))
        curl.setopt(pycurl.FOLLOWLOCATION, 1)
        before = list(proxy.tunnels)
        with pytest.raises(pycurl.error, match=r"by way of a proxy.*FOLLOWLOCATION off"):
            get(curl, scene.url(path=f"/redirect?to={scene.url(BETA_HOST)}"))
        assert before == list(proxy.tunnels)
        assert [None] == shown(curl, scene.url(NOBODY))
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        assert [scene.beta.fingerprint] == shown(curl, scene.url(BETA_HOST))


@pytest.mark.parametrize(
    ("options", "variable", "expected"),
    [
        ({}, "https_proxy", True),
        ({}, "ALL_PROXY", True),
        ({}, "no_such_variable", False),
        ({pycurl.PROXY: ""}, "https_proxy", False),
        ({pycurl.NOPROXY: "*"}, "https_proxy", False),
        ({pycurl.NOPROXY: "alpha.test"}, "https_proxy", True),
        ({pycurl.PRE_PROXY: "socks5h://127.0.0.1:1", pycurl.PROXY: ""}, "none", True),
    ],
)
def test_proxies_that_are_known(
    options: dict[int, str], variable: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the handle or of the environment is one, unless the handle says there is none."""
    for each in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    known = Options()
    for option, value in options.items():
        known.note(option, value)
    assert expected == known.may_use_proxy
