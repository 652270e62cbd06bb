"""Identity contexts of pyOpenSSL: like those of ``ssl``, but sharing the caller's own trust store.

pyOpenSSL reaches the store of a context, so a connection that takes an identity context of this
kind is verified by the very store of its caller, whatever the caller loads into it and when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

from .authority import certificates_of
from .identity import Identity
from .openssl_transfer import load_identity
from .policy import Authorities


def make_openssl_context(
    caller: Any,
    identity: Identity | None,
    authorities: Authorities | None,
    ciphers: Iterable[str],
) -> Any:
    """An ``OpenSSL.SSL.Context`` that presents ``identity``.

    It verifies by the store of ``caller``, or by ``authorities`` alone where they are given.
    """
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_METHOD)
    for each in ciphers:
        context.set_cipher_list(each.encode("ascii"))
    if authorities is None:
        _share_store(context, caller)
    else:
        add_authorities(context, authorities)
    if identity is not None:
        load_identity(context, identity)
    _share_key_log(context, caller)
    return context


def on_server_request(connection: Any, callback: Callable[[], None] | None) -> None:
    """Call back when the server has asked for a certificate, before the answer; ``None``: never.

    ``SSL_set_cert_cb`` is called at that moment, and takes a context that is set inside.
    """
    from OpenSSL._util import ffi, lib

    if callback is None:
        lib.SSL_set_cert_cb(connection._ssl, ffi.NULL, ffi.NULL)
        return

    def answer(ssl: Any, argument: Any) -> int:
        callback()
        return 1

    # OpenSSL keeps the pointer only, so the connection has to keep the function. The result where
    # that raises, 0, ends the handshake.
    connection._mxcert_answer = ffi.callback("int(SSL *, void *)", answer, error=0)
    lib.SSL_set_cert_cb(connection._ssl, connection._mxcert_answer, ffi.NULL)


#: Authorities as pyOpenSSL takes them, as long as their generation lives.
_parsed: WeakKeyDictionary[Authorities, tuple[Any, ...]] = WeakKeyDictionary()


def add_authorities(context: Any, authorities: Authorities) -> None:
    """Add authorities to the store of a context; they are parsed once."""
    certificates = _parsed.get(authorities)
    if certificates is None:
        certificates = _parsed[authorities] = _parse(authorities)
    store = context.get_cert_store()
    for certificate in certificates:
        store.add_cert(certificate)


def _parse(authorities: Authorities) -> tuple[Any, ...]:
    from OpenSSL import crypto

    # As they came: cryptography, which pyOpenSSL would ask, is stricter than OpenSSL.
    return tuple(
        crypto.load_certificate(crypto.FILETYPE_ASN1, each.der)
        for each in certificates_of(authorities.pem)
    )


def _share_store(context: Any, caller: Any) -> None:
    from OpenSSL._util import lib

    store = lib.SSL_CTX_get_cert_store(caller._context)
    # SSL_CTX_set_cert_store takes over one reference, and the caller keeps its own.
    lib.X509_STORE_up_ref(store)
    lib.SSL_CTX_set_cert_store(context._context, store)


def _share_key_log(context: Any, caller: Any) -> None:
    from OpenSSL._util import lib

    callback = lib.SSL_CTX_get_keylog_callback(caller._context)
    lib.SSL_CTX_set_keylog_callback(context._context, callback)
