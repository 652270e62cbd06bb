"""A pool of urllib3 that serves several identities ends as one."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import ClosedPoolError

from tests.pools.clients import scope
from tests.pools.siblings.pools import Make, ask, ask_all, open_of
from tests.support.pki import Authority
from tests.support.scene import ALPHA_SERVICE, BETA_SERVICE, Scene


class TestEnd:
    def test_close(self, make: Make, scene: Scene, made: list[Any]) -> None:
        """Closing the pool closes the connections of all services."""
        pool = make()
        assert [scene.alpha.fingerprint, scene.beta.fingerprint, None] == ask_all(pool)
        assert 3 == len(open_of(made))
        pool.close()
        assert [] == open_of(made)

    @pytest.mark.parametrize("service", [None, ALPHA_SERVICE, BETA_SERVICE])
    def test_closed_is_closed(self, make: Make, service: str | None) -> None:
        """A closed pool serves no service, known to it or not, and says that it is closed."""
        pool = make()
        ask(pool, ALPHA_SERVICE)
        pool.close()
        with pytest.raises(ClosedPoolError):
            ask(pool, service)

    def test_close_twice(self, make: Make) -> None:
        """Closing once more does nothing."""
        pool = make()
        ask_all(pool)
        pool.close()
        pool.close()

    def test_with_statement(self, make: Make, made: list[Any]) -> None:
        """Leaving a ``with`` is closing."""
        with make() as pool:
            ask_all(pool)
        assert [] == open_of(made)

    @pytest.mark.skipif(
        urllib3.__version__ < "2", reason="urllib3 1.26 leaves its sockets to the collector"
    )
    def test_garbage_collection(self, make: Make, made: list[Any]) -> None:
        """A pool that is forgotten leaves nothing behind: no pool, no connection, no warning."""
        pool = make()
        ask_all(pool)
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
        ask_all(pool)
        reference = weakref.ref(pool)
        gc.disable()
        try:
            del pool
            assert reference() is None
            assert [] == open_of(made)
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
            assert scene.beta.fingerprint == ask(pool, BETA_SERVICE)["fingerprint"]
            assert leaf.fingerprint == ask(pool, ALPHA_SERVICE)["fingerprint"]
        gc.collect()
        assert 2 == len(open_of(made))
        assert 5 == scene.server.connections

    def test_manager_clear(
        self, manager: urllib3.PoolManager, scene: Scene, made: list[Any]
    ) -> None:
        """``PoolManager.clear`` closes the connections of all services."""
        ask_all(manager, scene.url())
        manager.clear()
        gc.collect()
        assert [] == open_of(made)
        assert scene.alpha.fingerprint == ask(manager, ALPHA_SERVICE, scene.url())["fingerprint"]

    def test_manager_makes_room(
        self, manager: urllib3.PoolManager, scene: Scene, made: list[Any]
    ) -> None:
        """A pool that a manager drops for another one is closed with all services."""
        manager.pools = type(manager.pools)(1, manager.pools.dispose_func)
        ask_all(manager, scene.url())
        manager.request("GET", scene.url("beta.test"))
        gc.collect()
        assert ["beta.test"] == [connection.host for connection in open_of(made)]

    def test_closed_while_streaming(self, make: Make, scene: Scene, made: list[Any]) -> None:
        """A response that is being read outlives the pool, and its connection does not."""
        pool = make()
        with scope(ALPHA_SERVICE):
            response = pool.request("GET", "/", preload_content=False)
        pool.close()
        assert scene.alpha.fingerprint == json.loads(response.read())["fingerprint"]
        response.release_conn()
        assert [] == open_of(made)

    def test_forgotten_while_streaming(self, make: Make, scene: Scene, made: list[Any]) -> None:
        """So it does where nobody holds the pool any more."""
        with scope(ALPHA_SERVICE):
            response = make().request("GET", "/", preload_content=False)
        gc.collect()
        assert scene.alpha.fingerprint == json.loads(response.read())["fingerprint"]
        response.release_conn()
        del response
        gc.collect()
        assert [] == open_of(made)
