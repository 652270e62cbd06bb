"""pyOpenSSL: whether a server is verified, for identities that go to no other.

Its callbacks may accept what OpenSSL does not (Scrapy's accepts all), and then nothing of the
connection tells; hence a second look at the chain, where the answer makes a difference.
"""

from __future__ import annotations

from typing import Any

#: ``SSL.VERIFY_NONE`` of pyOpenSSL, which is imported by others
_VERIFY_NONE = 0


def may_verify(target: Any) -> bool:
    """Whether a Context or a Connection asks for the server's certificate to be verified."""
    return bool(target.get_verify_mode() != _VERIFY_NONE)


def is_verified(connection: Any, context: Any) -> bool:
    """Whether the server's chain leads to what ``context``, which verifies, trusts."""
    from OpenSSL.crypto import X509StoreContext, X509StoreContextError

    chain = connection.get_peer_cert_chain()
    if not may_verify(connection) or not chain:
        return False
    try:
        X509StoreContext(context.get_cert_store(), chain[0], chain[1:]).verify_certificate()
    except X509StoreContextError:
        return False
    return True
