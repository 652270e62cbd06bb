"""Workers of gunicorn under SVIDs that are renewed, also where the master has begun the stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.factories import ServerFactory
from tests.support.gunicorn_service import GunicornService, running_service
from tests.support.pki import Leaf
from tests.support.server_tls import Demand
from tests.support.spiffe import AgentProcess, TrustDomain
from tests.support.tls_server import TlsServer

_APPLICATION = """
import json, os, ssl, urllib.request
import mxcert_runtime

context = ssl.create_default_context()

def application(environ, start_response):
    with urllib.request.urlopen(os.environ["TARGET"], context=context) as answer:
        body = json.dumps([os.getpid(), json.load(answer)["fingerprint"]]).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

pytestmark = pytest.mark.usefixtures("gunicorn_there")


@pytest.fixture
def gunicorn_there() -> None:
    """It is for POSIX alone."""
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")


@pytest.fixture(params=[False, True], ids=["each worker loads", "preloaded"])
def service(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    agent: AgentProcess,
    domain: TrustDomain,
    tls_server: ServerFactory[TlsServer],
) -> Iterator[GunicornService]:
    """The service, which calls a server of the domain."""
    renew(agent, domain)
    server = tls_server(
        leaf=domain.issue("server", hosts=["localhost"]),
        demand=Demand.DEMAND,
        client_authorities=[domain.authority],
    )
    source = {"kind": "spiffe", "socket": agent.url}
    identity = {"name": "web", "source": source, "hosts": ["localhost"]}
    file = tmp_path / "mxcert.json"
    file.write_text(json.dumps({"identity": [identity]}))
    environment = {"MXCERT_CONFIG": str(file), "TARGET": server.url("localhost")}
    # gRPC says at each fork that it skips its handlers.
    environment["GRPC_VERBOSITY"] = "ERROR"
    with running_service(tmp_path, _APPLICATION, environment, preload=request.param) as service:
        yield service


def renew(agent: AgentProcess, domain: TrustDomain) -> Leaf:
    """A new SVID."""
    leaf = domain.issue("web")
    agent.send(domain.svid("web", leaf))
    return leaf


def seen_under(service: GunicornService, leaf: Leaf) -> set[int]:
    """The workers, once two of them were seen under this certificate."""
    workers: set[int] = set()
    for _ in range(2000):
        worker, fingerprint = json.loads(service.ask("/"))
        if fingerprint == leaf.fingerprint:
            workers.add(worker)
        if len(workers) == 2:
            break
    return workers


def test_every_worker_takes_up_what_is_new(
    service: GunicornService, agent: AgentProcess, domain: TrustDomain
) -> None:
    """The same two workers, without a signal, through a loss of the agent as well."""
    workers = seen_under(service, renew(agent, domain))
    assert 2 == len(workers)
    agent.kill()
    agent.start()
    assert workers == seen_under(service, renew(agent, domain))
