"""Keys under encryption that this package does not know and OpenSSL does (Camellia, ARIA, DES).

pyOpenSSL is asked only for those: it takes a while to import, and what it has depends on its build.
"""

from __future__ import annotations

from ...base import Secret
from .passwords import PasswordForm
from .pem import split_blocks
from .refusal import RefusalsIgnored


def open_by_openssl(pem: Secret[bytes], password: PasswordForm) -> Secret[bytes] | None:
    """The PKCS8 of an encrypted PEM key, of the same kind; ``None`` where it does not open.

    Whoever calls it has judged the rounds that the key asks for.
    """
    with RefusalsIgnored():
        from OpenSSL import crypto

        key = crypto.load_privatekey(crypto.FILETYPE_PEM, pem.reveal(), password.octets.reveal())
        blocks = split_blocks(Secret(crypto.dump_privatekey(crypto.FILETYPE_PEM, key)))
        return blocks[0].der
    return None
