"""A new connection by a key in a PKCS#11 token, beside the same certificate with its key in a file.

The token is SoftHSM's, which computes in this process: what is added is the way through OpenSSL's
provider and PKCS#11. An HSM takes its own time beside that.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import Leaf
from tests.support.softhsm import SoftToken

from .certificates import DOMAIN
from .figures import Ratio
from .loopback import HOST, Loopback, Target, loopback
from .measure import Amount, Effort, Figure, Side, alternate, calls
from .quick_server import Kind
from .requests_new_connection import http_client
from .workers import by_hand

NAME = "tokens"
#: the provider keeps what it was given first
WORKERS = 4

_TOKEN_HOST = f"token.{DOMAIN}"
_CALLS = 40


def _identities(token: SoftToken, leaf: Leaf, kind: str) -> list[dict[str, Any]]:
    """The same certificate for two hosts: its key in a file, and in the token."""
    certificate, key = leaf.write_pem(token.folder, kind)
    in_file = {"certificate": str(certificate), "key": str(key), "hosts": [HOST]}
    in_token = {
        "certificate": str(certificate),
        "key": token.add_key(leaf, kind),
        "pin_file": token.pin_file(),
        "hosts": [_TOKEN_HOST],
    }
    return [{**in_file, "name": "file"}, {**in_token, "name": "token"}]


def _side(servers: Loopback, label: str, host: str) -> Side:
    target = Target(host, servers.ports[Kind.DEMANDING])
    request = servers.clients.enter_context(http_client(target))
    return Side(label, calls(request))


def _rates(name: str, ratio: Ratio) -> list[Figure]:
    """Connections a second by either key."""
    token, file = zip(*ratio.pairs)
    return [
        Amount(f"{name}, key in a token", "per second", tuple(1 / each for each in token)),
        Amount(f"{name}, key in a file", "per second", tuple(1 / each for each in file)),
    ]


def measure(effort: Effort) -> list[Figure]:
    """EC and RSA; nothing where there is no SoftHSM or no provider."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            token = SoftToken.make(Path(folder))
        except pytest.skip.Exception as missing:
            print(f"{NAME}: {missing}", file=sys.stderr)
            return []
        os.environ.update(token.variables)
        return [
            figure
            for kind, name in (("ec", "EC P-256"), ("rsa", "RSA-2048"))
            for figure in _measure_kind(token, kind, name, effort)
        ]


def _measure_kind(token: SoftToken, kind: str, name: str, effort: Effort) -> list[Figure]:
    import mxcert_runtime

    loops = effort.sized(10 * _CALLS) // 10
    with loopback() as servers:
        leaf = servers.certificates.authority.issue("client", key=kind)
        mxcert_runtime.activate({"identity": _identities(token, leaf, kind)})
        ours, theirs = _side(servers, "token", _TOKEN_HOST), _side(servers, "file", HOST)
        ratio = alternate(f"{name}, a new connection", ours, theirs, effort, loops=loops)
        mxcert_runtime.deactivate()
    return [ratio, *_rates(name, ratio)]


if __name__ == "__main__":
    by_hand(NAME)
