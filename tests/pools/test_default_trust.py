"""Authorities of the settings join default trust alone; those of an identity replace all trust."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import certifi
import pytest

import mxcert_runtime
from tests.clients.calls import TIMEOUT, endpoint_of
from tests.support.pki import Authority
from tests.support.scene import ALPHA_HOST, NOBODY, Scene

Call = Callable[[str, Any], Any]


def _urlopen(url: str, file: Any) -> Any:
    context = ssl.create_default_context(cafile=file)
    with urllib.request.urlopen(url, timeout=TIMEOUT, context=context) as response:  # noqa: S310
        return json.load(response)


def _http_client(url: str, file: Any) -> Any:
    context = None if file is None else ssl.create_default_context(cafile=file)
    connection = http.client.HTTPSConnection(*endpoint_of(url), timeout=TIMEOUT, context=context)
    with closing(connection):
        connection.request("GET", "/")
        return json.load(connection.getresponse())


def _urllib3(url: str, file: Any) -> Any:
    import urllib3

    trust = {} if file is None else {"ca_certs": file}
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT, **trust) as manager:
        return json.loads(manager.request("GET", url).data)


def _requests(url: str, file: Any) -> Any:
    import requests

    return requests.get(url, verify=file or True, timeout=TIMEOUT).json()


def _httpx(url: str, file: Any) -> Any:
    import httpx

    trust = True if file is None else ssl.create_default_context(cafile=file)
    return httpx.get(url, verify=trust, timeout=TIMEOUT).json()


def _httpx_async(url: str, file: Any) -> Any:
    import httpx

    async def get() -> Any:
        trust = True if file is None else ssl.create_default_context(cafile=file)
        async with httpx.AsyncClient(verify=trust, timeout=TIMEOUT) as client:
            return (await client.get(url)).json()

    return asyncio.run(get())


def _aiohttp(url: str, file: Any) -> Any:
    import aiohttp

    async def get() -> Any:
        trust: Any = True if file is None else ssl.create_default_context(cafile=file)
        connector = aiohttp.TCPConnector(ssl=trust, resolver=aiohttp.ThreadedResolver())
        session = aiohttp.ClientSession(connector=connector)
        async with session, session.get(url) as response:
            return await response.json()

    return asyncio.run(get())


CALLS = (_urlopen, _http_client, _urllib3, _requests, _httpx, _httpx_async, _aiohttp)
each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__.strip("_"))
refused = pytest.raises(Exception, match=r"certificate verify failed|CERTIFICATE_VERIFY_FAILED")
FORMS = ["CACertificates", "CERTIFICATE_AUTHORITIES", "MXCERT_CA_CERTIFICATES", "native"]


@pytest.fixture
def activate(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, client_authority: Authority
) -> Callable[..., None]:
    """Puts authorities in force, as the settings have it; they stand in one bundle."""

    def activate_form(form: str, pem: bytes) -> None:
        bundle = scene.files.folder / "extra.pem"
        bundle.write_bytes(pem)
        if form == "native":
            scene.activate_hosts(ca=[str(bundle)])
            return
        inline = form == "CERTIFICATE_AUTHORITIES"
        usages = {ALPHA_HOST: scene.alpha}
        for name, value in scene.files.variables(usages=usages).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv(form, pem.decode("ascii") if inline else str(bundle))
        mxcert_runtime.activate()

    return activate_form


class TestForms:
    @pytest.mark.parametrize(
        ("call", "form"),
        [(call, FORMS[number % len(FORMS)]) for number, call in enumerate(CALLS)],
        ids=lambda value: getattr(value, "__name__", value).strip("_"),
    )
    def test_joins(
        self, call: Call, form: str, scene: Scene, activate: Any, client_authority: Authority
    ) -> None:
        """Where the client names no bundle, each certificate of the settings' bundle counts.

        Each client and each form of settings; no client can know the form.
        """
        activate(form, client_authority.pem + scene.authority.pem)
        assert scene.alpha.fingerprint == call(scene.url(), None)["fingerprint"]
        assert "fingerprint" in call(scene.url(NOBODY), None)


@each_call
class TestDefaultTrust:
    def test_first_of_a_bundle(
        self, call: Call, scene: Scene, activate: Any, client_authority: Authority
    ) -> None:
        """So does the first one."""
        activate("native", scene.authority.pem + client_authority.pem)
        assert call(scene.url(NOBODY), None)["fingerprint"] is None

    def test_twin_others(
        self, call: Call, scene: Scene, activate: Any, client_authority: Authority
    ) -> None:
        """The twin: without the authority among them the server is refused."""
        activate("native", client_authority.pem)
        for host in (ALPHA_HOST, NOBODY):
            with refused:
                call(scene.url(host), None)
        assert [] == scene.seen

    def test_certifi_by_name(self, call: Call, scene: Scene, activate: Any) -> None:
        """certifi's bundle, named by its path, is default trust."""
        activate("native", scene.authority.pem)
        assert scene.alpha.fingerprint == call(scene.url(), certifi.where())["fingerprint"]
        assert call(scene.url(NOBODY), certifi.where())["fingerprint"] is None

    def test_named_bundle(
        self, call: Call, scene: Scene, activate: Any, client_authority: Authority
    ) -> None:
        """A bundle that the caller names stays what it is: the server is refused."""
        activate("native", scene.authority.pem)
        file = str(scene.files.authority(client_authority))
        for host in (ALPHA_HOST, NOBODY):
            with refused:
                call(scene.url(host), file)
        assert [] == scene.seen

    def test_twin_named_bundle(
        self, call: Call, scene: Scene, activate: Any, client_authority: Authority
    ) -> None:
        """The twin: the right bundle of the caller's is enough."""
        activate("native", client_authority.pem)
        assert scene.alpha.fingerprint == call(scene.url(), scene.ca_file)["fingerprint"]


@each_call
@pytest.mark.parametrize("named", [True, False], ids=["named bundle", "extra authority"])
class TestOwnAuthorities:
    def _activate(self, scene: Scene, own: Authority, extra: Authority) -> None:
        rule = scene.files.identity("own", scene.alpha, hosts=[ALPHA_HOST], authorities=[own])
        scene.activate(rule, ca=[str(scene.files.authority(extra))])

    def test_alone_count(
        self, call: Call, named: bool, scene: Scene, client_authority: Authority
    ) -> None:
        """What the caller loaded and what the settings add is refused where an identity has own."""
        self._activate(scene, client_authority, scene.authority)
        file = scene.ca_file if named else None
        with refused:
            call(scene.url(), file)
        assert [] == scene.seen
        assert call(scene.url(NOBODY), file)["fingerprint"] is None

    def test_twin_right_ones(
        self, call: Call, named: bool, scene: Scene, client_authority: Authority
    ) -> None:
        """The twin: the right ones are enough, whatever the caller loaded."""
        self._activate(scene, scene.authority, client_authority)
        file = str(scene.files.authority(client_authority)) if named else None
        assert scene.alpha.fingerprint == call(scene.url(), file)["fingerprint"]
        with refused:
            call(scene.url(NOBODY), file)


def test_default_https_context(scene: Scene) -> None:
    """``ssl._create_default_https_context`` by itself."""
    scene.activate_hosts(ca=[scene.ca_file])
    context = ssl._create_default_https_context()
    connection = http.client.HTTPSConnection(NOBODY, scene.server.port, context=context)
    with closing(connection):
        connection.request("GET", "/")
        assert 200 == connection.getresponse().status


@each_call
def test_again_after_deactivation(call: Call, scene: Scene) -> None:
    """They join it in every activation, also in one that follows a deactivation."""
    for _ in range(2):
        scene.activate_hosts(ca=[scene.ca_file])
        assert scene.alpha.fingerprint == call(scene.url(), None)["fingerprint"]
        mxcert_runtime.deactivate()
        with refused:
            call(scene.url(), None)
