"""Gives a private key and its chain to OpenSSL through ``load_cert_chain``, which takes files only.

The key never reaches a disk in clear: on Linux it passes through an anonymous file in memory
(memfd_create(2)), elsewhere through a file of mode 0600 that holds it encrypted under a random
password of one use, removed at once.
"""

from __future__ import annotations

import secrets
import ssl

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from .identity import Identity
from .passing_files import memory_file, temporary_file


def load_identity(context: ssl.SSLContext, identity: Identity) -> None:
    """Make ``context`` present the identity: its leaf, its key and its chain.

    Raises ``ssl.SSLError`` where OpenSSL refuses it, such as for a key that is too weak for the
    security level of the context.
    """
    with memory_file() as memory:
        if memory is not None:
            path, file = memory
            file.write(_as_pem(identity, NoEncryption()))
            context.load_cert_chain(path)
            return
    _load_through_encrypted_file(context, identity)


def _load_through_encrypted_file(context: ssl.SSLContext, identity: Identity) -> None:
    password = secrets.token_hex(32)
    pem = _as_pem(identity, BestAvailableEncryption(password.encode()))
    with temporary_file(pem) as path:
        context.load_cert_chain(path, password=password)


def _as_pem(identity: Identity, encryption: KeySerializationEncryption) -> bytes:
    key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    certificates = (identity.certificate, *identity.chain)
    return b"".join([key, *(each.public_bytes(Encoding.PEM) for each in certificates)])
