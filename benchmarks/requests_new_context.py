"""A call that makes everything anew, its SSL context and its trust too, as simple programs do.

It stands beside the same call with its own certificate; beside the call without any certificate
at a server that wants none, and without the plugin; and beside what else people use.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

from .certificates import PASSWORD
from .figures import Ratio
from .loopback import Loopback, Target, calling, loopback, switched_off, switching_on
from .measure import Effort, Figure, Side, alternate
from .quick_server import Kind
from .requests_pooled import default_context
from .workers import by_hand

NAME = "requests_new_context"
WORKERS = 2

Call = Callable[[Target], object]


def requests_get(target: Target) -> bytes:
    """``requests.get``."""
    import requests

    content: bytes = requests.get(target.url, cert=target.certificate).content  # noqa: S113
    return content


def urlopen(target: Target) -> bytes:
    """``urllib.request.urlopen``; without a context Python 3.12 and later keep one forever."""
    context = default_context(target)
    with urllib.request.urlopen(target.url, context=context) as response:  # noqa: S310
        content: bytes = response.read()
        return content


def httpx_get(target: Target) -> bytes:
    """``httpx.get``; only a certificate needs a context of the caller's."""
    import httpx

    verify = True if target.certificate is None else default_context(target)
    return httpx.get(target.url, verify=verify).content


def urllib3_manager(target: Target) -> bytes:
    """``urllib3.PoolManager`` for one request."""
    import urllib3

    certificate, key = target.certificate or (None, None)
    with urllib3.PoolManager(cert_file=certificate, key_file=key) as pool:
        return pool.request("GET", target.url).data


def make_aiohttp_call(loop: asyncio.AbstractEventLoop) -> Call:
    """``aiohttp.ClientSession`` with a context for one request, on an event loop that is kept."""
    import aiohttp

    async def get(target: Target) -> bytes:
        connector = aiohttp.TCPConnector(
            ssl=default_context(target), resolver=aiohttp.ThreadedResolver()
        )
        session = aiohttp.ClientSession(connector=connector)
        async with session, session.get(target.url) as response:
            return await response.read()

    return lambda target: loop.run_until_complete(get(target))


def make_pkcs12_call(path: str) -> Call:
    """``requests_pkcs12.get``, which opens the file each time."""
    import requests_pkcs12  # type: ignore[import-untyped]

    return lambda target: requests_pkcs12.get(
        target.url, pkcs12_filename=path, pkcs12_password=PASSWORD
    )


def make_adapter_call(certificate: tuple[str, str]) -> Call:
    """The adapter that people write: a context made once, given to every pool."""
    import requests
    from requests.adapters import HTTPAdapter

    context = ssl.create_default_context()
    context.load_cert_chain(*certificate)

    class ContextAdapter(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options, ssl_context=context)

    def call(target: Target) -> bytes:
        with requests.Session() as session:
            session.mount("https://", ContextAdapter())
            content: bytes = session.get(target.url).content
            return content

    return call


class _Asker:
    """Puts calls side by side."""

    def __init__(self, servers: Loopback, effort: Effort) -> None:
        self._servers = servers
        self._effort = effort
        self._active = switching_on(servers.pinned)

    def beside_native(self, name: str, call: Call) -> Ratio:
        """Beside the same call with its own certificate."""
        return self._alternate(name, call, self._native(call, self._servers.native()))

    def beside_no_certificate(self, name: str, call: Call) -> Ratio:
        """Beside the same call without any certificate, at a server that wants none."""
        target = self._servers.target(Kind.OPEN)
        theirs = calling("no certificate", switched_off, partial(call, target))
        return self._alternate(f"{name}, beside no certificate", call, theirs)

    def beside_other(self, name: str, call: Call, other: str, other_call: Call) -> Ratio:
        """Beside another way to the same end."""
        target = self._servers.target()
        theirs = calling(other, switched_off, partial(other_call, target))
        return self._alternate(f"{name}, beside {other}", call, theirs)

    def with_extra_root(self, name: str, call: Call) -> Ratio:
        """The private root is the plugin's setting here, and in the bundle of the native side."""

        def active() -> None:
            self._servers.trust_public_authorities()
            switching_on(self._servers.with_extra_root)()

        def native() -> None:
            self._servers.trust_bundle()
            switched_off()

        ours = calling("mxcert_runtime", active, partial(call, self._servers.target()))
        theirs = calling("cert=", native, partial(call, self._servers.native()))
        figure = self._figure(f"{name}, private root by the settings", ours, theirs)
        self._servers.trust_bundle()
        return figure

    def _native(self, call: Call, target: Target) -> Side:
        return calling("cert=", switched_off, partial(call, target))

    def _alternate(self, name: str, call: Call, theirs: Side) -> Ratio:
        ours = calling("mxcert_runtime", self._active, partial(call, self._servers.target()))
        return self._figure(name, ours, theirs)

    def _figure(self, name: str, ours: Side, theirs: Side) -> Ratio:
        return alternate(name, ours, theirs, self._effort, loops=_calls(self._effort))


def _calls(effort: Effort) -> int:
    """A call of each side takes as long as loading a bundle; one will do for a smoke run."""
    return max(1, effort.sized(100) // 20)


def measure(effort: Effort) -> list[Figure]:
    """Every client beside itself, and ``requests.get`` beside what else there is."""
    with loopback() as servers, contextlib.closing(asyncio.new_event_loop()) as loop:
        servers.let_files_settle()
        asker = _Asker(servers, effort)
        simple: dict[str, Call] = {
            "requests.get": requests_get,
            "urllib.request.urlopen": urlopen,
            "httpx.get": httpx_get,
        }
        all_calls = {
            **simple,
            "urllib3.PoolManager": urllib3_manager,
            "aiohttp.ClientSession": make_aiohttp_call(loop),
        }
        others = {
            "requests_pkcs12": make_pkcs12_call(servers.certificates.client_pkcs12),
            "an adapter": make_adapter_call(servers.certificates.client),
        }
        return [
            *(asker.beside_native(*each) for each in all_calls.items()),
            *(asker.beside_no_certificate(*each) for each in all_calls.items()),
            *(asker.beside_other("requests.get", requests_get, *each) for each in others.items()),
            *(asker.with_extra_root(*each) for each in simple.items()),
        ]


if __name__ == "__main__":
    by_hand(NAME)
