"""Keys, certificates and stores as the installed pyOpenSSL takes them."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from cryptography import x509

from ...identity import Authorities, certificates_of

#: Authorities as pyOpenSSL takes them, as long as their generation lives.
_parsed: WeakKeyDictionary[Authorities, tuple[Any, ...]] = WeakKeyDictionary()


def add_authorities(context: Any, authorities: Authorities) -> None:
    """Add authorities to the store of a context; they are parsed once."""
    certificates = _parsed.get(authorities)
    if certificates is None:
        certificates = _parsed[authorities] = _parse(authorities)
    from OpenSSL._util import lib

    # Past what is patched: a program that takes the store may put into it what it likes.
    store = lib.SSL_CTX_get_cert_store(context._context)
    for certificate in certificates:
        if lib.X509_STORE_add_cert(store, certificate._x509) != 1:
            raise MemoryError("OpenSSL could not take a CA into a store")


def _parse(authorities: Authorities) -> tuple[Any, ...]:
    from OpenSSL import crypto

    # As they came: cryptography, which pyOpenSSL would ask, is stricter than OpenSSL.
    return tuple(
        crypto.load_certificate(crypto.FILETYPE_ASN1, each.der)
        for each in certificates_of(authorities.pem)
    )


def share_store(context: Any, caller: Any) -> None:
    """Let a context verify by the very store of another, whatever comes into that and when."""
    from OpenSSL._util import lib

    store = lib.SSL_CTX_get_cert_store(caller._context)
    # SSL_CTX_set_cert_store takes over one reference, and the caller keeps its own.
    lib.X509_STORE_up_ref(store)
    lib.SSL_CTX_set_cert_store(context._context, store)


def _takes_cryptography() -> bool:
    """From 24.3 on pyOpenSSL takes cryptography's objects and deprecates its own."""
    import OpenSSL

    major, minor = OpenSSL.__version__.split(".")[:2]
    return (int(major), int(minor)) >= (24, 3)


def as_certificate(certificate: x509.Certificate) -> Any:
    """A certificate as ``use_certificate`` takes it."""
    from OpenSSL import crypto

    return certificate if _takes_cryptography() else crypto.X509.from_cryptography(certificate)


def as_key(key: Any) -> Any:
    """A private key as ``use_privatekey`` takes it."""
    from OpenSSL import crypto

    return key if _takes_cryptography() else crypto.PKey.from_cryptography_key(key)
