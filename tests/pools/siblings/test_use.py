"""A pool of urllib3 that serves several identities is used as one."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import MaxRetryError

from tests.pools.clients import scope
from tests.pools.siblings.pools import Make, Pool, ask, ask_all, open_of
from tests.support.listener import bind_loopback
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_SERVICE, Scene


class TestUse:
    def test_streaming(self, make: Make, scene: Scene) -> None:
        """A connection that is read by and by goes back to the service that it is of."""
        with closing(make()) as pool:
            with scope(ALPHA_SERVICE):
                response = pool.request("GET", "/", preload_content=False)
            assert scene.beta.fingerprint == ask(pool, BETA_SERVICE)["fingerprint"]
            first = json.loads(b"".join(response.stream(16)))
            again = [ask(pool, service) for service in (BETA_SERVICE, ALPHA_SERVICE, None)]
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
            assert scene.beta.fingerprint == ask(pool, BETA_SERVICE)["fingerprint"]
            assert scene.alpha.fingerprint == ask(pool, ALPHA_SERVICE)["fingerprint"]
        assert 2 == scene.server.connections

    def test_dropped_by_the_server(self, make: Make, scene: Scene, made: list[Any]) -> None:
        """A kept connection that has ended is replaced by one of the same identity."""
        with closing(make()) as pool:
            ask_all(pool)
            for connection in open_of(made):
                connection.sock.shutdown(socket.SHUT_RDWR)
            assert [scene.alpha.fingerprint, scene.beta.fingerprint, None] == ask_all(pool)
        assert 6 == scene.server.connections

    def test_redirect(self, make: Make, scene: Scene) -> None:
        """A redirect within the pool stays with the identity, on one connection."""
        with closing(make(retries=None)) as pool:
            answer = ask(pool, BETA_SERVICE, "/redirect?to=/there")
        assert (scene.beta.fingerprint, "/there") == (answer["fingerprint"], answer["path"])
        assert 1 == scene.server.connections

    def test_redirects_used_up(self, make: Make) -> None:
        """Redirects count once each, in the scope of a service too."""
        path = "/redirect?to=/redirect%3Fto%3D/there"
        with closing(make(retries=None)) as pool:
            for service in (None, ALPHA_SERVICE):
                assert "/there" == ask(pool, service, path, retries=2)["path"]
                with pytest.raises(MaxRetryError):
                    ask(pool, service, path, retries=1)

    def test_retries(self, scene: Scene) -> None:
        """Attempts to connect count once each, in the scope of a service too."""
        scene.activate_services()
        (listening,) = bind_loopback()
        port = listening.getsockname()[1]
        listening.close()
        with closing(Pool(ALPHA_HOST, port)) as pool:
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

        class Counting(Pool):
            def urlopen(self, *args: Any, **kwargs: Any) -> Any:
                calls.append(args)
                return super().urlopen(*args, **kwargs)

        port = scene.server.port
        with closing(Counting(ALPHA_HOST, port, ca_certs=scene.ca_file, retries=False)) as pool:
            ask(pool, None)
            assert 1 == len(calls)
            ask(pool, ALPHA_SERVICE)
        assert 2 == len(calls)
