"""pyOpenSSL: the steps of a connection that are seen: its handshake, and its first exchange.

What watches a connection is noted on it, and goes with the first read that succeeds, or with the
handshake in TLS 1.2, where nothing more can be refused. From then on a step costs one look into the
dictionary of the connection.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...base import Host, is_address
from ...connections import (
    Attempt,
    CertificateRequest,
    Facts,
    count_silent_end,
    endpoint_of_socket,
    verification_of,
)
from ...diagnosis import (
    Alert,
    alert_numbered,
    alert_of,
    explain,
    is_closed,
    look,
    repeat_note,
)
from ...identity import Identity
from ..patching import Build, Patch, Switch, attribute_of, unbound
from ..unread_answer import has_ended, peek_alert
from .trust import trust_held_by

_HANDSHAKE = "do_handshake"
_READS = "recv", "recv_into", "read"
_WRITES = "send", "sendall", "write"
#: Where a connection keeps its :class:`~.connections.attempt.Attempt`, until it is watched no more.
_WATCHED = "_mxcert_watched"
#: Where a connection keeps the error that it must not go on with, or ``None``.
REFUSAL = "_mxcert_refusal"
#: Where a connection keeps the port that its handshake began with, for a note
_PORT = "_mxcert_port"
#: Where a connection keeps the error that a read was spared, until the next one
_UNREAD = "_mxcert_unread"
_TLS_1_3 = "TLSv1.3"


def watch_connection(connection: Any, attempt: Attempt) -> None:
    """Explain what fails from now on; one that is decided anew is counted once all the same."""
    known = _attempt_of(connection)
    if known is not None and known is not attempt:
        attempt.succeed(known)
    setattr(connection, _WATCHED, attempt)


def note_chosen(connection: Any, identity: Identity | None) -> None:
    """Count a connection whose identity the server's request has chosen."""
    attempt = _attempt_of(connection)
    if attempt is not None:
        attempt.note_choice(identity)


def step_patches() -> tuple[Patch, ...]:
    """The patches of the handshake, of reads and of writes."""
    owner = attribute_of("OpenSSL.SSL", "Connection")
    names = (_HANDSHAKE, *_READS, *_WRITES)
    return tuple(Patch(owner, name, _watching(name)) for name in names)


def _watching(name: str) -> Build:
    def build(original: Any, switch: Switch) -> Any:
        original = unbound(original)

        @functools.wraps(original)
        def step(self: Any, *args: Any, **kwargs: Any) -> Any:
            # Not by `getattr`, which pyOpenSSL answers with a look at the socket.
            if not switch.on or _WATCHED not in self.__dict__:
                return original(self, *args, **kwargs)
            _raise_what_stands(self, is_read=name in _READS)
            result = _take_step(self, functools.partial(original, self, *args, **kwargs), name)
            if _is_last(self, name):
                _unwatch(self)
            return result

        return step

    return build


def _raise_what_stands(connection: Any, *, is_read: bool) -> None:
    refusal = connection.__dict__.get(REFUSAL)
    if refusal is not None:
        raise refusal
    if is_read and _UNREAD in connection.__dict__:
        _unwatch(connection)
        raise connection.__dict__.pop(_UNREAD)


def _take_step(connection: Any, call: Callable[[], Any], name: str) -> Any:
    _begin_step(connection)
    try:
        result = call()
    except Exception as error:
        _start(connection)
        if _EXPLAINING[name](connection, error):
            _unwatch(connection)
        raise
    attempt = _start(connection)
    if attempt is not None:
        attempt.end_handshake()
    return result


def _begin_step(connection: Any) -> None:
    attempt = _attempt_of(connection)
    if attempt is None:
        return
    attempt.step()
    if attempt.port is None and _PORT not in connection.__dict__:
        # Later, when the server has spoken, nobody can be certain of it.
        setattr(connection, _PORT, endpoint_of_socket(connection, _name_of(attempt))[1])
    # Some learn their name only when the handshake has begun.
    if isinstance(attempt.host, str):
        attempt.start()


def _start(connection: Any) -> Attempt | None:
    attempt = _attempt_of(connection)
    if attempt is not None:
        attempt.start()
    return attempt


def _name_of(attempt: Attempt) -> str | None:
    return attempt.host if isinstance(attempt.host, str) else None


def _attempt_of(connection: Any) -> Attempt | None:
    attempt: Attempt | None = connection.__dict__.get(_WATCHED)
    return attempt


def _is_last(connection: Any, name: str) -> bool:
    """Whether nothing is refused any more; in TLS 1.3 it may be later (RFC 8446, section 2)."""
    if name == _HANDSHAKE:
        return bool(connection.get_protocol_version_name() != _TLS_1_3)
    return name in _READS


def _unwatch(connection: Any) -> None:
    connection.__dict__.pop(_WATCHED, None)


def _explain_handshake(connection: Any, error: Exception) -> bool:
    number = look(peek_alert, connection._socket) if is_closed(error) else None
    return _explain(connection, error, None if number is None else alert_numbered(number))


def _explain_read(connection: Any, error: Exception) -> bool:
    if is_closed(error) and _is_end_of_stream(error):
        count_silent_end()
        return True
    return _explain(connection, error)


def _explain_write(connection: Any, error: Exception) -> bool:
    if not (is_closed(error) and has_ended(connection._socket)):
        return _explain(connection, error)
    unread = look(_read_ahead, connection)
    if unread is None:
        return True  # the server has spoken, and so has taken the certificate
    # The next read comes to what this look has come to.
    setattr(connection, _UNREAD, unread)
    alert = alert_of(unread)
    # From 4.0 on OpenSSL reads no more once a write has failed: nobody can tell what there was.
    if alert is not None:
        _explain(connection, error, alert)
        repeat_note(unread, error)
    return False


def _explain(connection: Any, error: Exception, alert: Alert | None = None) -> bool:
    """Explain an error, if it is an end."""
    if alert is None and alert_of(error) is None:
        return False
    explain(_attempt_of(connection), error, functools.partial(_facts_of, connection), alert)
    return True


_EXPLAINING: dict[str, Callable[[Any, Exception], bool]] = {
    _HANDSHAKE: _explain_handshake,
    **dict.fromkeys(_READS, _explain_read),
    **dict.fromkeys(_WRITES, _explain_write),
}


def _is_end_of_stream(error: Exception) -> bool:
    """Whether a read found the end; a reset has a number."""
    return not error.args or error.args[0] == -1


def _read_ahead(connection: Any) -> Exception | None:
    """The error in which the server has said why it has closed, before anybody has read it.

    Data stays where it is. The other side has ended the connection, so that nothing has to wait.
    """
    from OpenSSL import SSL
    from OpenSSL._util import ffi, lib

    result = lib.SSL_peek(connection._ssl, ffi.new("char[]", 1), 1)
    try:
        connection._raise_ssl_error(connection._ssl, result)
    except SSL.WantReadError:
        return None
    except SSL.Error as error:
        # Its frames hold the connection.
        return error.with_traceback(None)
    return None


def _facts_of(connection: Any, attempt: Attempt) -> Facts:
    issuers = tuple(name.der() for name in connection.get_client_ca_list())
    return Facts(
        server_has_spoken=connection.get_cipher_name() is not None,
        # pyOpenSSL tells the issuers only, and not whether there was a request.
        request=CertificateRequest(0, issuers, frozenset()) if issuers else None,
        without_request="no issuer that pyOpenSSL tells of",
        verification=verification_of(
            attempt.generation, attempt.decision, trust_held_by(attempt.context)
        ),
        is_named=_is_named(connection, attempt.host),
        port=connection.__dict__.get(_PORT) if attempt.port is None else attempt.port,
        verify_code=_verify_code(connection),
    )


def _is_named(connection: Any, host: Host | None) -> bool:
    """Whether TLS was told the host; of an address it never is (RFC 6066, section 3)."""
    if not isinstance(host, str):
        return False
    return connection.get_servername() is not None or is_address(host)


def _verify_code(connection: Any) -> int:
    from OpenSSL._util import lib

    code: int = lib.SSL_get_verify_result(connection._ssl)
    return code
