"""The server is verified as it was before there were hooks; bad files end in words, not crashes."""

from __future__ import annotations

import datetime
import imaplib
import json
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.clients import calls
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.mail_server import StartTlsServer
from tests.support.pki import Authority, Leaf, now
from tests.support.scene import ALPHA_HOST, BETA_HOST, HOSTS, Scene
from tests.support.server_tls import TlsVersion
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.versions_in_turns

Servers = ServerFactory[TlsServer]
MailServers = ServerFactory[StartTlsServer]

_DAY = datetime.timedelta(days=1)


def _by_rule(scene: Scene) -> ssl.SSLContext:
    scene.activate(scene.files.identity("alpha", scene.alpha, hosts=["*.test"]))
    return scene.context()


def _by_default(scene: Scene) -> ssl.SSLContext:
    scene.activate(scene.files.identity("alpha", scene.alpha), unlisted_hosts="offer")
    return scene.context()


def _by_request_of_the_server(scene: Scene) -> ssl.SSLContext:
    leaves = {"alpha": scene.alpha, "beta": scene.beta}
    identities = [scene.files.identity(name, leaf) for name, leaf in leaves.items()]
    scene.activate(*identities, unlisted_hosts="offer")
    return scene.context()


def _by_authorities_of_the_rule(scene: Scene) -> ssl.SSLContext:
    identity = scene.files.identity(
        "alpha", scene.alpha, hosts=["*.test"], authorities=[scene.authority]
    )
    scene.activate(identity)
    return ssl.create_default_context()


def _by_older_context(scene: Scene) -> ssl.SSLContext:
    context = scene.context()
    scene.activate(scene.files.identity("alpha", scene.alpha, hosts=["*.test"]))
    return context


def _by_older_context_and_request(scene: Scene) -> ssl.SSLContext:
    context = scene.context()
    _by_request_of_the_server(scene)
    return context


_DECISIONS = (
    _by_rule,
    _by_default,
    _by_request_of_the_server,
    _by_authorities_of_the_rule,
    _by_older_context,
    _by_older_context_and_request,
)


@contextmanager
def _urllib3_on_pyopenssl() -> Iterator[None]:
    import urllib3.contrib.pyopenssl as pyopenssl

    pyopenssl.inject_into_urllib3()
    try:
        yield
    finally:
        pyopenssl.extract_from_urllib3()


def _pyopenssl_pool(url: str, ca_file: str) -> Any:
    import urllib3

    with _urllib3_on_pyopenssl(), urllib3.PoolManager(ca_certs=ca_file, retries=False) as pool:
        return json.loads(pool.request("GET", url, timeout=TIMEOUT).data)


def _leaf(scene: Scene, fault: str) -> Leaf:
    if fault == "foreign root":
        return Authority("Server root").issue("server", hosts=HOSTS)
    if fault == "wrong host":
        return scene.authority.issue("server", hosts=["other.test", f"{ALPHA_HOST}.evil.test"])
    return scene.authority.issue(
        "server", hosts=HOSTS, not_before=now() - 9 * _DAY, not_after=now() - _DAY
    )


def _outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)["fingerprint"]
    except Exception as error:
        refused = "certificate verify failed" in str(error)
        return "refused" if refused else f"{type(error).__name__}: {error}"


each_fault = pytest.mark.parametrize("fault", ["foreign root", "wrong host", "expired"])
#: urllib3 2.6 asks it for the subject
pyopenssl_deprecates_itself = pytest.mark.filterwarnings(
    "ignore:X509.get_subject is deprecated:DeprecationWarning",
    # urllib3 1.26, in whichever test imports it first.
    "ignore:'urllib3.contrib.pyopenssl' module is deprecated:DeprecationWarning",
)
each_decision = pytest.mark.parametrize(
    "decide", _DECISIONS, ids=lambda decide: decide.__name__.strip("_")
)


class TestUrllib3Cve2016_9015:
    """Verification was silently off."""

    @each_fault
    @each_decision
    def test_urllib3_cve_2016_9015_verification_silently_off(
        self, decide: Any, fault: str, scene: Scene, tls_server: Servers, tls_version: TlsVersion
    ) -> None:
        """After any hook a bad server certificate is refused, before the server sees ours."""
        server = tls_server(leaf=_leaf(scene, fault), version=tls_version)
        context = decide(scene)
        outcomes = {
            call.__name__: _outcome(call, server.url(ALPHA_HOST), context) for call in calls.ALL
        }
        assert dict.fromkeys(outcomes, "refused") == outcomes
        assert [] == server.seen

    @each_decision
    def test_twin_good_certificate(self, decide: Any, scene: Scene) -> None:
        """The twin: with a good certificate each of the calls presents alpha."""
        context = decide(scene)
        outcomes = {call.__name__: _outcome(call, scene.url(), context) for call in calls.ALL}
        assert dict.fromkeys(outcomes, scene.alpha.fingerprint) == outcomes

    @pyopenssl_deprecates_itself
    @each_fault
    def test_pyopenssl(
        self, fault: str, scene: Scene, tls_server: Servers, tls_version: TlsVersion
    ) -> None:
        """The same for urllib3 on pyOpenSSL, which compares the name by itself afterwards."""
        import urllib3

        server = tls_server(leaf=_leaf(scene, fault), version=tls_version)
        _by_rule(scene)
        with pytest.raises(urllib3.exceptions.HTTPError, match=r"certificate verify|doesn't match"):
            _pyopenssl_pool(server.url(ALPHA_HOST), scene.ca_file)
        assert [] == server.answers

    @pyopenssl_deprecates_itself
    def test_twin_pyopenssl(self, scene: Scene) -> None:
        """The twin: with a good certificate alpha is presented."""
        _by_rule(scene)
        answer = _pyopenssl_pool(scene.url(), scene.ca_file)
        assert scene.alpha.fingerprint == answer["fingerprint"]


def _smtp(host: str, port: int, context: ssl.SSLContext | None) -> None:
    with smtplib.SMTP(host, port, timeout=TIMEOUT) as client:
        client.starttls(context=context)
        client.noop()


def _imap(host: str, port: int, context: ssl.SSLContext | None) -> None:
    client = imaplib.IMAP4(host, port)
    try:
        client.starttls(context)
        client.login("user", "password")
    finally:
        with suppress(OSError):  # a handshake that failed has closed it
            client.shutdown()


@pytest.mark.parametrize("upgrade", [_smtp, _imap], ids=["smtplib", "imaplib"])
class TestCurlCve2026_8286:
    """STARTTLS skipped the match that other connections have."""

    @pytest.fixture
    def servers(
        self, upgrade: Any, smtp_server: MailServers, imap_server: MailServers
    ) -> MailServers:
        """Starts servers of the protocol."""
        return smtp_server if upgrade is _smtp else imap_server

    @pytest.mark.parametrize("trust", ["shared context", "older context", "no context"])
    def test_curl_cve_2026_8286_starttls_skips_the_match(
        self, upgrade: Any, trust: str, scene: Scene, servers: MailServers, tls_version: TlsVersion
    ) -> None:
        """STARTTLS to two hosts, two identities, and none for the third; again and again."""
        server = servers(hosts=HOSTS, version=tls_version)
        older = scene.context()
        scene.activate_hosts()
        context = older if trust == "older context" else scene.context()
        for host in (*HOSTS, *reversed(HOSTS)):
            upgrade(host, server.port, None if trust == "no context" else context)
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint, None]
        seen = [seen.fingerprint for seen in server.seen.wait_for(6)]
        assert [*expected, *reversed(expected)] == seen

    def test_port_of_a_rule(
        self, upgrade: Any, scene: Scene, servers: MailServers, tls_version: TlsVersion
    ) -> None:
        """A rule for another port of the host does not apply to what begins in plain text."""
        server = servers(hosts=HOSTS, version=tls_version)
        rules = {"alpha": f"{ALPHA_HOST}:{server.port}", "beta": f"{BETA_HOST}:{scene.server.port}"}
        leaves = {"alpha": scene.alpha, "beta": scene.beta}
        scene.activate(
            *(
                scene.files.identity(name, leaves[name], hosts=[rule])
                for name, rule in rules.items()
            )
        )
        for host in (ALPHA_HOST, BETA_HOST):
            upgrade(host, server.port, scene.context())
        seen = [seen.fingerprint for seen in server.seen.wait_for(2)]
        assert [scene.alpha.fingerprint, None] == seen

    def test_twin_wrong_host(
        self, upgrade: Any, scene: Scene, servers: MailServers, tls_version: TlsVersion
    ) -> None:
        """The twin: a server with another host's certificate is refused, and sees none of ours."""
        leaf = scene.authority.issue("server", hosts=[BETA_HOST])
        server = servers(leaf=leaf, version=tls_version)
        scene.activate_hosts()
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            upgrade(ALPHA_HOST, server.port, scene.context())
        assert [] == server.seen


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


_DATA, _ENVELOPED, _ENCRYPTED = (
    _der(6, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07" + bytes([number])) for number in (1, 3, 6)
)


def _pkcs12(*content_infos: bytes) -> bytes:
    safe = _der(0xA0, _der(4, _der(0x30, *content_infos)))
    return _der(0x30, _der(2, b"\x03"), _der(0x30, _DATA, safe))


#: a ContentInfo has a type and, by the grammar of PKCS 7, need not have a content
_MALFORMED = {
    "authSafe without content": _der(0x30, _der(2, b"\x03"), _der(0x30, _DATA)),
    "data without content": _pkcs12(_der(0x30, _DATA)),
    "encrypted data without content": _pkcs12(_der(0x30, _ENCRYPTED)),
    "enveloped data without content": _pkcs12(_der(0x30, _ENVELOPED)),
    "encrypted data without algorithm": _pkcs12(
        _der(0x30, _ENCRYPTED, _der(0xA0, _der(0x30, _der(2, b"\0"), _der(0x30, _DATA))))
    ),
}
_LOADING = """
    import json, sys
    import mxcert_runtime
    for path in json.load(sys.stdin):
        settings = {"identity": [{"name": "own", "pkcs12": path, "password": "a secret"}]}
        try:
            mxcert_runtime.activate(settings=settings)
        except mxcert_runtime.SettingsError as error:
            print(json.dumps([len(error.faults), mxcert_runtime.is_active(), str(error)]))
        else:
            print(json.dumps("active"))
"""


class TestOpensslCve2024_0727:
    """A malformed PKCS12 file crashed the process; `tests/identity/test_fuzz.py` has many more."""

    def _load(self, folder: Path, files: dict[str, bytes]) -> list[Any]:
        paths = [folder / f"{name}.p12" for name in files]
        for path, content in zip(paths, files.values()):
            path.write_bytes(content)
        done = run_client(_LOADING, stdin=json.dumps(list(map(str, paths))), host_patterns=())
        assert (0, "") == (done.returncode, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_openssl_cve_2024_0727_malformed_pkcs12_crashes(self, tmp_path: Path) -> None:
        """The known kinds, in a process of their own: one fault each, in words, nothing hooked."""
        outcomes = self._load(tmp_path, _MALFORMED)
        assert len(_MALFORMED) == len(outcomes)
        for faults, active, text in outcomes:
            assert (1, False) == (faults, active)
            assert "is damaged, or it is no PKCS12" in text
            assert "a secret" not in text

    def test_twin_well_formed(self, tmp_path: Path, alpha: Leaf) -> None:
        """The twin: a good file is loaded."""
        assert ["active"] == self._load(tmp_path, {"good": alpha.pkcs12("a secret")})
