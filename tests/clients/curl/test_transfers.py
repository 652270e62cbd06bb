"""pycurl: each transfer presents what is its own, whatever was kept of those before."""

from __future__ import annotations

import contextlib

import pytest

pytest.importorskip("pycurl")

import pycurl

import mxcert_runtime
from tests.clients.curl.handles import HOSTS, get, make_handle, shown
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.mail_server import StartTlsServer
from tests.support.pki import Authority, Leaf
from tests.support.scene import ALPHA_HOST, BETA_SERVICE, Scene


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
