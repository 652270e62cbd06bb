"""The private keys that can identify a TLS client, and the passwords that open them."""

from __future__ import annotations

from typing import Union

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from ..errors import IdentityError, IdentityProblem
from ..secret import Secret

PrivateKey = Union[
    rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey
]
_KEY_TYPES = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
)

#: Far above what anyone uses (600,000 to some millions), and some seconds of work.
MAX_ROUNDS = 10_000_000


def checked_key(key: object, label: str) -> PrivateKey:
    """The key, if it is one for TLS; ``label`` is what errors call the file that it is from.

    Raises :class:`~..errors.IdentityError` with ``UNSUPPORTED``.
    """
    if isinstance(key, _KEY_TYPES):
        return key
    message = f"{label} holds a {type(key).__name__}, which cannot identify a TLS client"
    remedy = "Use an RSA, EC, Ed25519 or Ed448 key"
    raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)


def key_type(key: PrivateKey) -> str:
    """The kind of the key with its size or curve: ``RSA-2048``, ``EC-secp256r1``, ``Ed25519``."""
    if isinstance(key, rsa.RSAPrivateKey):
        return f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return f"EC-{key.curve.name}"
    return "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "Ed448"


def refuse_rounds(rounds: int, label: str) -> None:
    """Raise :class:`~..errors.IdentityError` for a count of rounds that would take too long."""
    if rounds > MAX_ROUNDS:
        message = f"{label} asks for {rounds} rounds of key derivation, more than {MAX_ROUNDS}"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, "Export it with fewer rounds")


def encode_password(password: Secret[str] | None, label: str) -> Secret[bytes] | None:
    """The bytes of the password in UTF-8, as cryptography wants them; ``None`` for an empty one.

    Raises :class:`~..errors.IdentityError` with ``UNSUPPORTED``.
    """
    if not password:
        return None
    encoded = _try_to_encode(password)
    # A NUL ends a password in OpenSSL, and newer releases of cryptography print it in a panic.
    if encoded is None or b"\0" in encoded.reveal():
        message = f"the password of {label} holds a NUL or a byte that is no UTF-8"
        remedy = "Correct the password; if it is right, export the file anew with another one"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    return encoded


def _try_to_encode(password: Secret[str]) -> Secret[bytes] | None:
    try:
        return Secret(password.reveal().encode("utf-8"))
    except UnicodeEncodeError:
        return None
