"""Gives a private key and its chain to a context of pyOpenSSL, as they came.

pyOpenSSL's own methods go through cryptography, which reads less than OpenSSL does and forgets
that an RSASSA-PSS key is one.
"""

from __future__ import annotations

from typing import Any

from ...contexts import IdentityRefusedError
from ...errors import IdentityError
from ...identity import Identity, Refusal, explain_reason


def present(context: Any, identity: Identity) -> None:
    """Make an ``OpenSSL.SSL.Context`` present the identity.

    Raises :class:`~.contexts.identity_contexts.IdentityRefusedError` where OpenSSL does not take
    it, such as for a key that is too weak for the security level of the context, or for one in a
    token.
    """
    refused = _refusal(context, identity)
    if refused is not None:
        raise IdentityRefusedError(identity, refused)


def _refusal(context: Any, identity: Identity) -> Refusal | None:
    """OpenSSL's reason, or the key's own; the frames of their errors hold the key."""
    from OpenSSL import crypto

    try:
        _load(context, identity)
    except crypto.Error as error:
        return explain_reason(_reason_of(error))
    except IdentityError as error:
        return Refusal(error.problem.value.upper(), error.message, error.remedy)
    return None


def _load(context: Any, identity: Identity) -> None:
    from OpenSSL import crypto
    from OpenSSL._util import lib

    leaf, *chain = (
        crypto.load_certificate(crypto.FILETYPE_ASN1, each.der) for each in identity.certificates
    )
    key = identity.key.for_pyopenssl()
    _require(lib.SSL_CTX_use_certificate(context._context, leaf._x509))
    _require(lib.SSL_CTX_use_PrivateKey(context._context, key._pkey))
    for certificate in chain:
        copy = lib.X509_dup(certificate._x509)
        added = lib.SSL_CTX_add_extra_chain_cert(context._context, copy)
        if not added:
            lib.X509_free(copy)
        _require(added)


def _require(result: int) -> None:
    from OpenSSL import crypto
    from OpenSSL._util import exception_from_error_queue

    if result != 1:
        exception_from_error_queue(crypto.Error)


def _reason_of(error: Exception) -> str:
    """The last reason of the queue, as ``ssl`` spells it."""
    queue = error.args[0] if error.args else ()
    words = str(queue[-1][-1]) if queue else ""
    return words.upper().replace(" ", "_")
