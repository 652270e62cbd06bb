"""A private key as the rest of the package sees it, wherever it is: what can be asked of every key.

Nothing in it gives the key away, so that one that cannot leave its token is a key like any other,
and never meets a code path that exports.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from .material.public_key import PublicKey


class LoadArguments(NamedTuple):
    """The arguments of ``ssl.SSLContext.load_cert_chain``; its files may be gone afterwards."""

    certificate_path: str
    key_path: str | None = None
    password: Callable[[], str] | None = None


class Key(Protocol):
    """A private key that OpenSSL can sign with."""

    @property
    def kind(self) -> str:
        """Such as ``RSA-2048``, ``RSASSA-PSS-2048``, ``EC-secp256r1``, ``Ed25519``."""

    def public_key(self) -> PublicKey | None:
        """What a certificate for this key holds; ``None`` where that cannot be read."""

    def for_ssl(self, certificates: bytes) -> AbstractContextManager[LoadArguments]:
        """The key and PEM text of its certificates, as a context of ``ssl`` loads the two.

        Raises OSError where there is no way for them, and whatever comes out of the block.
        """

    def for_pyopenssl(self) -> Any:
        """The key as an ``OpenSSL.crypto.PKey``.

        Raises ``OpenSSL.crypto.Error`` where OpenSSL does not take it, and
        :class:`~..errors.IdentityError` where the OpenSSL of pyOpenSSL cannot use such a key.
        """
