"""Clients that go on while their SVID is renewed and its agent dies: who failed, who saw what.

The whole of it by hand, with SVIDs of ten seconds, each used for five:

    python -m tests.identity.spiffe.rotation --rotations 30 --lifetime 10 --pace 5 --kills 2
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import requests
import urllib3

import mxcert_runtime
from tests.support.listener import TIMEOUT
from tests.support.pki import Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.server_tls import Demand, ServerTls
from tests.support.spiffe import AgentProcess, TrustDomain, running_agent
from tests.support.tls_server import TlsServer

HOST = "localhost"
PATH = "web"


@dataclass
class Outcome:
    """What came of it."""

    #: fingerprints in the order in which they were issued
    issued: list[str] = field(default_factory=list)
    #: what failed, with the name of the client
    failures: list[str] = field(default_factory=list)
    #: by client, the fingerprints that the server saw in its requests
    seen: dict[str, list[str]] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """For people."""
        return {
            "rotations": len(self.issued) - 1,
            "requests": {name: len(seen) for name, seen in self.seen.items()},
            "certificates seen": {name: len(set(seen)) for name, seen in self.seen.items()},
            "failed requests": self.failures,
            "certificates that came back after newer ones": self.backwards(),
        }

    def backwards(self) -> list[str]:
        """Clients for which an older certificate came after a newer one."""
        order = {fingerprint: number for number, fingerprint in enumerate(self.issued)}
        numbers = {name: [order[each] for each in seen] for name, seen in self.seen.items()}
        return [name for name, each in numbers.items() if each != sorted(each)]


#: a request, which gives the fingerprint that the server saw
Request = Callable[[], str]


@contextmanager
def _fresh(url: str, domain: TrustDomain) -> Iterator[Request]:
    context = plain_context(domain.authority)
    yield lambda: str(fetch(url, context)["fingerprint"])


@contextmanager
def _urllib3(url: str, _: TrustDomain) -> Iterator[Request]:
    with urllib3.PoolManager(retries=False) as pool:
        yield lambda: str(json.loads(pool.request("GET", url).data)["fingerprint"])


@contextmanager
def _requests(url: str, _: TrustDomain) -> Iterator[Request]:
    with requests.Session() as session:
        yield lambda: str(session.get(url, timeout=TIMEOUT).json()["fingerprint"])


@contextmanager
def _httpx(url: str, _: TrustDomain) -> Iterator[Request]:
    with httpx.Client(timeout=TIMEOUT) as client:
        yield lambda: str(client.get(url).json()["fingerprint"])


@contextmanager
def _aiohttp(url: str, _: TrustDomain) -> Iterator[Request]:
    async def opened() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    async def get() -> str:
        async with session.get(url) as answer:
            return str((await answer.json())["fingerprint"])

    loop = asyncio.new_event_loop()
    session = loop.run_until_complete(opened())
    try:
        yield lambda: loop.run_until_complete(get())
    finally:
        loop.run_until_complete(session.close())
        loop.close()


CLIENTS = {
    "fresh": _fresh,
    "urllib3": _urllib3,
    "requests": _requests,
    "httpx": _httpx,
    "aiohttp": _aiohttp,
}


class Clients:
    """One thread for each client; each request is told, and none is made again."""

    def __init__(self, url: str, domain: TrustDomain, outcome: Outcome) -> None:
        self._outcome = outcome
        self._ended = threading.Event()
        self._seen = threading.Condition()
        self._threads = [
            threading.Thread(target=self._go_on, args=(name, url, domain), daemon=True)
            for name in CLIENTS
        ]

    def start(self) -> None:
        """Begin."""
        for name in CLIENTS:
            self._outcome.seen[name] = []
        for thread in self._threads:
            thread.start()

    def _go_on(self, name: str, url: str, domain: TrustDomain) -> None:
        with CLIENTS[name](url, domain) as request:
            while not self._ended.is_set():
                self._ask(name, request)

    def _ask(self, name: str, request: Request) -> None:
        try:
            fingerprint = request()
        except Exception as error:
            self._outcome.failures.append(f"{name}: {type(error).__name__}: {error}")
            fingerprint = ""
        with self._seen:
            if fingerprint:
                self._outcome.seen[name].append(fingerprint)
            self._seen.notify_all()

    def wait_for(self, fingerprint: str) -> None:
        """Until every client was seen under a certificate, or one has failed."""
        with self._seen:
            assert self._seen.wait_for(lambda: self._have_shown(fingerprint), TIMEOUT)

    def wait_for_more(self, count: int) -> None:
        """Until every client has made some more requests, or one has failed."""
        seen = self._outcome.seen
        goal = {name: len(each) + count for name, each in seen.items()}
        with self._seen:
            assert self._seen.wait_for(
                lambda: (
                    bool(self._outcome.failures)
                    or all(len(seen[name]) >= goal[name] for name in goal)
                ),
                TIMEOUT,
            )

    def _have_shown(self, fingerprint: str) -> bool:
        seen = self._outcome.seen.values()
        return bool(self._outcome.failures) or all(fingerprint in each[-50:] for each in seen)

    def end(self) -> None:
        """Let each finish its request."""
        self._ended.set()
        for thread in self._threads:
            thread.join(TIMEOUT)


@contextmanager
def deployment(domain: TrustDomain, agent: AgentProcess) -> Iterator[str]:
    """The address of a server of the domain, with the identity of its clients in force."""
    leaf = domain.issue("server", hosts=[HOST], lifetime=datetime.timedelta(hours=2))
    source = {"kind": "spiffe", "socket": agent.url, "id": domain.id_of(PATH)}
    identity = {"name": PATH, "source": source, "hosts": [HOST]}
    tls = ServerTls(leaf, (domain.authority,), Demand.DEMAND)
    with TlsServer(tls) as server:
        mxcert_runtime.activate({"identity": [identity], "unlisted_hosts": "none"})
        try:
            yield server.url(HOST)
        finally:
            mxcert_runtime.deactivate()


def rotate(
    rotations: int, kills: int, lifetime: float = 10.0, pace: float = 0.0, down: int = 20
) -> Outcome:
    """Renew so often while clients go on; the agent is killed in between, for ``down`` requests."""
    outcome, domain = Outcome(), TrustDomain()
    dies_at = {(number + 1) * rotations // (kills + 1) for number in range(kills)}
    renewed = -pace
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        agent = stack.enter_context(running_agent(folder))

        def renew() -> Leaf:
            # As an agent does: by the age of what it gave last, whatever its workloads do.
            nonlocal renewed
            time.sleep(max(0.0, renewed + pace - time.monotonic()))
            renewed = time.monotonic()
            leaf = domain.issue(PATH, lifetime=datetime.timedelta(seconds=lifetime))
            outcome.issued.append(leaf.fingerprint)
            agent.send(domain.svid(PATH, leaf))
            return leaf

        first = renew()
        clients = Clients(stack.enter_context(deployment(domain, agent)), domain, outcome)
        clients.start()
        stack.callback(clients.end)
        clients.wait_for(first.fingerprint)
        for number in range(rotations):
            if number in dies_at:
                agent.kill()
                clients.wait_for_more(down)
                agent.start()
            clients.wait_for(renew().fingerprint)
            if outcome.failures:
                break
    return outcome


def main() -> int:
    """Run it as the arguments say, and show what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rotations", type=int, default=30)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--lifetime", type=float, default=10.0, help="seconds that an SVID lives")
    parser.add_argument("--pace", type=float, default=5.0, help="seconds between two renewals")
    arguments = parser.parse_args()
    outcome = rotate(arguments.rotations, arguments.kills, arguments.lifetime, arguments.pace)
    print(json.dumps(outcome.as_data(), indent=2))
    return bool(outcome.failures or outcome.backwards())


if __name__ == "__main__":
    raise SystemExit(main())
