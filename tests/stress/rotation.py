"""Threads and tasks that make requests while a certificate is renewed all the time.

``python -m tests.stress.rotation 1000`` renews so many times and prints what came of it; a tenth of
the renewals is broken. Each request is judged by the renewals that were done before it began.
``... 1000 watching`` only replaces the files, and the requests themselves find that out.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import requests

import mxcert_runtime
from mxcert_runtime.errors import SettingsError
from tests.stress import server
from tests.stress.server import ALPHA_HOST, Running
from tests.support.names import LoopbackNames

THREADS, TASKS = 8, 200
#: connections that each shared client may have in use at a time
ROOM = 20
TIMEOUT = server.IDLE_SECONDS
#: one of so many renewals is broken, and one of so many requests comes from a fresh client
_BROKEN, _FRESH = 10, 25
_LOOK_SECONDS = 0.02
#: what a busy machine may need, in thousandths of a second
_MOST_LOOKS = 60_000


@dataclass
class Report:
    """What came of a run."""

    renewals: int = 0
    broken: int = 0
    requests: int = 0
    #: an error, or a certificate that had been replaced before the request began
    failures: list[str] = field(default_factory=list)
    #: resident bytes, open descriptors, and threads but those that make requests
    early: tuple[int, int, int] = (0, 0, 0)
    late: tuple[int, int, int] = (0, 0, 0)


class Renewing:
    """One identity whose files are written again and again, and which of them counts."""

    def __init__(self, running: Running, folder: Path, *, is_watching: bool) -> None:
        self._is_watching = is_watching
        self.leaves: list[dict[str, str]] = running.told["leaves"]
        self._paths = folder / "renewed.crt", folder / "renewed.key"
        #: of the renewals that are done, the last one that was sound
        self.number = 0
        self._write(0)
        files = {"certificate": str(self._paths[0]), "key": str(self._paths[1])}
        entry = {"name": "renewed", "hosts": [ALPHA_HOST], **files}
        watch: Any = _LOOK_SECONDS if is_watching else "off"
        settings = {"unlisted_hosts": "none", "watch": watch, "identity": [entry]}
        mxcert_runtime.activate(settings=settings)

    def _leaf(self, number: int) -> dict[str, str]:
        return self.leaves[number % len(self.leaves)]

    def _write(self, number: int) -> None:
        leaf = self._leaf(number)
        for path, key in zip(self._paths, ("certificate", "key")):
            path.write_text(leaf[key])

    def renew(self) -> None:
        """Write the next one, and put it in force."""
        self._write(self.number + 1)
        if self._is_watching:
            self._wait_for(self._leaf(self.number + 1)["fingerprint"])
        else:
            mxcert_runtime.reload()
        self.number += 1

    def _wait_for(self, fingerprint: str) -> None:
        """Until a request has found it."""
        for _ in range(_MOST_LOOKS):
            if mxcert_runtime.identities()[0].fingerprint == fingerprint:
                return
            threading.Event().wait(0.001)
        raise AssertionError("no request has found the new certificate")

    def renew_badly(self) -> None:
        """Write one that is broken."""
        self._paths[0].write_text("broken")
        if self._is_watching:
            return
        with suppress(SettingsError):
            mxcert_runtime.reload()
            raise AssertionError("a broken certificate was taken")

    def may_be_seen(self, since: int) -> set[str]:
        """What a request may present that began when ``since`` counted, and has ended now."""
        return {self._leaf(each)["fingerprint"] for each in range(since, self.number + 2)}


def run(renewals: int, folder: Path, *, is_watching: bool = False) -> Report:
    """Renew so many times under load."""
    report, ended = Report(), threading.Event()
    with server.running(folder) as running, LoopbackNames():
        renewing = Renewing(running, folder, is_watching=is_watching)
        url, ca_file = running.url(ALPHA_HOST), running.told["ca_file"]
        judge = _judging(report, renewing, ended)
        workers = [
            threading.Thread(target=_work, args=(judge, url, ca_file)) for _ in range(THREADS)
        ]
        workers.append(threading.Thread(target=asyncio.run, args=(_work_all(judge, url, ca_file),)))
        for each in workers:
            each.start()
        try:
            _renew_all(report, renewing, renewals, len(workers))
        finally:
            ended.set()
            for each in workers:
                each.join(TIMEOUT)
            mxcert_runtime.deactivate()
    return report


def _renew_all(report: Report, renewing: Renewing, renewals: int, workers: int) -> None:
    for number in range(1, renewals + 1):
        before = report.requests
        if number % _BROKEN:
            renewing.renew()
        else:
            renewing.renew_badly()
            report.broken += 1
        report.renewals += 1
        # Each certificate is used by somebody before the next one comes.
        while report.requests < before + ROOM and not report.failures:
            threading.Event().wait(0.001)
        if number in (max(1, renewals // 10), renewals):
            report.early, report.late = report.late, _resources(workers)
        if report.failures:
            return


class _Judge:
    """Says whether work goes on, and judges each answer."""

    def __init__(self, report: Report, renewing: Renewing, ended: threading.Event) -> None:
        self._report, self._renewing, self._ended = report, renewing, ended
        self._counter = itertools.count(1)

    def turns(self) -> Iterator[int]:
        """What counts at the beginning of each request, until the end."""
        while not self._ended.is_set() and not self._report.failures:
            yield self._renewing.number

    def judge(self, since: int, seen: str) -> None:
        """Judge the answer to a request that began at that turn."""
        self._report.requests = next(self._counter)
        if seen not in self._renewing.may_be_seen(since):
            self._report.failures.append(f"an old certificate, or none: {seen}")

    def fail(self, error: BaseException) -> None:
        """Note a request that failed."""
        self._report.failures.append(f"{type(error).__name__}: {error}")


def _judging(report: Report, renewing: Renewing, ended: threading.Event) -> _Judge:
    return _Judge(report, renewing, ended)


def _work(judge: _Judge, url: str, ca_file: str) -> None:
    """The requests of one thread: most over kept connections, some from a fresh client."""
    with requests.Session() as session:
        session.verify = ca_file
        for number, since in enumerate(judge.turns()):
            get: Callable[..., Any] = session.get if number % _FRESH else requests.get
            try:
                judge.judge(since, get(url, timeout=TIMEOUT, verify=ca_file).text)
            except Exception as error:
                judge.fail(error)


async def _work_all(judge: _Judge, url: str, ca_file: str) -> None:
    """The tasks of one loop, half with a client of httpx and half with a session of aiohttp."""
    context = ssl.create_default_context(cafile=ca_file)
    room = asyncio.Semaphore(ROOM)
    async with AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=None, keepalive_expiry=None)
        client = await stack.enter_async_context(
            httpx.AsyncClient(verify=context, limits=limits, timeout=TIMEOUT)
        )
        connector = aiohttp.TCPConnector(
            ssl=context, resolver=aiohttp.ThreadedResolver(), limit=ROOM
        )
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))

        async def by_httpx() -> str:
            async with room:
                return str((await client.get(url)).text)

        async def by_aiohttp() -> str:
            async with session.get(url) as response:
                return await response.text()

        async def work(get: Callable[[], Any]) -> None:
            # Not before the request has its turn, since a queue is no part of it.
            for since in judge.turns():
                try:
                    judge.judge(since, await get())
                except Exception as error:
                    judge.fail(error)

        gets = [by_httpx, by_aiohttp]
        await asyncio.gather(*(work(gets[number % 2]) for number in range(TASKS)))


def _resources(workers: int) -> tuple[int, int, int]:
    gc.collect()
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(os.listdir("/proc/self/fd")), threading.active_count() - workers


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        found = run(int(sys.argv[1]), Path(name), is_watching="watching" in sys.argv[2:])
        print(json.dumps(vars(found), indent=1))
