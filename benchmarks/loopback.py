"""Where requests are measured: servers on loopback, trust of a real size, and the plugin's switch.

The plugin comes first, as in a program that imports it first, so clients are imported where they
are used, by functions. Both sides of every comparison trust the same bundle, which reaches the
clients as it does outside: by the variables that OpenSSL, requests and httpx read.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import mxcert_runtime

from .certificates import DOMAIN, PASSWORD, Certificates, make_certificates, temporary_folder
from .measure import Side, Timed, calls
from .quick_server import Kind, QuickServer

#: the host of every question that needs but one
HOST = f"api.{DOMAIN}"
#: for a client that is kept: the first connects, and with the next the interpreter specializes
#: again what it has for classes that were changed
_WARMING_CALLS = 20
#: seconds
_SETTLING = 2.1
_BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class Target:
    """Where a request goes, and what the caller itself presents there (certificate and key)."""

    host: str
    port: int
    certificate: tuple[str, str] | None = None

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}/"


Request = Callable[[], object]

#: Opens a client that is kept, and gives its request; with the context the client ends.
KeptClient = Callable[[Target], "contextlib.AbstractContextManager[Request]"]


@dataclass(frozen=True)
class Loopback:
    """The servers, and what clients need for them."""

    certificates: Certificates
    ports: Mapping[Kind, int]
    #: ends the clients that are still open
    clients: contextlib.ExitStack

    def target(self, kind: Kind = Kind.DEMANDING) -> Target:
        """A port, for a caller that presents nothing by itself."""
        return Target(HOST, self.ports[kind])

    def native(self, kind: Kind = Kind.DEMANDING) -> Target:
        """A port, for a caller that presents its own certificate."""
        return Target(HOST, self.ports[kind], self.certificates.client)

    @property
    def pinned(self) -> dict[str, Any]:
        """Settings that pin the identity to the host."""
        return {"identity": [self._identity("client", self.certificates.client_pkcs12)]}

    @property
    def choosing(self) -> dict[str, Any]:
        """Settings of two identities, between which the server's request chooses."""
        paths = {
            "client": self.certificates.client_pkcs12,
            "second": self.certificates.second_pkcs12,
        }
        identities = [self._identity(name, path) for name, path in paths.items()]
        return {"identity": [{**each, "hosts": []} for each in identities]}

    @property
    def with_extra_root(self) -> dict[str, Any]:
        """Settings that pin the identity, and add the private root to default trust."""
        return {**self.pinned, "ca": [self.certificates.root]}

    def _identity(self, name: str, path: str) -> dict[str, Any]:
        return {"name": name, "pkcs12": path, "password": PASSWORD, "hosts": [HOST]}

    def keeping(
        self,
        label: str,
        switch: Callable[[], None],
        client: KeptClient,
        target: Target,
        timing: Callable[[Request], Timed] = calls,
    ) -> Side:
        """A side whose client is kept for a chunk, and made after the switch, as hooks want it."""
        standing = self.clients.enter_context(contextlib.ExitStack())
        requests: list[Request] = []

        def prepare() -> None:
            standing.close()
            switch()
            requests[:] = [standing.enter_context(client(target))]
            for _ in range(_WARMING_CALLS):
                requests[0]()

        return Side(label, lambda loops: timing(requests[-1])(loops), prepare)

    def trust_bundle(self) -> None:
        """Let every client trust certifi's bundle and the private root by default."""
        _set_bundle(self.certificates.bundle)

    def trust_public_authorities(self) -> None:
        """Let every client trust certifi's bundle by default."""
        import certifi

        _set_bundle(certifi.where())

    def let_files_settle(self) -> None:
        """Wait until the bundle is a file like any other.

        The times of a file that was just written tell no change, so the plugin reads it each time.
        """
        changed = os.stat(self.certificates.bundle).st_ctime
        time.sleep(max(0.0, changed + _SETTLING - time.time()))


@contextlib.contextmanager
def loopback() -> Iterator[Loopback]:
    """Servers that run, names that lead to them, and default trust that verifies them."""
    with temporary_folder() as folder:
        certificates = make_certificates(folder)
        server = QuickServer(certificates.server, certificates.root)
        with server, contextlib.ExitStack() as clients:
            _lead_names_to_loopback()
            found = Loopback(certificates, server.ports, clients)
            found.trust_bundle()
            mxcert_runtime.activate(settings=found.pinned)
            yield found


def _set_bundle(path: str) -> None:
    # Without it OpenSSL looks into the directory of the platform too, as it does outside.
    os.environ.pop("SSL_CERT_DIR", None)
    os.environ.update(dict.fromkeys(_BUNDLE_VARIABLES, path))


def _lead_names_to_loopback() -> None:
    """Answer at once for hosts of the benchmarks, as a cache of names does."""
    original = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if not str(host).endswith(DOMAIN):
            return original(host, port, *arguments, **options)
        stream = socket.SOCK_STREAM, socket.IPPROTO_TCP
        return [(socket.AF_INET, *stream, "", ("127.0.0.1", int(port)))]

    socket.getaddrinfo = getaddrinfo


def switched_off() -> None:
    """The native side: nothing is hooked."""
    mxcert_runtime.deactivate()


def switching_on(settings: Mapping[str, Any]) -> Callable[[], None]:
    """Our side: these settings, as a new generation. What was decrypted once stays decrypted."""

    def switch_on() -> None:
        mxcert_runtime.deactivate()
        mxcert_runtime.activate(settings=settings)

    return switch_on


def switching_off(settings: Mapping[str, Any]) -> Callable[[], None]:
    """The native side, after the hooks have come and gone.

    The interpreter forgets what it has specialized for a class that is changed: that must not fall
    to one side more often than to the other.
    """
    switch_on = switching_on(settings)

    def switch_off() -> None:
        switch_on()
        switched_off()

    return switch_off


def calling(label: str, switch: Callable[[], None], request: Request) -> Side:
    """A side whose calls share nothing but what the plugin keeps."""

    def prepare() -> None:
        switch()
        # The first call makes what the plugin keeps.
        request()

    return Side(label, calls(request), prepare)


def processor_time(request: Request) -> Timed:
    """Repeats a request; the result is the processor time of this process, in seconds.

    It is for what the plugin could only lengthen by work of its own: no wait for the server, and
    no other load of the machine, is in it.
    """

    def timed(loops: int) -> float:
        repetitions = itertools.repeat(None, loops)
        start = time.process_time()
        for _ in repetitions:
            request()
        return time.process_time() - start

    return timed
