"""A pool of urllib3 that serves several identities has the bounds of one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from urllib3.exceptions import EmptyPoolError

from tests.pools.clients import scope
from tests.pools.siblings.pools import SERVICES, Make, Pool, ask
from tests.support.listener import TIMEOUT
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_SERVICE, Scene


class TestBounds:
    def test_blocking_pool(self, make: Make, scene: Scene) -> None:
        """``block=True``: one in use for each service, and whoever comes next is told so."""
        with closing(make(maxsize=1, block=True)) as pool:
            with scope(ALPHA_SERVICE):
                response = pool.request("GET", "/", preload_content=False)
                with pytest.raises(EmptyPoolError):
                    pool.request("GET", "/", pool_timeout=0.01)
            assert scene.beta.fingerprint == ask(pool, BETA_SERVICE)["fingerprint"]
            response.read()
            response.release_conn()
            assert scene.alpha.fingerprint == ask(pool, ALPHA_SERVICE)["fingerprint"]
        assert 2 == scene.server.connections

    def test_retired_connection_keeps_its_place(self, scene: Scene) -> None:
        """A connection that is replaced after an activation leaves no hole in the bound."""
        pool = Pool(ALPHA_HOST, scene.server.port, ca_certs=scene.ca_file, maxsize=1, block=True)
        with closing(pool):
            for leaf in (scene.alpha, scene.beta) * 3:
                scene.activate_file(leaf)
                answer = ask(pool, None, pool_timeout=TIMEOUT)
                assert leaf.fingerprint == answer["fingerprint"]
        assert 6 == scene.server.connections

    def test_threads(self, make: Make, scene: Scene) -> None:
        """Twenty threads that come at once make one set of connections for each service."""
        barrier = threading.Barrier(20, timeout=TIMEOUT)
        expected = {ALPHA_SERVICE: scene.alpha.fingerprint, BETA_SERVICE: scene.beta.fingerprint}

        def work(number: int) -> bool:
            service = SERVICES[number % 2]
            barrier.wait()
            return expected[service] == ask(pool, service)["fingerprint"]

        with closing(make(maxsize=2, block=True)) as pool, ThreadPoolExecutor(20) as threads:
            assert all(threads.map(work, range(20)))
        assert scene.server.connections <= 4
