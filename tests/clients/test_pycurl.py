"""pycurl and what is built on it, by what the server saw."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import json
import pickle
from typing import Any

import pytest

pytest.importorskip("pycurl")

import pycurl

import mxcert_runtime
from mxcert_runtime.connections import announcement
from mxcert_runtime.hooks.curl import handles, library, multis, transfers
from mxcert_runtime.hooks.curl.options import Options
from mxcert_runtime.hooks.patching import Patches
from tests.faults.scene import ALPHA_HOST, BETA_HOST, BETA_SERVICE, NOBODY, Scene
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.mail_server import StartTlsServer
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

HOSTS = ALPHA_HOST, BETA_HOST, NOBODY

if not library.is_fit():
    pytest.skip(f"{pycurl.version} takes no identity from memory", allow_module_level=True)

#: whether libcurl itself presents a certificate to the host of the URL alone
KEEPS_TO_ITSELF = transfers.libcurl_version() >= (8, 23)
#: whether the server sees it before it is verified
IS_LATE = transfers.libcurl_version() >= (8, 17)


@pytest.fixture
def scene(
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Scene:
    """One server under three names, for each protocol version."""
    server = tls_server(hosts=[*HOSTS, "localhost"], version=tls_version)
    return Scene(server, client_files, authority, alpha, beta)


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """What is warned of once is warned of in each test."""
    for each in (transfers._warn_of_redirect, transfers._warn_of_url, transfers._warn_of_extra):
        each.cache_clear()
    multis.warn_of_older_handles.cache_clear()


def make_handle(scene: Scene, *more: TlsServer, handle: Any = None) -> Any:
    """A handle of a program that trusts the server, which has its names."""
    curl = handle or pycurl.Curl()
    ports = [server.port for server in (scene.server, *more)]
    names = [f"{host}:{port}:127.0.0.1" for host in HOSTS for port in ports]
    curl.setopt(pycurl.RESOLVE, names)
    curl.setopt(pycurl.CAINFO, scene.ca_file)
    curl.setopt(pycurl.TIMEOUT, 30)
    return curl


def get(curl: Any, url: str, perform: str = "perform") -> Any:
    """What the server answers."""
    curl.setopt(pycurl.URL, url)
    if perform != "perform":
        return json.loads(getattr(curl, perform)())
    body = io.BytesIO()
    curl.setopt(pycurl.WRITEFUNCTION, body.write)
    curl.perform()
    return json.loads(body.getvalue())


def shown(curl: Any, *urls: str, perform: str = "perform") -> list[str | None]:
    return [get(curl, url, perform)["fingerprint"] for url in urls]


def test_hosts(scene: Scene) -> None:
    """One handle gives each host its own; without the plugin nobody gets any."""
    urls = [scene.url(host) for host in HOSTS]
    assert [None] * 3 == shown(make_handle(scene), *urls)
    scene.activate_hosts()
    curl = make_handle(scene)
    expected = [scene.alpha.fingerprint, scene.beta.fingerprint, None]
    assert expected * 2 == shown(curl, *urls, *urls)
    mxcert_runtime.deactivate()
    assert [None] * 3 == shown(curl, *urls)
    assert [None] * 3 == shown(make_handle(scene), *urls)


@pytest.mark.parametrize("perform", ["perform", "perform_rb", "perform_rs"])
def test_every_perform(scene: Scene, perform: str) -> None:
    """Whatever a program calls, the transfer presents the identity."""
    scene.activate_hosts()
    curl = make_handle(scene)
    assert [scene.alpha.fingerprint] == shown(curl, scene.url(), perform=perform)


def test_kept_connections(scene: Scene) -> None:
    """A handle uses a kept connection only for the same identity, on one host too."""
    scene.activate_services()
    curl = make_handle(scene)
    found = []
    for service in (BETA_SERVICE, None, BETA_SERVICE, "Module.Alpha", None):
        with mxcert_runtime.service(service or "Module.Other"):
            found.append(get(curl, scene.url()))
    beta, none, alpha = scene.beta.fingerprint, None, scene.alpha.fingerprint
    assert [beta, none, beta, alpha, none] == [each["fingerprint"] for each in found]
    assert 3 == len({each["connection"] for each in found})


def test_no_session_crosses_identities(scene: Scene) -> None:
    """Where each transfer connects anew, none resumes what another identity has begun."""
    scene.activate_services()
    curl = make_handle(scene)
    curl.setopt(pycurl.FORBID_REUSE, 1)
    for service in (BETA_SERVICE, "Module.Other", "Module.Alpha", BETA_SERVICE, "Module.Other"):
        with mxcert_runtime.service(service):
            get(curl, scene.url())
    alpha, beta = scene.alpha.fingerprint, scene.beta.fingerprint
    assert [beta, None, alpha, beta, None] == scene.seen


def test_shared_connections(scene: Scene) -> None:
    """Handles that share connections and sessions present each its own."""
    scene.activate_services()
    share = pycurl.CurlShare()
    for kind in (pycurl.LOCK_DATA_CONNECT, pycurl.LOCK_DATA_SSL_SESSION):
        share.setopt(pycurl.SH_SHARE, kind)
    found = []
    for service in (BETA_SERVICE, "Module.Other", "Module.Alpha", BETA_SERVICE):
        curl = make_handle(scene)
        curl.setopt(pycurl.SHARE, share)
        with mxcert_runtime.service(service):
            found += shown(curl, scene.url())
        curl.close()
    alpha, beta = scene.alpha.fingerprint, scene.beta.fingerprint
    assert [beta, None, alpha, beta] == found


def test_renewal(scene: Scene, client_authority: Authority) -> None:
    """A handle presents what is renewed, and not on the connection of before."""
    scene.activate_file(scene.alpha)
    curl = make_handle(scene)
    renewed = client_authority.issue("alpha", server=False)
    before = shown(curl, scene.url())
    scene.activate_file(renewed)
    assert [scene.alpha.fingerprint, renewed.fingerprint] == before + shown(curl, scene.url())


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


def test_own_certificate(scene: Scene) -> None:
    """The program's own is left alone, by whatever option it came, and is there afterwards."""
    scene.activate_hosts()
    curl = make_handle(scene)
    curl.setopt(pycurl.SSLCERT_BLOB, scene.beta.pem())
    curl.setopt(pycurl.SSLKEY_BLOB, scene.beta.key_pem())
    assert [scene.beta.fingerprint] * 2 == shown(curl, scene.url(), scene.url())
    curl.unsetopt(pycurl.SSLCERT_BLOB)
    curl.setopt(pycurl.SSLKEY_BLOB, None)
    assert [scene.alpha.fingerprint] == shown(curl, scene.url())


def test_reset_and_duplicate(scene: Scene) -> None:
    """What was set is followed through ``reset()`` and ``duphandle()``."""
    scene.activate_hosts()
    curl = make_handle(scene)
    curl.setopt(pycurl.SSLCERT_BLOB, scene.beta.pem())
    curl.setopt(pycurl.SSLKEY_BLOB, scene.beta.key_pem())
    copy = curl.duphandle()
    assert [scene.beta.fingerprint] == shown(copy, scene.url())
    curl.reset()
    assert [scene.alpha.fingerprint] == shown(make_handle(scene, handle=curl), scene.url())


def test_duplicate_of_a_prepared_handle(scene: Scene) -> None:
    """A duplicate that is made while a transfer is prepared has no identity of it."""
    scene.activate_hosts()
    curl, multi = make_handle(scene), pycurl.CurlMulti()
    curl.setopt(pycurl.URL, scene.url())
    multi.add_handle(curl)
    copy = curl.duphandle()
    multi.remove_handle(curl)
    mxcert_runtime.deactivate()
    assert [None, None] == shown(copy, scene.url()) + shown(curl, scene.url())


def _pinning(scene: Scene, **more: Any) -> None:
    identity = scene.files.identity(
        "alpha", scene.alpha, hosts=[ALPHA_HOST], authorities=[scene.authority]
    )
    scene.activate(identity, **more)


@pytest.mark.parametrize("setting", ["pinned", "off"])
def test_pinned_authorities(
    scene: Scene, tls_server: ServerFactory[TlsServer], setting: str
) -> None:
    """They alone verify; where they do so too late, nothing is presented, unless a setting says
    so."""
    other = Authority("Other root")
    stranger = tls_server(hosts=HOSTS, leaf=other.issue("server", hosts=HOSTS))
    _pinning(scene, require_verified_server=setting)
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
    _pinning(scene)
    assert [None] == shown(make_handle(scene), scene.url())
    assert 1 == sum("when that has seen the identity" in each for each in caplog.messages)
    assert "whose libcurl is older" in caplog.text


def test_pinned_and_unverified(scene: Scene) -> None:
    """A server that the program does not verify gets nothing where CAs are pinned."""
    _pinning(scene)
    curl = make_handle(scene)
    curl.setopt(pycurl.SSL_VERIFYPEER, 0)
    assert [None] == shown(curl, scene.url())


def test_pinned_and_added_authorities(scene: Scene) -> None:
    """CAs that were added past the options cannot be taken out, so it is refused with words."""
    _pinning(scene)
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


def _finish(multi: Any, running: int) -> tuple[list[Any], list[Any]]:
    good: list[Any] = []
    bad: list[Any] = []
    while len(good) + len(bad) < running:
        while multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        multi.select(1.0)
        _, fine, failed = multi.info_read()
        good, bad = good + fine, bad + failed
    return good, bad


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
    good, bad = _finish(multi, len(urls))
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


def _misused(scene: Scene) -> list[str]:
    """What pycurl says to what it refuses."""
    curl, multi = make_handle(scene), pycurl.CurlMulti()
    curl.setopt(pycurl.URL, scene.url())
    multi.add_handle(curl)
    texts = []
    calls: list[Any] = [curl.perform, lambda: multi.add_handle(curl)]
    for call in (*calls, lambda: multi.add_handle(None)):
        with pytest.raises((pycurl.error, TypeError)) as error:
            call()
        texts.append(str(error.value))
    multi.remove_handle(curl)
    curl.close()
    with pytest.raises(pycurl.error) as error:
        curl.perform()
    return [*texts, str(error.value)]


def test_misuse_says_the_same(scene: Scene) -> None:
    """What pycurl refuses it refuses in its own words."""
    without = _misused(scene)
    scene.activate_hosts()
    assert without == _misused(scene)


def _tornado_fetch(scene: Scene) -> tuple[Any, Any]:
    """A client of one handle, and what fetches by it."""
    httpclient = pytest.importorskip("tornado.curl_httpclient")
    client = httpclient.CurlAsyncHTTPClient(force_instance=True, max_clients=1)
    names = [f"{host}:{scene.server.port}:127.0.0.1" for host in HOSTS]

    async def fetch(host: str, service: str | None = None) -> str | None:
        with mxcert_runtime.service(service or "Module.Other"):
            answer = await client.fetch(
                scene.url(host),
                ca_certs=scene.ca_file,
                prepare_curl_callback=lambda curl: curl.setopt(pycurl.RESOLVE, names),
            )
        fingerprint: str | None = json.loads(answer.body)["fingerprint"]
        return fingerprint

    return client, fetch


def test_tornado(scene: Scene) -> None:
    """tornado's client by curl presents each host its own, on its kept handles."""
    scene.activate_hosts()

    async def main() -> list[str | None]:
        client, fetch = _tornado_fetch(scene)
        answers = [await fetch(host) for host in HOSTS * 2]
        client.close()
        return answers

    assert [scene.alpha.fingerprint, scene.beta.fingerprint, None] * 2 == asyncio.run(main())


def test_tornado_queue(scene: Scene) -> None:
    """A request that waits for a handle presents what its own service is to present."""
    scene.activate_services()
    services = [BETA_SERVICE, "Module.Alpha", None, BETA_SERVICE]

    async def main() -> list[str | None]:
        client, fetch = _tornado_fetch(scene)
        answers = await asyncio.gather(*(fetch(ALPHA_HOST, each) for each in services))
        client.close()
        return list(answers)

    alpha, beta = scene.alpha.fingerprint, scene.beta.fingerprint
    assert [beta, alpha, None, beta] == asyncio.run(main())


def test_async_multi(scene: Scene) -> None:
    """pycurl's own integration with asyncio is reached."""
    if not hasattr(pycurl, "AsyncCurlMulti"):
        pytest.skip("this version has none")
    scene.activate_hosts()

    async def fetch() -> str | None:
        curl, body = make_handle(scene), io.BytesIO()
        curl.setopt(pycurl.URL, scene.url())
        curl.setopt(pycurl.WRITEFUNCTION, body.write)
        async with pycurl.AsyncCurlMulti() as multi:
            await multi.perform(curl)
        fingerprint: str | None = json.loads(body.getvalue())["fingerprint"]
        return fingerprint

    assert scene.alpha.fingerprint == asyncio.run(fetch())


def test_classes(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Every handle is a ``Curl``; names are the same; an older one is told of, and left alone."""
    older, base = make_handle(scene), pycurl.Curl
    scene.activate_hosts()
    assert 1 == sum("are older than mxcert_runtime" in each for each in caplog.messages)
    newer = pycurl.Curl()
    assert [True] * 4 == [
        isinstance(each, kind) for each in (older, newer) for kind in (base, pycurl.Curl)
    ]
    assert not isinstance(object(), pycurl.Curl)
    assert ("pycurl", "Curl", base.__doc__) == (
        type(newer).__module__.partition(".")[0],
        type(newer).__qualname__,
        type(newer).__doc__,
    )
    assert [None] == shown(older, scene.url())
    newer.info = 1
    assert 1 == newer.info
    with pytest.raises(TypeError):
        pickle.dumps(newer)
    mxcert_runtime.deactivate()
    assert pycurl.Curl is base
    assert isinstance(newer, pycurl.Curl)
    del older
    gc.collect()


def test_handles_hold_no_secrets(scene: Scene) -> None:
    """After a transfer nothing of a key is left where a program or a traceback could see it."""
    scene.activate_hosts()
    curl = make_handle(scene)
    shown(curl, scene.url())
    assert "PRIVATE KEY" not in repr({**vars(curl), **vars(handles.options_of(curl))})


def test_extra_authorities(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """They cannot join libcurl's default trust, and one warning says so."""
    scene.activate_hosts(ca=[scene.ca_file])
    curl = pycurl.Curl()
    curl.setopt(pycurl.RESOLVE, [f"{ALPHA_HOST}:{scene.server.port}:127.0.0.1"])
    with pytest.raises(pycurl.error, match="certificate"):
        get(curl, scene.url())
    assert 1 == sum("do not count for pycurl" in each for each in caplog.messages)
    assert [scene.alpha.fingerprint] == shown(make_handle(scene), scene.url())


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


def test_turning_to_tls(
    smtp_server: ServerFactory[StartTlsServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
) -> None:
    """A protocol that turns to TLS presents the identity, where it is told to turn."""
    server = smtp_server(hosts=[ALPHA_HOST])
    entry = client_files.identity("alpha", alpha, hosts=[ALPHA_HOST])
    mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [entry]})
    curl = pycurl.Curl()
    curl.setopt(pycurl.RESOLVE, [f"{ALPHA_HOST}:{server.port}:127.0.0.1"])
    curl.setopt(pycurl.CAINFO, str(client_files.authority(authority)))
    curl.setopt(pycurl.URL, f"smtp://{ALPHA_HOST}:{server.port}")
    curl.setopt(pycurl.USE_SSL, pycurl.USESSL_ALL)
    curl.setopt(pycurl.TIMEOUT, 20)
    with contextlib.suppress(pycurl.error):  # of the dialogue after TLS
        curl.perform()
    assert [alpha.fingerprint] == [each.fingerprint for each in server.seen.wait_for(1)]


@pytest.mark.parametrize(
    ("libcurl", "backend", "is_fit"),
    [
        ("8.16.0-DEV", "OpenSSL/3.5.3", True),
        ("7.88.1", "GnuTLS/3.7.9", False),
        ("8.5.0", "GnuTLS/3.8.3 (OpenSSL/3.0)", False),
        ("8.5.0", "(GnuTLS/3.8.3) OpenSSL/3.0", True),
        ("7.61.1", "OpenSSL/1.1.1k", False),
        ("8.23.0", None, False),
    ],
)
def test_libcurl(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    libcurl: str,
    backend: str | None,
    is_fit: bool,
) -> None:
    """Where libcurl takes nothing from memory, nothing is replaced, and one warning says so."""
    library._warn_of_backend.cache_clear()
    told = (0, libcurl, 0, "Linux", 0, backend)
    monkeypatch.setattr(pycurl, "version_info", lambda: told)
    patches = Patches((library.LIBRARY,))
    before = pycurl.Curl
    for _ in range(2):
        patches.apply()
        assert is_fit == (pycurl.Curl is not before)
        patches.undo()
    said = [each for each in caplog.messages if "takes no identity from memory" in each]
    assert (not is_fit) == len(said)


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
    _finish(multi, 1)
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
    _finish(multi, 1)
    multi.remove_handle(curl)
    multi.add_handle(curl)
    _finish(multi, 1)
    assert [scene.alpha.fingerprint, scene.beta.fingerprint] == scene.seen


def test_options_that_are_changed_on_a_multi(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a decision depends on is looked at again: here redirects and the verification."""
    monkeypatch.setattr(transfers, "libcurl_version", lambda: (8, 0))
    scene.activate_hosts(require_verified_server="all")
    curl, multi = _added(scene, URL=scene.url(path=f"/redirect?to={scene.url(NOBODY)}"))
    curl.setopt(pycurl.FOLLOWLOCATION, 1)
    _, bad = _finish(multi, 1)
    assert "leads to nobody.test" in bad[0][2]
    assert [scene.alpha.fingerprint] == scene.seen
    curl, multi = _added(scene)
    curl.setopt(pycurl.SSL_VERIFYPEER, 0)
    _finish(multi, 1)
    assert [scene.alpha.fingerprint, None] == scene.seen


def test_option_that_is_refused_on_a_multi(scene: Scene) -> None:
    """What cannot be carried out is told at once, and the transfer opens nothing."""
    _pinning(scene, require_verified_server="off")
    curl, multi = _added(scene)
    with pytest.raises(pycurl.error, match="pinned for this host"):
        curl.set_ca_certs(scene.authority.pem.decode())
    _, bad = _finish(multi, 1)
    assert [curl] == [each for each, _, _ in bad]
    assert 0 == scene.server.connections
    multi.remove_handle(curl)
    mxcert_runtime.deactivate()
    assert [None] == shown(make_handle(scene, handle=curl), scene.url())


def test_perform_within_a_callback(scene: Scene) -> None:
    """It is refused by pycurl, and leaves no identity in the handle for another host."""
    scene.activate_hosts()
    curl, refused = make_handle(scene), []

    def write(_: bytes) -> None:
        with pytest.raises(pycurl.error) as error:
            curl.perform()
        refused.append(str(error.value))

    curl.setopt(pycurl.URL, scene.url())
    curl.setopt(pycurl.WRITEFUNCTION, write)
    curl.perform()
    assert [scene.alpha.fingerprint] == scene.seen
    assert "perform()" in refused[0]
    assert [None] == shown(curl, scene.url(NOBODY))


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
    _finish(multi, 1)
    multi.remove_handle(curl)
    curl.unsetopt(pycurl.CURLU)
    make_handle(scene, handle=curl)
    assert [scene.beta.fingerprint] == shown(curl, scene.url(BETA_HOST))
    assert [scene.alpha.fingerprint, None, scene.beta.fingerprint] == scene.seen
