"""``http.client``: tells the endpoint of a connection, and opens another for another decision.

A tunnel hides the endpoint from the socket. What keeps one connection (httplib2, xmlrpc.client) has
no pool that would tell decisions apart: a request under another one goes out on a new connection.
A request whose target is the whole URL of another server is one to a proxy (RFC 9112, section
3.2.2): `urllib.request` sends those where an https proxy forwards for an http URL.
"""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ...base import canonical_host
from ...connections import KeptConnectionError, still_presents
from ...decisions import dialling, dialling_proxy
from ...decisions.current_service import current_service
from ..patching import Library, Patch, Switch, attribute_of, unbound, wrapping
from .attempts import attempt_of

#: Where a connection that is not open keeps the target of the request that will open it.
_TARGET = "_mxcert_target"


def _build_putrequest(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def putrequest(self: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        if switch.on:
            if self.sock is not None:
                _close_if_unfit(self, url)
            if self.sock is None:
                self._mxcert_target = url
        return original(self, method, url, *args, **kwargs)

    return putrequest


def _close_if_unfit(connection: Any, target: Any) -> None:
    """Close a connection that presents what another decision gave it: the request opens it anew.

    Raises :class:`~.connections.kept.KeptConnectionError` where it would not, or where the answer
    to the request before has yet to be read.
    """
    # A request to a proxy is none of the service's business.
    is_forwarded = _is_of_another_server(target, connection)
    service = None if is_forwarded else current_service.get()
    port = connection._tunnel_port or connection.port
    attempt = attempt_of(connection.sock)
    if attempt is None or still_presents(attempt, port, service) or not _is_idle(connection):
        return  # busy with a request, `http.client` refuses the next by itself
    if not connection.auto_open:
        raise KeptConnectionError(str(attempt.host), "it does not open by itself")
    answer = connection._HTTPConnection__response
    if answer is not None and not answer.isclosed():
        reason = "the answer to the request before has not been read"
        raise KeptConnectionError(str(attempt.host), reason)
    connection.close()


def _is_idle(connection: Any) -> bool:
    return bool(connection._HTTPConnection__state == "Idle")


def _connect(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    target = vars(instance).pop(_TARGET, None)
    if instance._tunnel_host:
        dials = dialling(instance._tunnel_host, instance._tunnel_port)
    elif _is_of_another_server(target, instance):
        dials = dialling_proxy(instance.host, instance.port)
    else:
        dials = dialling(instance.host, instance.port)
    with dials:
        return wrapped(*args, **kwargs)


def _is_of_another_server(target: Any, connection: Any) -> bool:
    """Whether the target of a request is an absolute URL, and not one of the connection's host."""
    if not isinstance(target, str) or target.startswith("/"):
        return False
    try:
        parts = urlsplit(target)
        return bool(parts.netloc) and not _is_at(parts, connection.host, connection.port)
    except ValueError:
        return False  # what is no URL names no server


def _is_at(parts: SplitResult, host: str, port: int) -> bool:
    is_same = canonical_host(parts.hostname or "") == canonical_host(host.strip("[]"))
    return parts.scheme == "https" and is_same and (parts.port or 443) == port


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("http.client", "HTTPSConnection")
    return (
        Patch(owner, "connect", wrapping(_connect)),
        Patch(owner, "putrequest", _build_putrequest),
    )


LIBRARY = Library("http.client", _patches)
