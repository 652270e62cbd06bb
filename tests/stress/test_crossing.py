"""Ten thousand requests of threads and tasks that share clients: not one with a wrong identity."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import requests.adapters
import urllib3

import mxcert_runtime
from tests.stress import server
from tests.stress.server import HOSTS, SERVICES, Running
from tests.support.names import LoopbackNames

pytestmark = pytest.mark.any_python

THREADS, REQUESTS_OF_A_THREAD = 50, 100
TASKS, REQUESTS_OF_A_TASK = 500, 10
#: connections that each client may have in use at a time, or for each host and identity
ROOM = 10
#: seconds that one request may take: as long as the server keeps an idle connection, since a
#: machine may have other work
TIMEOUT = server.IDLE_SECONDS
#: hosts times what they are shown
ENDPOINTS = len(HOSTS) * len(SERVICES)

#: what was expected and what was seen, and how often
Sights = Counter[tuple[str, str, bool]]


@pytest.fixture
def running(tmp_path: Path, loopback_names: LoopbackNames) -> Iterator[Running]:
    """The server runs, and its settings are in force."""
    with server.running(tmp_path) as running:
        mxcert_runtime.activate(settings=running.told["settings"])
        yield running


def _turns(number: int, count: int) -> Iterator[tuple[str, str]]:
    """Services and hosts as one client crosses them, the same in each run."""
    random = Random(number)  # noqa: S311
    return ((random.choice(SERVICES), random.choice(HOSTS)) for _ in range(count))


def _by_threads(running: Running, stack: ExitStack) -> list[Callable[[str], str]]:
    """Half of the threads share a session of requests, half a pool manager of urllib3."""
    session = stack.enter_context(requests.Session())
    session.verify = running.told["ca_file"]
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=ROOM, pool_block=True)
    session.mount("https://", adapter)
    manager = stack.enter_context(
        urllib3.PoolManager(ca_certs=running.told["ca_file"], maxsize=ROOM, block=True)
    )
    return [
        lambda url: session.get(url, timeout=TIMEOUT).text,
        lambda url: manager.request("GET", url, timeout=TIMEOUT, retries=False).data.decode(),
    ]


def test_threads(running: Running) -> None:
    """Fifty threads, five thousand requests, kept connections."""
    with ExitStack() as stack:
        gets = _by_threads(running, stack)

        def work(number: int) -> Sights:
            sights: Sights = Counter()
            for service, host in _turns(number, REQUESTS_OF_A_THREAD):
                with mxcert_runtime.service(service):
                    seen = gets[number % 2](running.url(host))
                sights[service, host, seen == running.told["expected"][service][host]] += 1
            return sights

        with ThreadPoolExecutor(THREADS) as threads:
            sights = sum(threads.map(work, range(THREADS)), Counter())
    _judge(sights, THREADS * REQUESTS_OF_A_THREAD)
    assert ENDPOINTS <= running.stop() <= 2 * ENDPOINTS * ROOM


async def _by_tasks(running: Running, stack: Any) -> list[Callable[[str], Awaitable[str]]]:
    """Half of the tasks share a client of httpx, half a session of aiohttp."""
    context = ssl.create_default_context(cafile=running.told["ca_file"])
    # With a bound of its own httpcore closes kept connections for whoever waits longest, and with
    # hundreds in its queue it searches for most of the time; it also looks at each pair of its
    # connections for each request, so there are to be few. One whose time is over it closes even
    # under a request that has just been given it, which a busy machine is slow enough for.
    room = asyncio.Semaphore(ENDPOINTS)
    limits = httpx.Limits(max_connections=None, keepalive_expiry=None)
    client = await stack.enter_async_context(
        httpx.AsyncClient(verify=context, limits=limits, timeout=TIMEOUT)
    )
    connector = aiohttp.TCPConnector(
        ssl=context, resolver=aiohttp.ThreadedResolver(), limit=0, limit_per_host=ROOM
    )
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))

    async def by_httpx(url: str) -> str:
        async with room:
            return str((await client.get(url)).text)

    async def by_aiohttp(url: str) -> str:
        async with session.get(url) as response:
            return await response.text()

    return [by_httpx, by_aiohttp]


# asyncio of Python 3.9 takes transports for unclosed that the server has closed, without us too.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tasks(running: Running) -> None:
    """Five hundred tasks, five thousand requests, kept connections."""

    async def cross() -> Sights:
        async with contextlib.AsyncExitStack() as stack:
            gets = await _by_tasks(running, stack)

            async def work(number: int) -> Sights:
                sights: Sights = Counter()
                for service, host in _turns(number, REQUESTS_OF_A_TASK):
                    with mxcert_runtime.service(service):
                        seen = await gets[number % 2](running.url(host))
                    sights[service, host, seen == running.told["expected"][service][host]] += 1
                return sights

            return sum(await asyncio.gather(*map(work, range(TASKS))), Counter())

    _judge(asyncio.run(cross()), TASKS * REQUESTS_OF_A_TASK)
    assert ENDPOINTS <= running.stop() <= TASKS


def _judge(sights: Sights, count: int) -> None:
    wrong = {sight: number for sight, number in sights.items() if not sight[2]}
    assert {} == wrong
    assert count == sum(sights.values())
    assert ENDPOINTS == len(sights)
