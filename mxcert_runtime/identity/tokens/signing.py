"""A signature by the key in a token as a handshake asks for it, verified by the certificate's key.

Only where somebody wants to know: a token may count signatures, want a touch, or cost money.
"""

from __future__ import annotations

import ctypes
import secrets
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from ..libcrypto import libcrypto, pop_errors
from ..material.public_key import EC, RSA
from .store import with_private_keys
from .token_key import TokenKey

_PKCS1, _PSS, _ECDSA, _PURE = "PKCS#1 v1.5", "PSS", "ECDSA", "EdDSA"
_SCHEMES = {RSA: (_PKCS1, _PSS), EC: (_ECDSA,)}
#: which mechanisms of the token do it: with the hash, or without
_MECHANISMS = {
    _PKCS1: {0x1: "CKM_RSA_PKCS", 0x40: "CKM_SHA256_RSA_PKCS"},
    _PSS: {0xD: "CKM_RSA_PKCS_PSS", 0x43: "CKM_SHA256_RSA_PKCS_PSS"},
    _ECDSA: {0x1041: "CKM_ECDSA", 0x1044: "CKM_ECDSA_SHA256"},
    _PURE: {0x1057: "CKM_EDDSA"},
}
_PSS_OPTIONS = ((b"rsa_padding_mode", b"pss"), (b"rsa_pss_saltlen", b"digest"))


def schemes_of(key: TokenKey) -> tuple[str, ...]:
    """How a key of this kind signs in TLS."""
    return _SCHEMES.get(key.public.algorithm, (_PURE,))


def mechanisms_of(key: TokenKey, found: frozenset[int]) -> list[str]:
    """Names of what the token has for that."""
    return [
        name
        for scheme in schemes_of(key)
        for number, name in _MECHANISMS[scheme].items()
        if number in found
    ]


def signs(key: TokenKey, scheme: str) -> bool:
    """Whether a signature comes, and is one of the certificate's key."""
    data = secrets.token_bytes(64)
    uri = key.uri.of("private")
    found = with_private_keys(uri, key.pin, lambda pointer: _sign(pointer, scheme, data))
    return any(each is not None and _is_right(key, scheme, each, data) for each in found)


def _sign(pointer: int, scheme: str, data: bytes) -> bytes | None:
    library = libcrypto()
    context, parameters = library.EVP_MD_CTX_new(), ctypes.c_void_p()
    digest = None if scheme == _PURE else library.EVP_sha256()
    try:
        begun = library.EVP_DigestSignInit(context, ctypes.byref(parameters), digest, None, pointer)
        for name, value in _PSS_OPTIONS if scheme == _PSS else ():
            begun = begun > 0 and library.EVP_PKEY_CTX_ctrl_str(parameters, name, value)
        return _finished(context, data) if begun > 0 else None
    finally:
        library.EVP_MD_CTX_free(context)
        pop_errors()


def _finished(context: int, data: bytes) -> bytes | None:
    library, length = libcrypto(), ctypes.c_size_t()
    if library.EVP_DigestSign(context, None, ctypes.byref(length), data, len(data)) <= 0:
        return None
    buffer = ctypes.create_string_buffer(length.value)
    if library.EVP_DigestSign(context, buffer, ctypes.byref(length), data, len(data)) <= 0:
        return None
    return buffer.raw[: length.value]


def _is_right(key: TokenKey, scheme: str, signature: bytes, data: bytes) -> bool:
    try:
        key.public.parsed.verify(signature, data, *_arguments(scheme))
    except InvalidSignature:
        return False
    return True


def _arguments(scheme: str) -> tuple[Any, ...]:
    digest = hashes.SHA256()
    if scheme == _PKCS1:
        return padding.PKCS1v15(), digest
    if scheme == _PSS:
        return padding.PSS(padding.MGF1(digest), digest.digest_size), digest
    return (ec.ECDSA(digest),) if scheme == _ECDSA else ()
