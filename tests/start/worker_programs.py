"""Programs that know nothing of the plugin, and what a server saw of each of their processes."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.installation import TIMEOUT
from tests.support.tls_server import TlsServer

HOSTS = ("localhost", "127.0.0.1")

#: what every program here does: it calls the server under two names
CALLS = """\
import os
import urllib.request

def call(path):
    for host in ("localhost", "127.0.0.1"):
        url = "https://%s:%s/%s" % (host, os.environ["TARGET_PORT"], path)
        urllib.request.urlopen(url).read()
"""

Environment = Callable[[TlsServer], "dict[str, str]"]


def seen_by(server: TlsServer, count: int) -> dict[str, list[str | None]]:
    """For each path the certificates that came, first under the one name and then the other."""
    seen: dict[str, list[str | None]] = {}
    for answer in server.answers.wait_for(count * len(HOSTS), TIMEOUT):
        seen.setdefault(answer["path"], []).append(answer["fingerprint"])
    return seen
