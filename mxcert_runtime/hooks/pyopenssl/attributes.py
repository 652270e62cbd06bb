"""What OpenSSL reads from an SSL_CTX through a connection, and what becomes of each.

A connection of pyOpenSSL stays on its caller's Context until the server asks for a certificate; it
then goes on with a context of ours (``SSL_set_SSL_CTX``), which alone can hold a chain: pyOpenSSL
reaches no function that gives one to a connection. Where a rule's authorities verify, it does so
from its beginning. The table says why nothing of the caller's is lost by that. It comes from the
sources of OpenSSL 3.0 to 3.6 (``SSL_new``, ``SSL_set_SSL_CTX``, ``ssl_cert_dup``, and all that
reads ``s->ctx`` in ssl/ and ssl/statem/) and of pyOpenSSL 24.0 to 26.4.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from ...base import dataclass


class Fate(Enum):
    """What becomes of an attribute of the caller's Context."""

    #: copied into the connection when that is made, and read there from then on
    IN_CONNECTION = "in the connection"
    #: read from the context that the connection was made with, which never changes
    IN_FIRST_CONTEXT = "in the context that the connection was made with"
    CARRIED = "carried over to the context of ours"
    #: what the identity, or the authorities of its rule, are there for
    REPLACED = "replaced"
    #: where it stands in the way, the connection is refused, with the remedy
    REFUSED = "refused"
    SERVER_ONLY = "read by servers only"
    #: no function of pyOpenSSL sets it
    OUT_OF_REACH = "out of reach"


@dataclass(frozen=True)
class Attribute:
    """One attribute, its fate, and why that is right."""

    name: str
    fate: Fate
    why: str
    #: gives a context of ours, the first, what the caller's has, the second
    carry: Callable[[Any, Any], None] | None = None


# OpenSSL keeps pointers only, so each context keeps the functions: the old one until the new one is
# in place.


def _carry_info_callback(context: Any, caller: Any) -> None:
    from OpenSSL._util import ffi, lib

    callback = caller._info_callback
    lib.SSL_CTX_set_info_callback(context._context, callback or ffi.NULL)
    context._info_callback = callback


def _carry_key_log(context: Any, caller: Any) -> None:
    from OpenSSL._util import ffi, lib

    callback = caller._keylog_callback
    lib.SSL_CTX_set_keylog_callback(context._context, callback or ffi.NULL)
    context._keylog_callback = callback


def _carry_ocsp_callback(context: Any, caller: Any) -> None:
    from OpenSSL._util import ffi, lib

    helper, callback, data = caller._ocsp_helper, caller._ocsp_callback, caller._ocsp_data
    lib.SSL_CTX_set_tlsext_status_cb(context._context, callback or ffi.NULL)
    lib.SSL_CTX_set_tlsext_status_arg(context._context, data or ffi.NULL)
    context._ocsp_helper, context._ocsp_callback, context._ocsp_data = helper, callback, data


_CONNECTION, _FIRST = Fate.IN_CONNECTION, Fate.IN_FIRST_CONTEXT
_SERVER, _NO_REACH = Fate.SERVER_ONLY, Fate.OUT_OF_REACH

#: Every attribute that is read in a client's connection, and those of servers for completeness.
ATTRIBUTES = (
    Attribute("certificate, key and chain", Fate.REPLACED, "the identity's"),
    Attribute(
        name="info callback",
        fate=Fate.CARRIED,
        why="read at every step; one that the program gives to the connection goes first all along",
        carry=_carry_info_callback,
    ),
    Attribute(
        name="key log callback",
        fate=Fate.CARRIED,
        why="TLS 1.2 logs after the certificate, TLS 1.3 before and after",
        carry=_carry_key_log,
    ),
    Attribute(
        name="OCSP callback and its data",
        fate=Fate.CARRIED,
        why="read after the server is verified: before the certificate, and in each renegotiation",
        carry=_carry_ocsp_callback,
    ),
    Attribute(
        "certificate store",
        Fate.CARRIED,
        "shared with its flags, time, CRLs and lookups; read also to complete a chain",
    ),
    Attribute(
        "certificate store, for pinned CAs",
        Fate.REPLACED,
        "by theirs with the flags that the caller's store is measured to have; a check of "
        "revocation finds no CRL then and refuses the server, as in `ssl`",
    ),
    Attribute(
        "demands of a store that no flag makes, for pinned CAs",
        Fate.REFUSED,
        "a time that the program sets, a purpose, a policy: they can be measured, and not copied",
    ),
    Attribute(
        "SRTP profiles, for pinned CAs",
        Fate.REFUSED,
        "DTLS reads them in its first message, and nothing tells them; otherwise it has read them "
        "when the server asks",
    ),
    Attribute("cipher list", Fate.CARRIED, "made again from the names that the connection tells"),
    Attribute("TLS 1.3 cipher suites", Fate.CARRIED, "the same; they are part of that list"),
    Attribute("security level", Fate.CARRIED, "measured"),
    Attribute("DTLS or TLS", Fate.CARRIED, "a context of ours is of the same kind"),
    Attribute("verify mode and callback", _CONNECTION, "SSL_new"),
    Attribute("verify depth", _CONNECTION, "SSL_new: part of its X509_VERIFY_PARAM"),
    Attribute("purpose, trust, names and flags of the context", _CONNECTION, "the same"),
    Attribute("options", _CONNECTION, "SSL_new"),
    Attribute("modes, automatic chain included", _CONNECTION, "SSL_new"),
    Attribute("lowest and highest protocol version", _CONNECTION, "SSL_new"),
    Attribute("ALPN protocols", _CONNECTION, "SSL_new"),
    Attribute("groups (set_tmp_ecdh)", _CONNECTION, "SSL_new"),
    Attribute("PSK callbacks", _CONNECTION, "SSL_new"),
    Attribute("message callback", _CONNECTION, "SSL_new"),
    Attribute("read-ahead, early data, post-handshake authentication", _CONNECTION, "SSL_new"),
    Attribute("passphrase callback", _CONNECTION, "SSL_new; it is called when a key is loaded"),
    Attribute("session id context", _CONNECTION, "SSL_new; a session has it from the first flight"),
    Attribute("session cache mode, timeout and callbacks", _FIRST, "s->session_ctx"),
    Attribute("application data", _FIRST, "of Python: get_context() answers with the caller's"),
    Attribute("SNI callback", _SERVER, "final_server_name"),
    Attribute("ALPN selection callback", _SERVER, "tls_handle_alpn"),
    Attribute("cookie callbacks", _SERVER, "DTLSv1_listen, and HelloRetryRequest"),
    Attribute("DH parameters", _SERVER, "ServerKeyExchange"),
    Attribute("client CA list", _SERVER, "CertificateRequest"),
    Attribute("ticket keys", _SERVER, "NewSessionTicket"),
    # `OpenSSL._util.lib` has some of them for other libraries. Who calls it past pyOpenSSL has
    # them in the first flight, and loses them when the server asks.
    Attribute("certificate callback", _NO_REACH, "SSL_CTX_set_cert_cb has no method"),
    Attribute("signature algorithms", _NO_REACH, "SSL_CTX_set1_sigalgs_list has no method"),
    Attribute("custom extensions", _NO_REACH, "SSL_CTX_add_client_custom_ext has no method"),
    Attribute("compression", _NO_REACH, "not built"),
    Attribute("NPN callback", _NO_REACH, "gone from pyOpenSSL 20"),
    Attribute("verify function", _NO_REACH, "SSL_CTX_set_cert_verify_callback is not bound"),
    Attribute("client certificate callback and engine", _NO_REACH, "not bound"),
    Attribute("CA names of clients, DANE, SRP, certificate transparency", _NO_REACH, "not bound"),
)


def carry_over(context: Any, caller: Any) -> None:
    """Bring a context of ours up to date with the callbacks of its caller's.

    Before pyOpenSSL 26 a program may change them after its first connection.
    """
    for attribute in ATTRIBUTES:
        if attribute.carry is not None:
            attribute.carry(context, caller)
