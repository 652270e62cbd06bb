"""PKCS12's derivation by the C function of OpenSSL, which has no other way to Python.

Asked only where there is much to derive: ctypes and the library take a while to find.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

from ...base import Secret
from ..libcrypto import libcrypto

_OCTETS, _POINTER, _INT = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int


def find_call() -> Callable[[str, int, Secret[bytes], bytes, int, int], Secret[bytes] | None]:
    """What derives by the hash, purpose, password, salt, rounds and length of its key.

    It gives ``None`` where OpenSSL refuses, as it does by the rules of FIPS 140. Raises
    :class:`~..libcrypto.UnreachableOpenSSLError`, and ``AttributeError`` where the function is no
    more.
    """
    library = libcrypto()
    find, derive = library.EVP_get_digestbyname, library.PKCS12_key_gen_uni
    find.restype, find.argtypes = _POINTER, (_OCTETS,)
    octets = _OCTETS, _INT
    derive.restype = _INT
    derive.argtypes = (*octets, *octets, _INT, _INT, _INT, _POINTER, _POINTER)
    return partial(_derive, library)


def _derive(
    library: Any,
    hash_name: str,
    purpose: int,
    password: Secret[bytes],
    salt: bytes,
    rounds: int,
    length: int,
) -> Secret[bytes] | None:
    method = library.EVP_get_digestbyname(hash_name.encode())
    if not method:
        return None
    # No Python value but this buffer has the key, and it does not show what is in it.
    key = (ctypes.c_char * length)()
    size = len(password.reveal())
    numbers = purpose, rounds, length
    is_done = library.PKCS12_key_gen_uni(
        password.reveal(), size, salt, len(salt), *numbers, key, method
    )
    if is_done != 1:
        # The next who asks this thread's OpenSSL for its errors would take them for his own.
        library.ERR_clear_error()
        return None
    return Secret(key.raw)
