"""asyncio: what the server has said of a connection that was lost in a write.

A transport that cannot write is lost at once, with what its socket has received. That goes through
TLS once more, only to be explained: the program gets the same error as ever.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from typing import Any

from ...diagnosis import Alert, alert_numbered, alert_of, is_closed, report_own_fault
from ..unread_answer import alert_in_clear
from .explanation import explain
from .failures import FirstExchange

#: more than servers send behind a handshake: some tickets, and an alert
_MOST = 65536


def explain_loss(protocol: Any, error: OSError) -> None:
    """Explain the error, if the server has said why; never raises."""
    try:
        if not is_closed(error):
            return
        # Up to Python 3.10 it has a part that holds both.
        holder = getattr(protocol, "_sslpipe", None) or protocol
        owner = getattr(holder, "ssl_object", None) or getattr(holder, "_sslobj", None)
        alert = _unread_alert(owner, holder._incoming, protocol._transport)
        if alert is not None:
            explain(owner, error, alert)
    except Exception as fault:
        report_own_fault(fault)


def _unread_alert(owner: Any, incoming: ssl.MemoryBIO, transport: Any) -> Alert | None:
    connection = getattr(owner, "_sslobj", None)
    if connection is None:
        return None
    in_handshake = connection.version() is None
    # Behind the first exchange nobody explains what happens.
    if not in_handshake and not isinstance(connection, FirstExchange):
        return None
    received = _receive(transport.get_extra_info("socket"))
    if in_handshake:
        number = alert_in_clear(received)
        return None if number is None else alert_numbered(number)
    incoming.write(received)
    try:
        connection._mxcert_connection.read(1)
    except OSError as error:
        return alert_of(error)
    return None


def _receive(plain: Any) -> bytes:
    """What a socket has received; nothing where it would have to wait."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(plain.fileno())) as twin:
        return b"" if os.get_blocking(twin.fileno()) else twin.recv(_MOST)
    return b""
