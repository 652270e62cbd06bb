"""Names decide: of hosts, of files and in URLs; none is taken for another."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from tests.clients import calls
from tests.clients.calls import Call
from tests.faults import pooled_clients
from tests.faults.pooled_clients import PooledClient
from tests.support.client_files import PASSWORD
from tests.support.factories import ServerFactory
from tests.support.pki import Leaf
from tests.support.scene import ALPHA_HOST, BETA_HOST, HOSTS, Scene
from tests.support.server_tls import TlsVersion
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.versions_in_turns

Servers = ServerFactory[TlsServer]

each_client = pytest.mark.parametrize(
    "client", pooled_clients.FOLLOWING, ids=pooled_clients.name_of
)


class TestCurlCve2021_22924:
    """Paths were compared without case."""

    def _write(self, folder: Path, leaves: Mapping[str, Leaf]) -> list[str]:
        paths = []
        for name, leaf in leaves.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            if path.exists():
                pytest.skip("the file system does not tell the two names apart")
            path.write_bytes(leaf.pkcs12(PASSWORD))
            paths.append(str(path))
        return paths

    def _set(self, monkeypatch: pytest.MonkeyPatch, paths: list[str], usages: Any) -> None:
        monkeypatch.setenv("ClientCertificates", ", ".join(paths))
        monkeypatch.setenv("ClientCertificatePasswords", ", ".join([PASSWORD] * len(paths)))
        monkeypatch.setenv("ClientCertificateUsages", json.dumps(usages))

    @pytest.mark.parametrize(
        "names",
        [("a/C.pfx", "a/c.pfx"), ("a/c.PFX", "a/c.pfx"), ("A/c.pfx", "a/c.pfx")],
        ids="-".join,
    )
    def test_curl_cve_2021_22924_paths_compared_without_case(
        self, names: tuple[str, str], scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two paths that differ in case are two identities, each for its own host."""
        paths = self._write(tmp_path, dict(zip(names, (scene.alpha, scene.beta))))
        self._set(monkeypatch, paths, dict(zip((ALPHA_HOST, BETA_HOST), paths)))
        mxcert_runtime.activate()
        answers = [calls.http_client(scene.url(host), scene.context()) for host in HOSTS[:2]]
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint]
        assert expected == [answer["fingerprint"] for answer in answers]

    def test_twin_path_in_another_case(
        self, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The twin: a rule that names a listed path in another case is a fault."""
        paths = self._write(tmp_path, {"a/C.pfx": scene.alpha})
        self._set(monkeypatch, paths, {ALPHA_HOST: str(tmp_path / "a" / "c.pfx")})
        with pytest.raises(mxcert_runtime.SettingsError, match="does not list"):
            mxcert_runtime.activate()
        assert not mxcert_runtime.is_active()

    def test_services_in_another_case(self, scene: Scene) -> None:
        """Names of services are compared exactly too."""
        services = ["Module.Own", "module.own"]
        leaves = (scene.alpha, scene.beta)
        scene.activate(
            *(
                scene.files.identity(name, leaf, services=[name])
                for name, leaf in zip(services, leaves)
            )
        )
        seen = []
        for name in services:
            with mxcert_runtime.service(name):
                seen.append(calls.http_client(scene.url(), scene.context())["fingerprint"])
        assert [leaf.fingerprint for leaf in leaves] == seen


_PROGRAM = """
    import json, os, ssl, sys, urllib.request
    given = json.load(sys.stdin)
    os.chdir(given["folder"])
    import mxcert_runtime
    context = ssl.create_default_context(cafile=given["ca_file"])
    with urllib.request.urlopen(given["url"], context=context) as response:
        seen = json.load(response)["fingerprint"]
    print(json.dumps([mxcert_runtime.is_active(), seen]))
"""


#: a password that is the name of a file as well
_FILE = "password.txt"


class TestCurlCve2021_22926:
    """A file in the working directory shadowed a name."""

    @pytest.fixture
    def decoys(self, tmp_path: Path, beta: Leaf) -> Path:
        """A folder in which every name that could be looked for leads to beta."""
        folder = tmp_path / "decoys"
        (folder / ".m2ee").mkdir(parents=True)
        (folder / "own.p12").write_bytes(beta.pkcs12(_FILE))
        (folder / _FILE).write_text("another password")
        toml = f'[[identity]]\nname = "decoy"\npkcs12 = "own.p12"\npassword = "{_FILE}"\n'
        certificates = f"ClientCertificates: [own.p12]\n  ClientCertificatePasswords: [{_FILE}]"
        for name in ("mxcert.toml", "etc-mxcert.toml", ".mxcert.toml"):
            (folder / name).write_text(toml)
        for name in ("m2ee.yaml", ".m2ee/m2ee.yaml"):
            (folder / name).write_text(f"mxruntime:\n  {certificates}\n")
        (folder / ".env").write_text("ClientCertificates=own.p12\n")
        for name in ("own", "alpha", ALPHA_HOST, "Module.Own"):
            (folder / name).write_bytes(beta.pkcs12(_FILE))
        return folder

    def _run(self, scene: Scene, folder: Path, variables: dict[str, str]) -> Any:
        given = {"folder": str(folder), "ca_file": scene.ca_file, "url": scene.url()}
        return run_client(_PROGRAM, stdin=json.dumps(given), environment=variables).json()

    def _write_settings(self, folder: Path, leaf: Leaf) -> Path:
        folder.mkdir()
        (folder / "own.p12").write_bytes(leaf.pkcs12(_FILE))
        config = folder / "mxcert.toml"
        config.write_text(
            '[[identity]]\nname = "own"\npkcs12 = "own.p12"\n'
            f'password = "{_FILE}"\nhosts = ["{ALPHA_HOST}"]\nservices = ["Module.Own"]\n'
        )
        return config

    def test_curl_cve_2021_22926_file_in_the_working_directory_shadows_a_name(
        self, scene: Scene, decoys: Path, tmp_path: Path
    ) -> None:
        """Names in a settings file mean what stands beside that file, and its texts mean texts."""
        config = self._write_settings(tmp_path / "settings", scene.alpha)
        seen = self._run(scene, decoys, {"MXCERT_CONFIG": str(config)})
        assert [True, scene.alpha.fingerprint] == seen

    def test_no_settings(self, scene: Scene, decoys: Path) -> None:
        """Without settings nothing in the working directory is read."""
        assert [False, None] == self._run(scene, decoys, {})

    def test_twin_setting_names_it(self, scene: Scene, decoys: Path) -> None:
        """The twin: a setting that names a file there has it read."""
        expected = [True, scene.beta.fingerprint]
        assert expected == self._run(scene, decoys, {"MXCERT_CONFIG": "mxcert.toml"})


class TestRequestsCve2018_18074:
    """Credentials were kept on a redirect to elsewhere."""

    @each_client
    def test_requests_cve_2018_18074_credentials_kept_on_redirect(
        self,
        client: PooledClient,
        scene: Scene,
        tls_server: Servers,
        tls_version: TlsVersion,
    ) -> None:
        """A pinned host redirects to an unlisted one: no certificate there, nor after it."""
        other = tls_server(hosts=["unlisted.test"], version=tls_version)
        scene.activate_hosts()
        target = other.url("unlisted.test")
        with client(scene.ca_file) as get:
            # The second time the client has connections to both.
            answers = [get(scene.url(path=f"/redirect?to={target}")) for _ in range(2)]
        assert [("unlisted.test", None)] * 2 == [
            (answer["sni"], answer["fingerprint"]) for answer in answers
        ]
        assert {None} == {seen.fingerprint for seen in other.seen}
        assert {scene.alpha.fingerprint} == set(scene.seen)

    @each_client
    def test_twin_to_a_listed_host(self, client: PooledClient, scene: Scene) -> None:
        """The twin: a redirect to another listed host gets that one's own certificate."""
        scene.activate_hosts()
        with client(scene.ca_file) as get:
            answer = get(scene.url(path=f"/redirect?to={scene.url(BETA_HOST)}"))
        assert (BETA_HOST, scene.beta.fingerprint) == (answer["sni"], answer["fingerprint"])
        assert [scene.alpha.fingerprint, scene.beta.fingerprint] == scene.seen


_CYRILLIC = "xn--lpha-53d.test"
_EVIL_HOSTS = (
    "evil.test",
    f"{ALPHA_HOST}.evil.test",
    f"not{ALPHA_HOST}",
    "a.alpha.test",
    _CYRILLIC,
)
_BOTH = "both.test"
#: what leads to the evil server, with its port and that of the good one
_EVIL_URLS = (
    "https://alpha.test:x@evil.test:{evil}/",
    "https://alpha.test@evil.test:{evil}/",
    "https://alpha.test:{good}@evil.test:{evil}/",
    "https://alpha.test%40evil.test:{evil}/",
    "https://evil.test:{evil}/@alpha.test:{good}/",
    "https://evil.test:{evil}/?@alpha.test:{good}/",
    "https://evil.test:{evil}/#@alpha.test:{good}/",
    "https://evil.test:{evil}\\@alpha.test/",
    "https://alpha.test.evil.test:{evil}/",
    "https://notalpha.test:{evil}/",
    "https://a.alpha.test:{evil}/",
    "https://\u0430lpha.test:{evil}/",
    f"https://{_CYRILLIC}:{{evil}}/",
)
#: how clients write the good host, all of them the same name
_GOOD_URLS = (
    "https://ALPHA.Test:{good}/",
    "https://alpha.test.:{good}/",
    "https://b\u00fccher.test:{good}/",
    "https://B\u00dcCHER.test:{good}/",
    "https://xn--bcher-kva.test:{good}/",
    "https://XN--BCHER-KVA.TEST.:{good}/",
)
#: the same, for the clients that know user information
_GOOD_URLS_WITH_USER = (
    "https://good:x@alpha.test:{good}/",
    "https://evil.test:{evil}@alpha.test:{good}/",
)

_URL_CALLS = (
    calls.requests_session,
    calls.urllib3_pool,
    calls.httpx_client,
    calls.httpx_async,
    calls.aiohttp_session,
    calls.urllib_request,
)


def _outcome(call: Call, url: str, context: ssl.SSLContext) -> Any:
    try:
        return call(url, context)["fingerprint"]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("call", _URL_CALLS, ids=calls.name_of)
class TestRequestsCve2024_47081:
    """A crafted URL got the credentials of another host."""

    @pytest.fixture
    def good(self, scene: Scene, tls_server: Servers, tls_version: TlsVersion) -> TlsServer:
        """The server of the pinned hosts."""
        hosts = [*HOSTS, "xn--bcher-kva.test", _BOTH]
        good = tls_server(hosts=hosts, version=tls_version)
        pinned = [ALPHA_HOST, "b\u00fccher.test"]
        scene.activate(scene.files.identity("alpha", scene.alpha, hosts=pinned))
        return good

    @pytest.fixture
    def evil(self, tls_server: Servers, tls_version: TlsVersion) -> TlsServer:
        """A server that has a good certificate for every name but that of the pinned host."""
        return tls_server(hosts=[*_EVIL_HOSTS, _BOTH], version=tls_version)

    def test_requests_cve_2024_47081_crafted_url_gets_another_hosts_credentials(
        self, call: Call, scene: Scene, good: TlsServer, evil: TlsServer
    ) -> None:
        """Whatever a URL looks like: the host that it leads to gets nothing that is not its own."""
        context = scene.context()
        urls = [url.format(evil=evil.port, good=good.port) for url in _EVIL_URLS]
        outcomes = {url: _outcome(call, url, context) for url in urls}
        assert scene.alpha.fingerprint not in outcomes.values()
        assert {None} == {seen.fingerprint for seen in evil.seen}
        assert len(evil.seen) == [*outcomes.values()].count(None) >= 5

    def test_twin_spellings_of_the_host(
        self, call: Call, scene: Scene, good: TlsServer, evil: TlsServer
    ) -> None:
        """The twin: the pinned host gets its own in every spelling that leads there."""
        context = scene.context()
        # Not every client verifies a name with a trailing dot, with us or without.
        context.check_hostname = False
        with_user = () if call is calls.urllib_request else _GOOD_URLS_WITH_USER
        urls = [url.format(evil=evil.port, good=good.port) for url in (*_GOOD_URLS, *with_user)]
        outcomes = {url: _outcome(call, url, context) for url in urls}
        assert {} == {
            url: seen for url, seen in outcomes.items() if seen != scene.alpha.fingerprint
        }

    def test_port(self, call: Call, scene: Scene, good: TlsServer, evil: TlsServer) -> None:
        """A rule for one port is not for another port of the same host."""
        rule = f"{_BOTH}:{good.port}"
        scene.activate(scene.files.identity("alpha", scene.alpha, hosts=[rule]))
        context = scene.context()
        seen = [call(server.url(_BOTH), context)["fingerprint"] for server in (evil, good, evil)]
        assert [None, scene.alpha.fingerprint, None] == seen
