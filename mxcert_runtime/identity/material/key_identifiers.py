"""The numbers by which a certificate names its own key and that of its issuer.

RFC 5280, sections 4.2.1.1 and 4.2.1.2. An authority chooses them, nearly always as a hash of the
key; then they tell certificates of one name apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ...base import Secret
from .ber import OCTETS, SEQUENCE, MalformedError, at_least, read_der
from .certificate import Certificate

_SUBJECT_KEY_IDENTIFIER, _AUTHORITY_KEY_IDENTIFIER = "2.5.29.14", "2.5.29.35"
#: the context tag of the number itself, beside which there may be name and serial of the issuer
_KEY_IDENTIFIER = 0x80


def own_key_identifier(certificate: Certificate) -> bytes | None:
    """That of its own key; ``None`` where there is none that can be read."""
    try:
        extension = certificate.extension(_SUBJECT_KEY_IDENTIFIER)
        if extension is None:
            return None
        return read_der(Secret(extension)).expect(OCTETS).content or None
    except MalformedError:
        return None


def issuers_key_identifier(certificate: Certificate) -> bytes | None:
    """That of the key which has signed it; ``None`` where there is none that can be read."""
    try:
        extension = certificate.extension(_AUTHORITY_KEY_IDENTIFIER)
        if extension is None:
            return None
        first = at_least(1, read_der(Secret(extension)).expect(SEQUENCE))[0]
        return first.content or None if first.tag == _KEY_IDENTIFIER else None
    except MalformedError:
        return None


def is_hash_of_key(number: bytes, certificate: Certificate) -> bool:
    """Whether it is a hash of the certified key, and so of no other (section 4.2.1.2; RFC 7093).

    Some CAs count their keys, or give a renewal with another key the number of the one before.
    """
    try:
        key = certificate.public_key
        return any(number in (x, x[:20]) for of in (key.content, key.der) for x in _hashes(of))
    except ValueError:  # a key that cannot be read, or a Python by the rules of FIPS 140
        return False


def _hashes(content: bytes) -> Iterator[bytes]:
    yield hashlib.sha1(content, usedforsecurity=False).digest()
    yield hashlib.sha256(content).digest()
