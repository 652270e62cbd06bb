"""truststore and gevent put classes of theirs in the place of ``ssl``'s, before or after us."""

from __future__ import annotations

import importlib.util

import pytest

from tests.clients.programs import PLUGIN, Deployed
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority


def _need(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


_INJECT = "import truststore; truststore.inject_into_ssl()"
_STANDARD = """
import urllib.request
answers = [json.load(urllib.request.urlopen(url)) for url in urls]
print(json.dumps([answer["fingerprint"] for answer in answers]))
"""
_REQUESTS = """
import requests
print(json.dumps([requests.get(url).json()["fingerprint"] for url in urls]))
"""
_POOL = """
import urllib3
manager = urllib3.PoolManager()
answers = [json.loads(manager.request("GET", url).data) for url in urls]
print(json.dumps([answer["fingerprint"] for answer in answers]))
"""


class TestTruststore:
    @pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
    @pytest.mark.parametrize(
        "use", [_STANDARD, _REQUESTS, _POOL], ids=["urllib", "requests", "urllib3"]
    )
    def test_injected(self, deployed: Deployed, first: bool, use: str) -> None:
        """truststore's contexts verify by the platform's trust, and present by rule."""
        _need("truststore")
        imports = (PLUGIN, _INJECT) if first else (_INJECT, PLUGIN)
        assert deployed.expected == deployed.run(*imports, use, SSL_CERT_FILE=deployed.ca_file)

    def test_clients_loaded_before(self, deployed: Deployed) -> None:
        """Clients that have made a default context of truststore's when the plugin is imported."""
        _need("truststore")
        imports = (_INJECT, "import aiohttp, requests", PLUGIN)
        answers = deployed.run(*imports, _REQUESTS, SSL_CERT_FILE=deployed.ca_file)
        assert deployed.expected == answers

    def test_genuine_context_made_before(self, deployed: Deployed) -> None:
        """A context of CPython's own, older than truststore's class and the plugin, still works."""
        _need("truststore")
        older = "import ssl; context = ssl.create_default_context(cafile=ca_file)"
        use = """
            import urllib.request
            answers = [json.load(urllib.request.urlopen(url, context=context)) for url in urls]
            print(json.dumps([answer["fingerprint"] for answer in answers]))
        """
        assert deployed.expected == deployed.run(older, _INJECT, PLUGIN, use)

    def test_truststore_context_made_before(self, deployed: Deployed) -> None:
        """So does one of truststore's that is older than the plugin."""
        _need("truststore")
        older = "import ssl; context = ssl.create_default_context()"
        use = """
            import urllib.request
            answers = [json.load(urllib.request.urlopen(url, context=context)) for url in urls]
            print(json.dumps([answer["fingerprint"] for answer in answers]))
        """
        environment = {"SSL_CERT_FILE": deployed.ca_file}
        assert deployed.expected == deployed.run(_INJECT, older, PLUGIN, use, **environment)

    @pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
    def test_bad_authority(
        self,
        deployed: Deployed,
        client_files: ClientFiles,
        client_authority: Authority,
        first: bool,
    ) -> None:
        """With another platform trust every server is refused."""
        _need("truststore")
        imports = (PLUGIN, _INJECT) if first else (_INJECT, PLUGIN)
        use = """
            import ssl, urllib.error, urllib.request
            refused = []
            for url in urls:
                try:
                    urllib.request.urlopen(url)
                except urllib.error.URLError as error:
                    refused.append(isinstance(error.reason, ssl.SSLCertVerificationError))
            print(json.dumps(refused))
        """
        other = str(client_files.authority(client_authority))
        assert [True] * 6 == deployed.run(*imports, use, SSL_CERT_FILE=other)


class TestGevent:
    _PATCH = """
        import os, socket, warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from gevent import monkey
            monkey.patch_all()
        from tests.support.names import install_from
        install_from(os.environ)
        import gevent.socket
        gevent.socket.getaddrinfo = socket.getaddrinfo  # gevent resolves names by itself
    """
    _USE = """
        import gevent, ssl
        from tests.clients import calls
        context = ssl.create_default_context(cafile=ca_file)
        used = (calls.urllib_request, calls.wrap_socket, calls.requests_session, calls.urllib3_pool)
        jobs = [gevent.spawn(call, url, context) for call in used for url in urls]
        gevent.joinall(jobs, raise_error=True)
        print(json.dumps([job.value["fingerprint"] for job in jobs]))
    """

    @pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
    def test_default_trust(self, deployed: Deployed, first: bool) -> None:
        """So does a connection that takes its identity late, as the first of a default trust."""
        _need("gevent")
        imports = (PLUGIN, self._PATCH) if first else (self._PATCH, PLUGIN)
        answers = deployed.run(*imports, _STANDARD, SSL_CERT_FILE=deployed.ca_file)
        assert deployed.expected == answers

    def test_older_context(self, deployed: Deployed) -> None:
        """So does one of gevent's contexts that is older than the plugin."""
        _need("gevent")
        older = "import ssl; context = ssl.create_default_context(cafile=ca_file)"
        use = """
            import urllib.request
            answers = [json.load(urllib.request.urlopen(url, context=context)) for url in urls]
            print(json.dumps([answer["fingerprint"] for answer in answers]))
        """
        assert deployed.expected == deployed.run(self._PATCH, older, PLUGIN, use)

    def test_no_warning_of_ours(self, deployed: Deployed) -> None:
        """gevent warns of modules that hold ``ssl``'s class itself: none of ours is among them."""
        _need("gevent")
        patch = """
            import warnings
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                from gevent import monkey
                monkey.patch_all()
            told = [str(each.message) for each in caught]
            print(json.dumps([each for each in told if "mxcert" in each]))
        """
        assert [] == deployed.run(PLUGIN, patch)

    @pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
    def test_patched(self, deployed: Deployed, first: bool) -> None:
        """Many greenlets at once, gevent's patches made after the plugin's or before them."""
        _need("gevent")
        imports = (PLUGIN, self._PATCH) if first else (self._PATCH, PLUGIN)
        assert deployed.expected * 4 == deployed.run(*imports, self._USE)
