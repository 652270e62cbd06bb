"""A pool of urllib3 that serves several identities verifies as one, and is refused as each."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from urllib3.exceptions import HTTPError

from tests.pools.clients import scope
from tests.pools.siblings.pools import Make, Pool, ask
from tests.support.pki import Authority
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE, Scene
from tests.support.server_tls import Demand


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
                ask(pool, service)

    @pytest.mark.parametrize("service", [None, ALPHA_SERVICE])
    def test_pinned_fingerprint(self, service: str | None, make: Make) -> None:
        """A fingerprint that is pinned later refuses other servers for services too."""
        with closing(make()) as pool, closing(self._use(pool, service)):
            pool.assert_fingerprint = "00" * 32
            with pytest.raises(HTTPError, match=r"[Ff]ingerprint"):
                ask(pool, service)

    @pytest.mark.parametrize("service", [None, ALPHA_SERVICE])
    def test_twin_other_authorities(
        self, service: str | None, make: Make, scene: Scene, wrong: str
    ) -> None:
        """The twin: the right authorities that are given later are believed."""
        with closing(make(ca_certs=wrong)) as pool:
            with pytest.raises(HTTPError, match="certificate verify failed"):
                ask(pool, service)
            pool.ca_certs = scene.ca_file
            assert ask(pool, service)["path"] == "/"


def test_demanding_server(scene: Scene, tls_server: Any) -> None:
    """A server that demands a certificate refuses the service that gets none, and no other."""
    server = tls_server(hosts=[ALPHA_HOST], demand=Demand.DEMAND)
    scene.activate_services()
    pool = Pool(ALPHA_HOST, server.port, ca_certs=scene.ca_file, retries=False)
    with closing(pool):
        assert scene.alpha.fingerprint == ask(pool, ALPHA_SERVICE)["fingerprint"]
        with pytest.raises(HTTPError):
            ask(pool, NO_SERVICE)
        assert scene.beta.fingerprint == ask(pool, BETA_SERVICE)["fingerprint"]
