"""The numbers by which a certificate names its own key and that of its issuer.

RFC 5280, sections 4.2.1.1 and 4.2.1.2. An authority chooses them, nearly always as a hash of the
key; then they tell certificates of one name apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from ...base import Secret
from .ber import OCTETS, SEQUENCE, Element, MalformedError, at_least, read_der
from .certificate import Certificate

_SUBJECT_KEY_IDENTIFIER, _AUTHORITY_KEY_IDENTIFIER = "2.5.29.14", "2.5.29.35"
#: the context tag of the number itself, beside which there may be name and serial of the issuer
_KEY_IDENTIFIER = 0x80


def own_key_identifier(certificate: Certificate) -> bytes | None:
    """That of its own key; ``None`` where there is none that can be read."""
    return _identifier_in(certificate, _SUBJECT_KEY_IDENTIFIER, _content)


def issuers_key_identifier(certificate: Certificate) -> bytes | None:
    """That of the key which has signed it; ``None`` where there is none that can be read."""
    return _identifier_in(certificate, _AUTHORITY_KEY_IDENTIFIER, _content_of_first)


def _identifier_in(
    certificate: Certificate, extension: str, content_of: Callable[[Element], bytes]
) -> bytes | None:
    try:
        found = certificate.extension(extension)
        return None if found is None else content_of(read_der(Secret(found))) or None
    except MalformedError:
        return None


def _content(number: Element) -> bytes:
    return number.expect(OCTETS).content


def _content_of_first(numbers: Element) -> bytes:
    return at_least(1, numbers.expect(SEQUENCE))[0].expect(_KEY_IDENTIFIER).content


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
