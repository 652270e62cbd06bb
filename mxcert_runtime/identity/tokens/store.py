"""Objects of tokens as OpenSSL's provider finds them: public halves of keys, and certificates.

The PIN goes by a callback, and not in the URI: the provider has a log that shows URIs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

from ...base import Secret
from ..libcrypto import encoded, libcrypto, pop_errors

#: OSSL_STORE_INFO_PKEY, OSSL_STORE_INFO_CERT
_KEY, _CERTIFICATE = 4, 5
#: pem_password_cb
_Answer = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p
)


def public_halves(uri: str, pin: Secret[str] | None) -> tuple[bytes | None, ...]:
    """SubjectPublicKeyInfo of each private key; ``None`` where the token does not tell it."""
    return with_private_keys(uri, pin, lambda key: encoded(libcrypto().i2d_PUBKEY, key))


def with_private_keys(
    uri: str, pin: Secret[str] | None, use: Callable[[int], bytes | None]
) -> tuple[bytes | None, ...]:
    """What comes of using each private key, which is OpenSSL's handle of it."""
    return tuple(_found(uri, pin, _KEY, libcrypto().OSSL_STORE_INFO_get0_PKEY, use))


def certificates(uri: str, pin: Secret[str] | None) -> tuple[bytes, ...]:
    """DER of each certificate."""
    library = libcrypto()
    get = library.OSSL_STORE_INFO_get0_CERT
    found = _found(uri, pin, _CERTIFICATE, get, lambda each: encoded(library.i2d_X509, each))
    return tuple(filter(None, found))


def _found(
    uri: str,
    pin: Secret[str] | None,
    kind: int,
    get: Callable[[int], int],
    use: Callable[[int], bytes | None],
) -> Iterator[bytes | None]:
    library, answer = libcrypto(), _Answer(_answer_with(pin or Secret("")))
    method = library.UI_UTIL_wrap_read_pem_callback(answer, 0)
    store = library.OSSL_STORE_open(uri.encode(), method, None, None, None)
    try:
        while store and not library.OSSL_STORE_eof(store):
            info = library.OSSL_STORE_load(store)
            if not info:
                break
            if library.OSSL_STORE_INFO_get_type(info) == kind:
                yield use(get(info))
            library.OSSL_STORE_INFO_free(info)
    finally:
        if store:
            library.OSSL_STORE_close(store)
        library.UI_destroy_method(method)
        pop_errors()  # what is left there would be taken for the error of whoever comes next


def _answer_with(pin: Secret[str]) -> Callable[[int, int, int, int], int]:
    def answer(buffer: int, size: int, _writing: int, _data: int) -> int:
        length = len(pin.reveal().encode())
        if length > size:
            return 0
        ctypes.memmove(buffer, pin.reveal().encode(), length)
        return length

    return answer
