"""A service is carried to where a library connects: into greenlets, and into Twisted's reactor.

Each program runs in a process of its own, since these libraries change the process; what is judged
is what the server saw.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.hooks import (
    greenlets,
    grpc_channels,
    grpclib_channels,
    twisted_agents,
    urllib3_future,
)
from mxcert_runtime.hooks.curl import tornado_client
from mxcert_runtime.hooks.curl.library import LIBRARY as CURL
from mxcert_runtime.hooks.patching import Library
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

SERVICE = "Carried.Service"

_GEVENT = """
import contextlib, json, os, sys, warnings
warnings.simplefilter("ignore")
from gevent import monkey
monkey.patch_all()
PLUGIN
import gevent, gevent.pool, ssl, urllib.request
url, ca_file = sys.argv[1:]
def get():
    context = ssl.create_default_context(cafile=ca_file)
    return json.load(urllib.request.urlopen(url, context=context))["fingerprint"]
def each(spawn):
    outside = spawn()
    with SCOPE:
        inside = spawn()
    return outside, inside
pool = gevent.pool.Pool(2)
ways = {
    "spawn": each(lambda: gevent.spawn(get).get()),
    # Its greenlet runs when the scope is over.
    "later": [job.get() for job in each(lambda: gevent.spawn_later(0, get))],
    "pool": each(lambda: pool.spawn(get).get()),
    "apply": each(lambda: pool.apply(get)),
    "map": each(lambda: pool.map(lambda _: get(), [0])[0]),
    "async map": each(lambda: pool.map_async(lambda _: get(), [0]).get()[0]),
    "unordered": each(lambda: next(pool.imap_unordered(lambda _: get(), [0]))),
}
print(json.dumps(ways))
"""
_TWISTED = """
import contextlib, json, sys
PLUGIN
from twisted.internet import defer, ssl, task
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool, readBody
url, ca_file = sys.argv[1:]

@defer.inlineCallbacks
def main(reactor):
    with open(ca_file, "rb") as file:
        trusted = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(file.read())])
    pool = HTTPConnectionPool(reactor)
    agent = Agent(reactor, BrowserLikePolicyForHTTPS(trusted), pool=pool)
    def begin():
        return agent.request(b"GET", url.encode("ascii"))
    seen = []
    for scope in (contextlib.nullcontext(), SCOPE, contextlib.nullcontext(), SCOPE):
        with scope:
            # The scope is over before the reactor connects.
            response = begin()
        body = json.loads((yield readBody((yield response))))
        seen.append([body["fingerprint"], body["connection"]])
    yield pool.closeCachedConnections()
    print(json.dumps(seen))

task.react(main)
"""


class _Programs:
    """A server whose host has one identity by its rule, and another for the service."""

    def __init__(
        self, server: TlsServer, files: ClientFiles, authority: Authority, alpha: Leaf, beta: Leaf
    ) -> None:
        self._url = server.url("localhost")
        self._ca_file = str(files.authority(authority))
        self._environment = files.variables(usages={"localhost": alpha, SERVICE: beta})

    def run(self, program: str, *, plugin: bool) -> Any:
        """What a program prints, with the plugin or without."""
        scope = f"mxcert_runtime.service({SERVICE!r})" if plugin else "contextlib.nullcontext()"
        begin = "import mxcert_runtime" if plugin else ""
        script = program.replace("PLUGIN", begin).replace("SCOPE", scope)
        arguments = self._url, self._ca_file
        return run_client(script, *arguments, environment=self._environment).json()


@pytest.fixture
def programs(
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> _Programs:
    return _Programs(tls_server(), client_files, authority, alpha, beta)


def test_greenlets(programs: _Programs, alpha: Leaf, beta: Leaf) -> None:
    """What is spawned inside a service calls it, also when it runs later; what is not, does not."""
    pytest.importorskip("gevent")
    shown = programs.run(_GEVENT, plugin=True)
    assert [[alpha.fingerprint, beta.fingerprint]] * 7 == list(shown.values())


def test_greenlets_without_plugin(programs: _Programs) -> None:
    """The same without the plugin shows nothing."""
    pytest.importorskip("gevent")
    shown = programs.run(_GEVENT, plugin=False)
    assert [[None, None]] * 7 == list(shown.values())


def test_reactor(programs: _Programs, alpha: Leaf, beta: Leaf) -> None:
    """A request belongs to the service that it was made in; each keeps a connection of its own."""
    pytest.importorskip("twisted")
    pytest.importorskip("service_identity")
    shown = programs.run(_TWISTED, plugin=True)
    expected = [[alpha.fingerprint, 1], [beta.fingerprint, 2]] * 2
    assert expected == shown


def test_reactor_without_plugin(programs: _Programs) -> None:
    """The same without the plugin keeps one connection, and shows nothing."""
    pytest.importorskip("twisted")
    pytest.importorskip("service_identity")
    assert [[None, 1]] * 4 == programs.run(_TWISTED, plugin=False)


_LIBRARIES = [
    *greenlets.LIBRARIES,
    *twisted_agents.LIBRARIES,
    grpclib_channels.LIBRARY,
    *grpc_channels.LIBRARIES,
    CURL,
    tornado_client.LIBRARY,
    *(each for each in urllib3_future.LIBRARIES if each.module.startswith("urllib3_future")),
]


@pytest.mark.parametrize("library", _LIBRARIES, ids=lambda each: each.module)
def test_undo(library: Library, client_files: ClientFiles, alpha: Leaf) -> None:
    """What is replaced comes back, the very same, and is replaced once however often."""
    if importlib.util.find_spec(library.module.partition(".")[0]) is None:
        pytest.skip(f"{library.module} is not installed")
    importlib.import_module(library.module)
    patches = library.patches()
    before = [patch._find()[1] for patch in patches]
    entry = client_files.identity("alpha", alpha, hosts=["localhost"])
    mxcert_runtime.activate(settings={"identity": [entry]})
    once = [patch._find()[1] for patch in patches]
    mxcert_runtime.activate(settings={"identity": [entry]})
    assert all(one is other for one, other in zip(once, [each._find()[1] for each in patches]))
    assert all(one is not other for one, other in zip(before, once))
    mxcert_runtime.deactivate()
    assert all(one is other for one, other in zip(before, [each._find()[1] for each in patches]))
