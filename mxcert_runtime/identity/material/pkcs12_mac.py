"""The MAC of a PKCS12 file, which proves its password and its content at once."""

from __future__ import annotations

import hashlib
import hmac

from ...base import Secret, dataclass
from .ber import OCTETS, SEQUENCE, Element, MalformedError, at_least, split_algorithm
from .key_derivation import (
    HMACS,
    Effort,
    Pbkdf2,
    UnknownAlgorithmError,
    positive,
    read_derivation,
    read_salt,
)
from .passwords import PasswordForm
from .pkcs12_derivation import derive_pkcs12

#: RFC 9579
PBMAC1 = "1.2.840.113549.1.5.14"
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


@dataclass(frozen=True)
class Mac:
    """The MacData of a file; ``hash_name`` is ``None`` where its algorithm is not known here."""

    algorithm: str
    hash_name: str | None
    digest: bytes
    salt: bytes
    rounds: int
    #: of PBMAC1
    derivation: Pbkdf2 | None = None

    def fits(self, authenticated: Secret[bytes], password: PasswordForm) -> bool | None:
        """Whether it was made with this password over this content; ``None``: cannot be told."""
        if self.hash_name is None:
            return None
        key = self._key(self.hash_name, password)
        digest = hmac.new(key.reveal(), authenticated.reveal(), self.hash_name).digest()
        return hmac.compare_digest(digest, self.digest)

    def _key(self, hash_name: str, password: PasswordForm) -> Secret[bytes]:
        length = hashlib.new(hash_name).digest_size
        if self.derivation is not None:
            return self.derivation.derive(password, self.derivation.length or length)
        return derive_pkcs12(hash_name, 3, password.utf_16, self.salt, self.rounds, length)


def read_mac(element: Element, effort: Effort) -> Mac:
    """Raises :class:`MalformedError` and :class:`~.key_derivation.TooMuchWorkError`."""
    digest_info, salt, *rounds = at_least(2, element.expect(SEQUENCE))
    algorithm, digest = at_least(2, digest_info.expect(SEQUENCE))[:2]
    name, parameters = split_algorithm(algorithm)
    octets = digest.expect(OCTETS).content, read_salt(salt)
    if name == PBMAC1:
        return _read_pbmac1(parameters, octets, effort)
    count = positive(rounds[0]) if rounds else 1
    effort.add(count)
    return Mac(name, _HASHES.get(name), *octets, count)


def _read_pbmac1(parameters: Element, octets: tuple[bytes, bytes], effort: Effort) -> Mac:
    derivation, scheme = at_least(2, parameters.expect(SEQUENCE))[:2]
    hash_name = HMACS.get(split_algorithm(scheme)[0])
    try:
        derived = read_derivation(derivation, effort)
    except UnknownAlgorithmError:
        return Mac(PBMAC1, None, *octets, 1)
    if not isinstance(derived, Pbkdf2) or (derived.length or 0) > 64:
        raise MalformedError("a derivation that PBMAC1 has not")
    return Mac(PBMAC1, hash_name, *octets, 1, derived)
