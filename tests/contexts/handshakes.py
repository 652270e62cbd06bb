"""A handshake between two contexts in one thread, and what each side makes of it, as plain values.

The bytes go through memory, or through a pair of sockets. Nothing here raises what TLS raises: it
becomes part of the value, so that two runs can be compared.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Union

Side = Union[ssl.SSLSocket, ssl.SSLObject]

#: more turns than any handshake needs
_TURNS = 8


@dataclass(frozen=True)
class Meeting:
    """What the client and the server say; whom the server saw takes no part in comparisons."""

    client: tuple[object, ...]
    server: tuple[object, ...]
    fingerprint: str | None = field(compare=False)


def failure(error: BaseException) -> tuple[object, ...]:
    """An exception as a value: its type, its text, its data, and what it was raised in."""
    names = ("errno", "library", "reason", "verify_code", "verify_message")
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    around = error.__context__ and type(error.__context__).__qualname__
    return (kind, str(error), *(getattr(error, name, None) for name in names), around)


@contextmanager
def pair(
    client: ssl.SSLContext, server: ssl.SSLContext, host: str | None, way: str
) -> Iterator[tuple[Side, Side]]:
    """A client's connection and a server's, before their handshake; ``way``: memory or sockets."""
    if way == "memory":
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        yield (
            client.wrap_bio(to_client, to_server, server_hostname=host),
            server.wrap_bio(to_server, to_client, server_side=True),
        )
        return
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        later: Any = {"do_handshake_on_connect": False}
        with ExitStack() as sides:
            client_side = client.wrap_socket(near, server_hostname=host, **later)
            sides.enter_context(client_side)
            yield client_side, sides.enter_context(server.wrap_socket(far, True, **later))


def meet(client: Side, server: Side) -> Meeting:
    """Shake hands, exchange a byte each way, and tell what came of it."""
    failures = _shake_hands(client, server)
    if not failures:
        failures = _exchange(client, server)
    saw = None if server in failures else server.getpeercert(binary_form=True)
    return Meeting(
        failures.get(client) or account_of(client),
        failures.get(server) or ("finished", server.version()),
        hashlib.sha256(saw).hexdigest() if saw else None,
    )


def _shake_hands(client: Side, server: Side) -> dict[Side, tuple[object, ...]]:
    failures: dict[Side, tuple[object, ...]] = {}
    done: set[Side] = set()
    for _ in range(_TURNS):
        for side in (client, server):
            if side in done:
                continue
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except (OSError, ValueError) as error:
                failures[side] = failure(error)
            done.add(side)
    assert {client, server} == done, "the handshake does not end"
    return failures


def _exchange(client: Side, server: Side) -> dict[Side, tuple[object, ...]]:
    for writer, reader in ((server, client), (client, server)):
        try:
            writer.write(b"x")
            reader.read(1)
        except OSError as error:
            return {reader: failure(error)}
    return {}


def account_of(side: Side) -> tuple[object, ...]:
    """What a connection says of itself and of its peer after its handshake."""
    return (
        side.version(),
        side.cipher(),
        side.selected_alpn_protocol(),
        side.getpeercert(),
        side.getpeercert(binary_form=True),
        _verified_chain(side),
    )


def _verified_chain(side: Side) -> list[str] | None:
    # Public since Python 3.13, on the inner object since 3.10.
    chain = getattr(side._sslobj, "get_verified_chain", None)  # type: ignore[union-attr]
    return None if chain is None else [each.public_bytes() for each in chain() or ()]
