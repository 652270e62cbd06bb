"""The numbers by which a certificate names its own key and that of its issuer.

RFC 5280, sections 4.2.1.1 and 4.2.1.2. An authority chooses them, nearly always as a hash of the
key; they tell certificates of one name apart, and prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

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


def tell_keys_apart(certificates: Iterable[Certificate]) -> bool:
    """Whether none of these numbers stands for two keys, as where a CA gives each renewal its own.

    Some give a renewal with another key the number of the one before.
    """
    keys: dict[bytes, bytes] = {}
    for each in certificates:
        number = own_key_identifier(each)
        if number is not None and keys.setdefault(number, each.key_der) != each.key_der:
            return False
    return True
