"""The OpenSSL that ``ssl`` itself uses, by its public C functions; found through ``_ssl``.

A process can hold several: cryptography's wheels bring one, database drivers another. What is
loaded into one of them does nothing for the others.
"""

from __future__ import annotations

import ctypes
import functools
import ssl
import sys
from typing import Any

_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int

#: what is called: the type of its result, and of its arguments
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "OpenSSL_version": (_TEXT, (_INT,)),
    "OSSL_PROVIDER_available": (_INT, (_POINTER, _TEXT)),
    "OSSL_PROVIDER_load": (_POINTER, (_POINTER, _TEXT)),
    "OSSL_LIB_CTX_load_config": (_INT, (_POINTER, _TEXT)),
    "OSSL_STORE_open": (_POINTER, (_TEXT, _POINTER, _POINTER, _POINTER, _POINTER)),
    "OSSL_STORE_expect": (_INT, (_POINTER, _INT)),
    "OSSL_STORE_eof": (_INT, (_POINTER,)),
    "OSSL_STORE_load": (_POINTER, (_POINTER,)),
    "OSSL_STORE_close": (_INT, (_POINTER,)),
    "OSSL_STORE_INFO_get_type": (_INT, (_POINTER,)),
    "OSSL_STORE_INFO_get0_PKEY": (_POINTER, (_POINTER,)),
    "OSSL_STORE_INFO_get0_CERT": (_POINTER, (_POINTER,)),
    "OSSL_STORE_INFO_free": (None, (_POINTER,)),
    "UI_UTIL_wrap_read_pem_callback": (_POINTER, (_POINTER, _INT)),
    "UI_destroy_method": (None, (_POINTER,)),
    "EVP_MD_CTX_new": (_POINTER, ()),
    "EVP_MD_CTX_free": (None, (_POINTER,)),
    "EVP_sha256": (_POINTER, ()),
    "EVP_DigestSignInit": (_INT, (_POINTER,) * 5),
    "EVP_DigestSign": (_INT, (_POINTER, _POINTER, _POINTER, _TEXT, ctypes.c_size_t)),
    "EVP_PKEY_CTX_ctrl_str": (_INT, (_POINTER, _TEXT, _TEXT)),
    "i2d_PUBKEY": (_INT, (_POINTER, _POINTER)),
    "i2d_X509": (_INT, (_POINTER, _POINTER)),
    "ERR_get_error": (ctypes.c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "ERR_reason_error_string": (_TEXT, (ctypes.c_ulong,)),
}


class UnreachableOpenSSLError(Exception):
    """The functions of the OpenSSL of ``ssl`` cannot be called; the text says why."""


@functools.cache
def libcrypto() -> Any:
    """The library with the functions above. A call of one lets other threads run.

    Raises :class:`UnreachableOpenSSLError`.
    """
    if sys.platform == "win32":
        raise UnreachableOpenSSLError("on Windows it is not looked for")
    library = _library_of_ssl()
    try:
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as error:
        reason = "it is built into the interpreter, or older than OpenSSL 3.0"
        raise UnreachableOpenSSLError(reason) from error
    _refuse_other(library)
    return library


def _library_of_ssl() -> Any:
    import _ssl

    # The names of a module's library are looked up in it and in what it is linked to, in that
    # order; those of a module that is built in, in the program. A library has to be open already.
    try:
        return ctypes.CDLL(getattr(_ssl, "__file__", None))
    except OSError as error:
        raise UnreachableOpenSSLError("the library of `_ssl` cannot be opened again") from error


def _refuse_other(library: Any) -> None:
    # `_ssl` may be built into a program that is linked to nothing, with another OpenSSL beside it.
    if library.OpenSSL_version(0).decode("ascii", "replace") != ssl.OPENSSL_VERSION:
        raise UnreachableOpenSSLError("only another OpenSSL is in sight")


def encoded(encode: Any, pointer: int) -> bytes | None:
    """What one of the ``i2d`` functions makes of an object; ``None`` where it cannot."""
    length = encode(pointer, None)
    if length <= 0:
        return None
    buffer = ctypes.create_string_buffer(length)
    place = ctypes.c_void_p(ctypes.addressof(buffer))
    length = encode(pointer, ctypes.byref(place))
    return buffer.raw[:length] if length > 0 else None


def pop_errors() -> tuple[tuple[int, int, str], ...]:
    """Library, reason and its words of each error of this thread, the first first; none is left."""
    library, found = libcrypto(), []
    while code := library.ERR_get_error():
        words = library.ERR_reason_error_string(code)
        text = words.decode("utf-8", "replace") if words else ""
        found.append((code >> 23 & 0xFF, code & 0x7FFFFF, text))
    return tuple(found)
