"""Gives a private key and its chain to OpenSSL through ``load_cert_chain``, which takes files only.

The key never reaches a disk in clear: on Linux it passes through an anonymous file in memory
(memfd_create(2)), elsewhere through a file of mode 0600 that holds it encrypted under a random
password of one use, removed at once. Neither is ever a variable: the frames of whatever error
comes of it can be seen.
"""

from __future__ import annotations

import contextlib
import secrets
import ssl
from collections.abc import Iterator
from typing import Protocol

from ..base.genuine_ssl import NativeContext
from ..base.passing_files import memory_file, temporary_file, write_all
from ..base.secret import Secret
from .openssl_reason import Refusal, explain_refusal


class Presentable(Protocol):
    """What has a key and its certificates as they came."""

    def key_pem(self) -> Secret[bytes]:
        """The key in clear."""

    def encrypted_key_pem(self, password: Secret[str]) -> Secret[bytes]:
        """The key under a password that is random."""

    def certificates_pem(self) -> bytes:
        """The leaf and the chain above it."""


NO_WAY_REMEDY = (
    "Let the program use memfd_create and mount /proc, or set TMPDIR to a directory that it can"
    " write to"
)


class KeyTransferError(OSError):
    """There is no way for a key to OpenSSL: none in memory, and no file can be made."""


def load_identity(context: ssl.SSLContext, identity: Presentable) -> None:
    """Make ``context`` present the identity: its leaf, its key and its chain.

    Raises ``ssl.SSLError`` where OpenSSL refuses it, such as for a key that is too weak for the
    security level of the context, and :class:`KeyTransferError`.
    """
    failed = None
    try:
        _transfer(context, identity)
    except ssl.SSLError:
        raise
    except OSError as error:
        # The frames of this one belong to the writing, and are nobody's business.
        failed = error.errno, error.strerror or type(error).__name__
    if failed:
        raise KeyTransferError(*failed)


def _transfer(context: ssl.SSLContext, identity: Presentable) -> None:
    with memory_file() as memory:
        if memory is not None:
            path, file = memory
            write_all(file, _joined(identity.key_pem(), identity))
            context.load_cert_chain(path)
            return
    with _encrypted_file(identity) as (path, password):
        context.load_cert_chain(path, password=password.reveal)


@contextlib.contextmanager
def _encrypted_file(identity: Presentable) -> Iterator[tuple[str, Secret[str]]]:
    password = Secret(secrets.token_hex(32))
    content = _joined(identity.encrypted_key_pem(password), identity)
    with temporary_file(content) as path:
        yield path, password


def _joined(key: Secret[bytes], identity: Presentable) -> Secret[bytes]:
    return Secret(key.reveal() + identity.certificates_pem())


def try_identity(identity: Presentable) -> Refusal | None:
    """Why OpenSSL would take the identity at no security level; ``None`` where it takes it.

    Raises :class:`KeyTransferError`: what would fail in every handshake.
    """
    context = _TryingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    refused = None
    try:
        load_identity(context, identity)
    except ssl.SSLError as error:
        refused = explain_refusal(error)
    return refused


class _TryingContext(NativeContext):  # type: ignore[misc]
    """Straight to OpenSSL, past whatever is patched onto the class of callers' contexts."""

    load_cert_chain = NativeContext.load_cert_chain
    set_ciphers = NativeContext.set_ciphers
