"""Whatever is imported or made first, in processes of their own: each host sees its own."""

from __future__ import annotations

import sys

import pytest

from tests.clients.programs import PLUGIN, Deployed

_LIBRARIES = """
import http.client, ssl, urllib.request
import aiohttp, httpx, requests, urllib3
import OpenSSL.SSL
"""
_EVERY_CALL = """
import ssl
from tests.clients import calls, openssl_calls
def seen_by(call, context):
    return [call(url, context)["fingerprint"] for url in urls]
answers = {call.__name__: seen_by(call, ssl.create_default_context(cafile=ca_file))
           for call in calls.ALL}
answers["pyOpenSSL"] = seen_by(openssl_calls.over_socket, openssl_calls.trusting(ca_file))
print(json.dumps(answers))
"""
#: what is made before the activation, and how it is used after it
_OLDER = {
    "requests": (
        """
        import requests
        session = requests.Session()
        session.verify = ca_file
        """,
        "print(json.dumps([session.get(url).json()['fingerprint'] for url in urls]))",
    ),
    "urllib3": (
        """
        import urllib3
        manager = urllib3.PoolManager(ca_certs=ca_file)
        """,
        """
        answers = [json.loads(manager.request("GET", url).data) for url in urls]
        print(json.dumps([answer["fingerprint"] for answer in answers]))
        """,
    ),
    "httpx": (
        """
        import httpx, ssl
        client = httpx.Client(verify=ssl.create_default_context(cafile=ca_file), timeout=60)
        """,
        "print(json.dumps([client.get(url).json()['fingerprint'] for url in urls]))",
    ),
    "ssl": (
        """
        import ssl, urllib.request
        context = ssl.create_default_context(cafile=ca_file)
        """,
        """
        answers = [json.load(urllib.request.urlopen(url, context=context)) for url in urls]
        print(json.dumps([answer["fingerprint"] for answer in answers]))
        """,
    ),
    "pyOpenSSL": (
        """
        from tests.clients import openssl_calls
        context = openssl_calls.trusting(ca_file)
        """,
        """
        answers = [openssl_calls.over_socket(url, context) for url in urls]
        print(json.dumps([answer["fingerprint"] for answer in answers]))
        """,
    ),
}
#: what programs in one process print
_KEEP_PRINTED = """
printed = []
def print(text):
    printed.append(json.loads(text))
"""
_AIOHTTP = """
import aiohttp, ssl

async def main():
    context = ssl.create_default_context(cafile=ca_file)
    connector = aiohttp.TCPConnector(ssl=context, resolver=aiohttp.ThreadedResolver())
    async with aiohttp.ClientSession(connector=connector) as session:
        import mxcert_runtime
        answers = []
        for url in urls:
            async with session.get(url) as response:
                answers.append((await response.json())["fingerprint"])
        print(json.dumps(answers))

asyncio.run(main())
"""


class TestImports:
    @pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
    def test_libraries(self, deployed: Deployed, first: bool) -> None:
        """Libraries that are imported after the plugin or before it: all do the same."""
        imports = (PLUGIN, _LIBRARIES) if first else (_LIBRARIES, PLUGIN)
        answers = deployed.run(*imports, _EVERY_CALL)
        assert len(answers) >= 12
        assert dict.fromkeys(answers, deployed.expected) == answers

    def test_nobody_imports_a_library(self, deployed: Deployed) -> None:
        """The plugin itself loads no client library."""
        script = """
            names = ("requests", "httpx", "httpcore", "aiohttp", "urllib3", "zeep", "suds")
            print(json.dumps([name for name in names if name in sys.modules]))
        """
        assert [] == deployed.run(PLUGIN, script)


class TestMadeBefore:
    @pytest.mark.parametrize("library", _OLDER)
    def test_made_before_activation(self, deployed: Deployed, library: str) -> None:
        """What was made before the activation serves each host as what is made after it."""
        before, after = _OLDER[library]
        assert deployed.expected == deployed.run(before, PLUGIN, after)

    def test_twin_without_plugin(self, deployed: Deployed) -> None:
        """The same programs, one behind the other, without the plugin show nothing."""
        programs = [part for before, after in _OLDER.values() for part in (before, after)]
        printed = deployed.run(_KEEP_PRINTED, *programs, "sys.stdout.write(json.dumps(printed))")
        assert [[None] * 6] * len(_OLDER) == printed

    def test_aiohttp_session(self, deployed: Deployed) -> None:
        """A session that is open while the plugin is imported."""
        assert deployed.expected == deployed.run(_AIOHTTP)


class TestRequestsDefaultContext:
    """requests 2.32.0 to 2.32.4 load certifi's bundle into one context at their import."""

    _TRUST = """
        import certifi
        certifi.where = lambda: ca_file
        import requests
        import requests.adapters
    """
    _USE = "print(json.dumps([requests.get(url).json()['fingerprint'] for url in urls]))"

    @pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
    def test_default_trust(self, deployed: Deployed, first: bool) -> None:
        """``requests.get`` with default trust, by whatever context it has."""
        imports = (PLUGIN, self._TRUST) if first else (self._TRUST, PLUGIN)
        assert deployed.expected == deployed.run(*imports, self._USE)

    @pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
    def test_extra_authorities(self, deployed: Deployed, first: bool) -> None:
        """Authorities of the settings join it, also where the plugin is imported last."""
        imports = (PLUGIN, "import requests") if first else ("import requests", PLUGIN)
        answers = deployed.run(*imports, self._USE, CACertificates=deployed.ca_file)
        assert deployed.expected == answers


_AIOHTTP_DEFAULT = """
async def main():
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
    ) as session:
        answers = []
        for url in urls:
            async with session.get(url) as response:
                answers.append((await response.json())["fingerprint"])
        print(json.dumps(answers))

asyncio.run(main())
"""


class TestAiohttpDefaultContext:
    """aiohttp makes its context with default trust at its import."""

    @pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
    def test_extra_authorities(self, deployed: Deployed, first: bool) -> None:
        """Authorities of the settings join it, also where the plugin is imported last."""
        imports = (PLUGIN, "import aiohttp") if first else ("import aiohttp", PLUGIN)
        answers = deployed.run(*imports, _AIOHTTP_DEFAULT, CACertificates=deployed.ca_file)
        assert deployed.expected == answers

    def test_older_default_trust(self, deployed: Deployed) -> None:
        """Without such authorities it keeps the trust that it was made with."""
        imports = ("import aiohttp", PLUGIN)
        answers = deployed.run(*imports, _AIOHTTP_DEFAULT, SSL_CERT_FILE=deployed.ca_file)
        assert deployed.expected == answers


class TestUrllibOpener:
    """``urllib.request`` keeps one opener, which since Python 3.12 keeps a context."""

    _BEFORE = """
        import urllib.error, urllib.request
        try:
            urllib.request.urlopen(urls[0])
            raise SystemExit("the server is trusted already")
        except urllib.error.URLError:
            pass
    """
    _USE = """
        answers = [json.load(urllib.request.urlopen(url)) for url in urls]
        print(json.dumps([answer["fingerprint"] for answer in answers]))
    """

    _LISTEN = """
        import logging
        warned = []
        logging.getLogger("mxcert_runtime").addFilter(lambda record: warned.append(record) or True)
    """
    _USE_OR_TELL = """
        try:
            print(json.dumps([json.load(urllib.request.urlopen(urls[0]))["fingerprint"], 0]))
        except urllib.error.URLError:
            older = ["older" in each.getMessage() for each in warned]
            print(json.dumps(["refused", sum(older)]))
    """

    def test_extra_authorities(self, deployed: Deployed) -> None:
        """What an older context trusts nobody can tell: extra authorities do not count, and once
        a warning says so. A context that is made for each call has them.
        """
        extra = {"CACertificates": deployed.ca_file}
        expected = ["refused", 1] if sys.version_info >= (3, 12) else [deployed.expected[0], 0]
        parts = (self._BEFORE, self._LISTEN, PLUGIN, self._USE_OR_TELL)
        assert expected == deployed.run(*parts, **extra)

    def test_default_trust(self, deployed: Deployed) -> None:
        """Its own trust stays, and it presents by rule."""
        before = "import urllib.request; urllib.request.urlopen(urls[0])"
        trust = {"SSL_CERT_FILE": deployed.ca_file}
        assert deployed.expected == deployed.run(before, PLUGIN, self._USE, **trust)
