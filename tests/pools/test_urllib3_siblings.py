"""A pool of urllib3 serves several identities as one: its use, its bounds, its end."""

from __future__ import annotations

import gc
import json
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import ClosedPoolError, EmptyPoolError, HTTPError, MaxRetryError

from tests.faults.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE, Scene
from tests.pools.clients import scope
from tests.support.listener import TIMEOUT, bind_loopback
from tests.support.pki import Authority
from tests.support.server_tls import Demand

SERVICES = (ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE)

Make = Callable[..., Any]


class _Connection(urllib3.connection.HTTPSConnection):
    """Remembers all that were made."""

    made: list[Any] = []  # noqa: RUF012 - one list for each test, by the fixture

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made.append(weakref.ref(self))


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Connection


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """References to the connections of this test."""
    fresh: list[Any] = []
    monkeypatch.setattr(_Connection, "made", fresh)
    return fresh


@pytest.fixture
def make(scene: Scene) -> Make:
    """Makes pools for the server, with the services activated."""
    scene.activate_services()

    def make_pool(**more: Any) -> Any:
        options = {"ca_certs": scene.ca_file, "timeout": TIMEOUT, "retries": False, **more}
        return _Pool(ALPHA_HOST, scene.server.port, **options)

    return make_pool


@pytest.fixture
def manager(scene: Scene) -> Iterator[urllib3.PoolManager]:
    """A manager of such pools, with the services activated."""
    scene.activate_services()
    with urllib3.PoolManager(ca_certs=scene.ca_file, timeout=TIMEOUT) as manager:
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": _Pool}
        yield manager


def _ask(pool: Any, service: str | None, path: str = "/", **more: Any) -> Any:
    with scope(service):
        return json.loads(pool.request("GET", path, **more).data)


def _ask_all(pool: Any, path: str = "/") -> list[Any]:
    return [_ask(pool, service, path)["fingerprint"] for service in SERVICES]


def _open(made: list[Any]) -> list[Any]:
    living = [connection for connection in (each() for each in made) if connection is not None]
    return [connection for connection in living if connection.sock is not None]


class TestEnd:
    def test_close(self, make: Make, scene: Scene, made: list[Any]) -> None:
        """Closing the pool closes the connections of all services."""
        pool = make()
        assert [scene.alpha.fingerprint, scene.beta.fingerprint, None] == _ask_all(pool)
        assert 3 == len(_open(made))
        pool.close()
        assert [] == _open(made)

    @pytest.mark.parametrize("service", [None, ALPHA_SERVICE, BETA_SERVICE])
    def test_closed_is_closed(self, make: Make, service: str | None) -> None:
        """A closed pool serves no service, known to it or not, and says that it is closed."""
        pool = make()
        _ask(pool, ALPHA_SERVICE)
        pool.close()
        with pytest.raises(ClosedPoolError):
            _ask(pool, service)

    def test_close_twice(self, make: Make) -> None:
        """Closing once more does nothing."""
        pool = make()
        _ask_all(pool)
        pool.close()
        pool.close()

    def test_with_statement(self, make: Make, made: list[Any]) -> None:
        """Leaving a ``with`` is closing."""
        with make() as pool:
            _ask_all(pool)
        assert [] == _open(made)

    @pytest.mark.skipif(
        urllib3.__version__ < "2", reason="urllib3 1.26 leaves its sockets to the collector"
    )
    def test_garbage_collection(self, make: Make, made: list[Any]) -> None:
        """A pool that is forgotten leaves nothing behind: no pool, no connection, no warning."""
        pool = make()
        _ask_all(pool)
        reference = weakref.ref(pool)
        del pool
        gc.collect()
        assert reference() is None
        assert [None] * 3 == [each() for each in made]

    @pytest.mark.skipif(
        urllib3.__version__ < "2", reason="urllib3 1.26 leaves its sockets to the collector"
    )
    def test_no_cycles(self, make: Make, made: list[Any]) -> None:
        """It goes without the collector, as it does without siblings."""
        pool = make()
        _ask_all(pool)
        reference = weakref.ref(pool)
        gc.disable()
        try:
            del pool
            assert reference() is None
            assert [] == _open(made)
        finally:
            gc.enable()

    def test_rotated_identities(
        self, make: Make, made: list[Any], scene: Scene, client_authority: Authority
    ) -> None:
        """What served an identity that is replaced is closed; what serves another one stays."""
        pool = make()
        for number in range(4):
            leaf = client_authority.issue(f"rotated {number}", server=False)
            beta = scene.files.identity("beta", scene.beta, services=[BETA_SERVICE])
            rotated = scene.files.identity(f"{number}", leaf, services=[ALPHA_SERVICE])
            scene.activate(beta, rotated)
            assert scene.beta.fingerprint == _ask(pool, BETA_SERVICE)["fingerprint"]
            assert leaf.fingerprint == _ask(pool, ALPHA_SERVICE)["fingerprint"]
        gc.collect()
        assert 2 == len(_open(made))
        assert 5 == scene.server.connections

    def test_manager_clear(
        self, manager: urllib3.PoolManager, scene: Scene, made: list[Any]
    ) -> None:
        """``PoolManager.clear`` closes the connections of all services."""
        _ask_all(manager, scene.url())
        manager.clear()
        gc.collect()
        assert [] == _open(made)
        assert scene.alpha.fingerprint == _ask(manager, ALPHA_SERVICE, scene.url())["fingerprint"]

    def test_manager_makes_room(
        self, manager: urllib3.PoolManager, scene: Scene, made: list[Any]
    ) -> None:
        """A pool that a manager drops for another one is closed with all services."""
        manager.pools = type(manager.pools)(1, manager.pools.dispose_func)
        _ask_all(manager, scene.url())
        manager.request("GET", scene.url("beta.test"))
        gc.collect()
        assert ["beta.test"] == [connection.host for connection in _open(made)]

    def test_closed_while_streaming(self, make: Make, scene: Scene, made: list[Any]) -> None:
        """A response that is being read outlives the pool, and its connection does not."""
        pool = make()
        with scope(ALPHA_SERVICE):
            response = pool.request("GET", "/", preload_content=False)
        pool.close()
        assert scene.alpha.fingerprint == json.loads(response.read())["fingerprint"]
        response.release_conn()
        assert [] == _open(made)

    def test_forgotten_while_streaming(self, make: Make, scene: Scene, made: list[Any]) -> None:
        """So it does where nobody holds the pool any more."""
        with scope(ALPHA_SERVICE):
            response = make().request("GET", "/", preload_content=False)
        gc.collect()
        assert scene.alpha.fingerprint == json.loads(response.read())["fingerprint"]
        response.release_conn()
        del response
        gc.collect()
        assert [] == _open(made)


class TestUse:
    def test_streaming(self, make: Make, scene: Scene) -> None:
        """A connection that is read by and by goes back to the service that it is of."""
        with closing(make()) as pool:
            with scope(ALPHA_SERVICE):
                response = pool.request("GET", "/", preload_content=False)
            assert scene.beta.fingerprint == _ask(pool, BETA_SERVICE)["fingerprint"]
            first = json.loads(b"".join(response.stream(16)))
            again = [_ask(pool, service) for service in (BETA_SERVICE, ALPHA_SERVICE, None)]
        assert scene.alpha.fingerprint == first["fingerprint"]
        expected = [scene.beta.fingerprint, scene.alpha.fingerprint, None]
        assert expected == [answer["fingerprint"] for answer in again]
        assert 3 == scene.server.connections

    def test_release_in_another_scope(self, make: Make, scene: Scene) -> None:
        """Where it is released does not matter, and it is released once."""
        with closing(make(maxsize=1, block=True)) as pool:
            with scope(ALPHA_SERVICE):
                response = pool.request("GET", "/", preload_content=False)
            with scope(BETA_SERVICE):
                response.read()
                response.release_conn()
                response.release_conn()
            assert scene.beta.fingerprint == _ask(pool, BETA_SERVICE)["fingerprint"]
            assert scene.alpha.fingerprint == _ask(pool, ALPHA_SERVICE)["fingerprint"]
        assert 2 == scene.server.connections

    def test_dropped_by_the_server(self, make: Make, scene: Scene, made: list[Any]) -> None:
        """A kept connection that has ended is replaced by one of the same identity."""
        with closing(make()) as pool:
            _ask_all(pool)
            for connection in _open(made):
                connection.sock.shutdown(socket.SHUT_RDWR)
            assert [scene.alpha.fingerprint, scene.beta.fingerprint, None] == _ask_all(pool)
        assert 6 == scene.server.connections

    def test_redirect(self, make: Make, scene: Scene) -> None:
        """A redirect within the pool stays with the identity, on one connection."""
        with closing(make(retries=None)) as pool:
            answer = _ask(pool, BETA_SERVICE, "/redirect?to=/there")
        assert (scene.beta.fingerprint, "/there") == (answer["fingerprint"], answer["path"])
        assert 1 == scene.server.connections

    def test_redirects_used_up(self, make: Make) -> None:
        """Redirects count once each, in the scope of a service too."""
        path = "/redirect?to=/redirect%3Fto%3D/there"
        with closing(make(retries=None)) as pool:
            for service in (None, ALPHA_SERVICE):
                assert "/there" == _ask(pool, service, path, retries=2)["path"]
                with pytest.raises(MaxRetryError):
                    _ask(pool, service, path, retries=1)

    def test_retries(self, scene: Scene) -> None:
        """Attempts to connect count once each, in the scope of a service too."""
        scene.activate_services()
        (listening,) = bind_loopback()
        port = listening.getsockname()[1]
        listening.close()
        with closing(_Pool(ALPHA_HOST, port)) as pool:
            for service in (None, ALPHA_SERVICE):
                with scope(service), pytest.raises(MaxRetryError) as caught:
                    pool.request("GET", "/", retries=urllib3.Retry(2, backoff_factor=0))
                assert "retries" in str(caught.value)

    def test_body_is_sent_once(self, make: Make, scene: Scene) -> None:
        """Positional arguments and a body arrive as they were given."""
        with closing(make()) as pool, scope(ALPHA_SERVICE):
            response = pool.urlopen("POST", "/there", b"body", {"X-Test": "1"})
        answer = json.loads(response.data)
        assert ("POST", "/there") == (answer["method"], answer["path"])
        assert 1 == len(scene.server.answers)

    def test_own_urlopen_is_called_once(self, make: Make, scene: Scene) -> None:
        """A class of the application's whose ``urlopen`` does more does so once for a request."""
        calls = []

        class Counting(_Pool):
            def urlopen(self, *args: Any, **kwargs: Any) -> Any:
                calls.append(args)
                return super().urlopen(*args, **kwargs)

        port = scene.server.port
        with closing(Counting(ALPHA_HOST, port, ca_certs=scene.ca_file, retries=False)) as pool:
            _ask(pool, None)
            assert 1 == len(calls)
            _ask(pool, ALPHA_SERVICE)
        assert 2 == len(calls)


class TestBounds:
    def test_blocking_pool(self, make: Make, scene: Scene) -> None:
        """``block=True``: one in use for each service, and whoever comes next is told so."""
        with closing(make(maxsize=1, block=True)) as pool:
            with scope(ALPHA_SERVICE):
                response = pool.request("GET", "/", preload_content=False)
                with pytest.raises(EmptyPoolError):
                    pool.request("GET", "/", pool_timeout=0.01)
            assert scene.beta.fingerprint == _ask(pool, BETA_SERVICE)["fingerprint"]
            response.read()
            response.release_conn()
            assert scene.alpha.fingerprint == _ask(pool, ALPHA_SERVICE)["fingerprint"]
        assert 2 == scene.server.connections

    def test_retired_connection_keeps_its_place(self, scene: Scene) -> None:
        """A connection that is replaced after an activation leaves no hole in the bound."""
        pool = _Pool(ALPHA_HOST, scene.server.port, ca_certs=scene.ca_file, maxsize=1, block=True)
        with closing(pool):
            for leaf in (scene.alpha, scene.beta) * 3:
                scene.activate_file(leaf)
                answer = _ask(pool, None, pool_timeout=TIMEOUT)
                assert leaf.fingerprint == answer["fingerprint"]
        assert 6 == scene.server.connections

    def test_threads(self, make: Make, scene: Scene) -> None:
        """Twenty threads that come at once make one set of connections for each service."""
        barrier = threading.Barrier(20, timeout=TIMEOUT)
        expected = {ALPHA_SERVICE: scene.alpha.fingerprint, BETA_SERVICE: scene.beta.fingerprint}

        def work(number: int) -> bool:
            service = SERVICES[number % 2]
            barrier.wait()
            return expected[service] == _ask(pool, service)["fingerprint"]

        with closing(make(maxsize=2, block=True)) as pool, ThreadPoolExecutor(20) as threads:
            assert all(threads.map(work, range(20)))
        assert scene.server.connections <= 4


class TestVerification:
    """What the application changes on its pool counts for all services from then on."""

    @pytest.fixture
    def wrong(self, scene: Scene, client_authority: Authority) -> str:
        """A file of authorities that did not sign the server."""
        return str(scene.files.authority(client_authority))

    def _use(self, pool: Any, service: str | None) -> Any:
        """Put the only connection to use, so that the next request needs another one."""
        with scope(service):
            return pool.request("GET", "/", preload_content=False)

    @pytest.mark.parametrize("service", [None, ALPHA_SERVICE])
    @pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
    def test_switched_on(self, service: str | None, make: Make, wrong: str) -> None:
        """Verification that is switched on later, as requests does it, is done for services too."""
        pool = make(cert_reqs="CERT_NONE", ca_certs=None)
        with closing(pool), closing(self._use(pool, service)):
            pool.cert_reqs, pool.ca_certs = "CERT_REQUIRED", wrong
            with pytest.raises(HTTPError, match="certificate verify failed"):
                _ask(pool, service)

    @pytest.mark.parametrize("service", [None, ALPHA_SERVICE])
    def test_pinned_fingerprint(self, service: str | None, make: Make) -> None:
        """A fingerprint that is pinned later refuses other servers for services too."""
        with closing(make()) as pool, closing(self._use(pool, service)):
            pool.assert_fingerprint = "00" * 32
            with pytest.raises(HTTPError, match=r"[Ff]ingerprint"):
                _ask(pool, service)

    @pytest.mark.parametrize("service", [None, ALPHA_SERVICE])
    def test_twin_other_authorities(
        self, service: str | None, make: Make, scene: Scene, wrong: str
    ) -> None:
        """The twin: the right authorities that are given later are believed."""
        with closing(make(ca_certs=wrong)) as pool:
            with pytest.raises(HTTPError, match="certificate verify failed"):
                _ask(pool, service)
            pool.ca_certs = scene.ca_file
            assert _ask(pool, service)["path"] == "/"


def test_demanding_server(scene: Scene, tls_server: Any) -> None:
    """A server that demands a certificate refuses the service that gets none, and no other."""
    server = tls_server(hosts=[ALPHA_HOST], demand=Demand.DEMAND)
    scene.activate_services()
    pool = _Pool(ALPHA_HOST, server.port, ca_certs=scene.ca_file, retries=False)
    with closing(pool):
        assert scene.alpha.fingerprint == _ask(pool, ALPHA_SERVICE)["fingerprint"]
        with pytest.raises(HTTPError):
            _ask(pool, NO_SERVICE)
        assert scene.beta.fingerprint == _ask(pool, BETA_SERVICE)["fingerprint"]
