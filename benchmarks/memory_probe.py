"""A process that activates a number of identities, uses each once, and tells what that took.

Before it looks for the first time, everything is imported and one connection was made, so that
what it tells is what identities take, not modules.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import ssl
import sys
from dataclasses import asdict, dataclass
from typing import Any

import mxcert_runtime
from mxcert_runtime.base.genuine_ssl import NativeContext
from mxcert_runtime.contexts.identity_contexts import shared_contexts

from .certificates import DOMAIN, PASSWORD

#: certificates; a context with more of them has a copy of the bundle
_BUNDLE = 100


@dataclass(frozen=True)
class Task:
    """What is to be done, as JSON on the command line."""

    identities: int
    #: with ``identity-0.p12`` and so on
    folder: str
    bundle: str
    port: int


@dataclass(frozen=True)
class Found:
    """What came of it, as JSON on stdout."""

    #: more bytes resident than before the activation
    idle: int
    #: the same, after each identity was used
    used: int
    #: identity contexts that stand
    contexts: int
    #: contexts of whatever kind that hold the bundle
    copies: int


def _settings(task: Task, count: int) -> dict[str, Any]:
    return {
        "identity": [
            {
                "name": f"identity {number}",
                "pkcs12": os.path.join(task.folder, f"identity-{number}.p12"),
                "password": PASSWORD,
                "hosts": [f"host-{number}.{DOMAIN}"],
            }
            for number in range(count)
        ]
    }


def _use(context: ssl.SSLContext, number: int, port: int) -> None:
    """One connection, whose answer proves that the server accepted the identity."""
    host = f"host-{number}.{DOMAIN}"
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    plain = socket.create_connection(("127.0.0.1", port), timeout=60)
    with plain, context.wrap_socket(plain, server_hostname=host) as connection:
        connection.sendall(request.encode("ascii"))
        while connection.recv(4096):
            pass


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        return _resident_at_most()


def _resident_at_most() -> int:
    """The most there ever was, where nothing tells how much there is."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def count_copies() -> int:
    """How many contexts of this process hold the bundle."""
    contexts = [each for each in gc.get_objects() if isinstance(each, ssl.SSLContext)]
    # Past the hooks: a look through them would load what a context has left for later.
    return sum(NativeContext.cert_store_stats(each)["x509"] > _BUNDLE for each in contexts)


def probe(task: Task) -> Found:
    """Do it."""
    mxcert_runtime.activate(settings=_settings(task, 1))
    _use(ssl.create_default_context(cafile=task.bundle), 0, task.port)
    mxcert_runtime.deactivate()
    before = resident()
    mxcert_runtime.activate(settings=_settings(task, task.identities))
    idle = resident() - before
    context = ssl.create_default_context(cafile=task.bundle)
    for number in range(task.identities):
        _use(context, number, task.port)
    used = resident() - before
    return Found(idle=idle, used=used, contexts=len(shared_contexts), copies=count_copies())


if __name__ == "__main__":
    print(json.dumps(asdict(probe(Task(**json.loads(sys.argv[1]))))))
