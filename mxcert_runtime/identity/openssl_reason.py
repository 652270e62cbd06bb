"""What OpenSSL means where it refuses a certificate or its key, and what helps.

Its own words are codes and a line of its source; the reason stays in them for whoever looks it up.
"""

from __future__ import annotations

import ssl

from ..base import dataclass

_WEAK_KEY = "its key is too weak for the security level in force"
_WEAK_HASH = "its signature, or one above it, is too weak for the security level in force"
_STRONGER = "Have it issued anew with RSA of 2048 bits or EC P-256, and SHA-256"
_MEANINGS = {
    "EE_KEY_TOO_SMALL": (_WEAK_KEY, _STRONGER),
    "CA_KEY_TOO_SMALL": ("a key in its chain is too weak for the security level", _STRONGER),
    "CA_MD_TOO_WEAK": (_WEAK_HASH, _STRONGER),
    "MD_TOO_WEAK": (_WEAK_HASH, _STRONGER),
    "EE_MD_TOO_WEAK": (_WEAK_HASH, _STRONGER),
    "INVALID_CERTIFICATE": (
        "one of its extensions is malformed or stands there twice",
        "Have it issued anew",
    ),
    "UNKNOWN_CERTIFICATE_TYPE": (
        "its kind of key is none that this OpenSSL uses in TLS",
        "Use an RSA, EC, Ed25519 or Ed448 key",
    ),
    "UNSUPPORTED": (
        "its key has parameters or a form that this OpenSSL does not support",
        "Use an RSA, EC, Ed25519 or Ed448 key",
    ),
    "KEY_VALUES_MISMATCH": ("the key is not the certificate's", "Bring the two together"),
    "KEY_TYPE_MISMATCH": (
        "the key is of another kind than the certificate's",
        "Export the key again with a tool that keeps its kind, such as openssl pkcs12",
    ),
}
_UNREADABLE = (
    "the bytes of its certificate or key are not DER as OpenSSL reads it",
    "Have it issued anew, or export it again with openssl pkcs12",
)


@dataclass(frozen=True)
class Refusal:
    """The reason in the words of OpenSSL or the system, what it means, and the remedy."""

    reason: str
    meaning: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.meaning} ({self.reason})"


def is_known_reason(error: ssl.SSLError) -> bool:
    """Whether an error of ``load_cert_chain`` says what is wrong with certificate or key."""
    return getattr(error, "reason", None) in _MEANINGS


def explain_refusal(error: ssl.SSLError) -> Refusal:
    """The refusal in an error of ``load_cert_chain``, or that an error of ours carries."""
    carried = getattr(error, "refusal", None)
    if isinstance(carried, Refusal):
        return carried
    return explain_reason(getattr(error, "reason", None) or "")


def explain_reason(reason: str) -> Refusal:
    """The refusal by a reason as ``ssl`` spells it, such as ``EE_KEY_TOO_SMALL``."""
    meaning, remedy = _MEANINGS.get(reason, _UNREADABLE)
    return Refusal(reason or "no reason given", meaning, remedy)
