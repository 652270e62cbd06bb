"""Makes a context of ``ssl`` present an identity, and says so where there is no way for its key."""

from __future__ import annotations

import ssl
from typing import Protocol

from ..base import NativeContext, reason_of
from .key import Key
from .openssl_reason import Refusal, explain_refusal


class Presentable(Protocol):
    """What has a key and its certificates."""

    @property
    def key(self) -> Key:
        """The key, wherever it is."""

    def certificates_pem(self) -> bytes:
        """The leaf and the chain above it."""


NO_WAY_REMEDY = (
    "Let the program use memfd_create and mount /proc, or set TMPDIR to a directory that it can"
    " write to"
)


class KeyTransferError(OSError):
    """There is no way for a key to OpenSSL: none in memory, and no file can be made."""


def present(context: ssl.SSLContext, identity: Presentable) -> None:
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
        failed = error.errno, reason_of(error)
    if failed:
        raise KeyTransferError(*failed)


def _transfer(context: ssl.SSLContext, identity: Presentable) -> None:
    with identity.key.for_ssl(identity.certificates_pem()) as arguments:
        context.load_cert_chain(*arguments)


def try_identity(identity: Presentable) -> Refusal | None:
    """Why OpenSSL would take the identity at no security level; ``None`` where it takes it.

    Raises :class:`KeyTransferError`: what would fail in every handshake.
    """
    context = _TryingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    refused = None
    try:
        present(context, identity)
    except ssl.SSLError as error:
        refused = explain_refusal(error)
    return refused


class _TryingContext(NativeContext):  # type: ignore[misc]
    """Straight to OpenSSL, past whatever is patched onto the class of callers' contexts."""

    load_cert_chain = NativeContext.load_cert_chain
    set_ciphers = NativeContext.set_ciphers
