"""Keys out of passwords, and how much work a file may ask for before one is derived.

A file says itself how often its derivation goes round, and may ask for years. Every count is
therefore added to an :class:`Effort` first, which refuses what is too much at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from ...base import Secret, dataclass
from ...errors import IdentityError, IdentityProblem
from .ber import INTEGER, OCTETS, SEQUENCE, Element, MalformedError, at_least, split_algorithm
from .passwords import PasswordForm

#: Far above what anyone uses (600,000 to some millions), and some seconds of work.
MAX_ROUNDS = 10_000_000
#: Beyond it, only the likeliest reading of a password is tried.
MAX_ROUNDS_TRIED_AGAIN = 1_000_000
#: Bytes that scrypt may use, as OpenSSL has it (EVP_PBE_scrypt(3), SCRYPT_MAX_MEM).
_MAX_SCRYPT_MEMORY = 32 * 1024 * 1024
_MAX_SALT = 1024

PBKDF2, _SCRYPT = "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
HMAC_SHA_256 = "1.2.840.113549.2.9"
#: HMACs of PBKDF2 (RFC 8018, appendix B.1), by the names of hashlib
HMACS = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    HMAC_SHA_256: "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}


class TooMuchWorkError(ValueError):
    """A file asks for more rounds, or more memory, than anyone needs."""

    def __init__(self, asked: str) -> None:
        self.asked = asked
        super().__init__(asked)

    def as_identity_error(self, label: str) -> IdentityError:
        """The error for whoever wrote the settings."""
        message = f"{label} asks for {self.asked}"
        remedy = "Export it with fewer rounds"
        return IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)


class UnknownAlgorithmError(ValueError):
    """An algorithm that is not known here, by its object identifier."""

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        super().__init__(identifier)


class Effort:
    """The work that one file asks for, all its parts together."""

    def __init__(self) -> None:
        self.rounds = 0

    def add(self, rounds: int) -> None:
        """Count rounds before they are gone; raises :class:`TooMuchWorkError`."""
        self.rounds += max(rounds, 1)
        if self.rounds > MAX_ROUNDS:
            asked = f"{self.rounds} rounds of key derivation, more than {MAX_ROUNDS}"
            raise TooMuchWorkError(asked)


class Ahead:
    """A key that was derived before anybody asked for it."""

    def __init__(self) -> None:
        self._kept: tuple[PasswordForm, int, Secret[bytes]] | None = None

    def put(self, password: PasswordForm, length: int, key: Secret[bytes]) -> None:
        """Keep the key of a password for the first who takes it."""
        self._kept = password, length, key

    def take(self, password: PasswordForm, length: int) -> Secret[bytes] | None:
        """The key, which is kept no more; ``None`` where there is none of this password."""
        kept, self._kept = self._kept, None
        return kept[2] if kept and kept[0] is password and kept[1] == length else None


def import_what_is_late() -> None:
    """Derive with the least effort, since the first derivation imports what there is to import."""
    PBKDF2HMAC(hashes.SHA256(), 16, bytes(8), 1).derive(b"")


@dataclass(frozen=True)
class Pbkdf2:
    """RFC 8018, section 5.2."""

    hash_name: str
    salt: bytes
    rounds: int
    #: bytes, where it is said
    length: int | None
    ahead: Ahead = field(default_factory=Ahead, compare=False, repr=False)

    def derive(self, password: PasswordForm, length: int) -> Secret[bytes]:
        return self.ahead.take(password, length) or self._derive(password, length)

    def _derive(self, password: PasswordForm, length: int) -> Secret[bytes]:
        # The OpenSSL that cryptography brings is often faster than the one of hashlib.
        algorithm = getattr(hashes, self.hash_name.upper())()
        derivation = PBKDF2HMAC(algorithm, length, self.salt, self.rounds)
        return Secret(derivation.derive(password.octets.reveal()))

    def derive_ahead(self, password: PasswordForm, length: int) -> None:
        """Derive a key for the first who asks for it, in a thread of its own maybe."""
        self.ahead.put(password, length, self._derive(password, length))


@dataclass(frozen=True)
class Scrypt:
    """RFC 7914."""

    salt: bytes
    cost: int
    block_size: int
    parallel: int
    ahead: Ahead = field(default_factory=Ahead, compare=False, repr=False)

    @property
    def rounds(self) -> int:
        """Its work in rounds: one is about two of Salsa20/8's mixes of 128 bytes."""
        return self.cost * self.block_size * self.parallel

    def derive(self, password: PasswordForm, length: int) -> Secret[bytes]:
        return self.ahead.take(password, length) or self._derive(password, length)

    def derive_ahead(self, password: PasswordForm, length: int) -> None:
        """Derive a key for the first who asks for it, in a thread of its own maybe."""
        self.ahead.put(password, length, self._derive(password, length))

    def _derive(self, password: PasswordForm, length: int) -> Secret[bytes]:
        return Secret(
            hashlib.scrypt(
                password.octets.reveal(),
                salt=self.salt,
                n=self.cost,
                r=self.block_size,
                p=self.parallel,
                maxmem=2 * _MAX_SCRYPT_MEMORY,
                dklen=length,
            )
        )


def read_derivation(algorithm: Element, effort: Effort) -> Pbkdf2 | Scrypt:
    """The derivation that an AlgorithmIdentifier describes, its work counted.

    Raises :class:`MalformedError`, :class:`UnknownAlgorithmError`, :class:`TooMuchWorkError`.
    """
    name, parameters = split_algorithm(algorithm)
    if name == PBKDF2:
        derivation: Pbkdf2 | Scrypt = _read_pbkdf2(parameters)
    elif name == _SCRYPT:
        derivation = _read_scrypt(parameters)
    else:
        raise UnknownAlgorithmError(name)
    effort.add(derivation.rounds)
    return derivation


def _read_pbkdf2(parameters: Element) -> Pbkdf2:
    salt, rounds, *rest = at_least(2, parameters.expect(SEQUENCE))
    lengths = [positive(each) for each in rest if each.tag == INTEGER]
    hash_name = "sha1"
    for each in (each for each in rest if each.tag == SEQUENCE):
        name, _ = split_algorithm(each)
        if name not in HMACS:
            raise UnknownAlgorithmError(name)
        hash_name = HMACS[name]
    return Pbkdf2(
        hash_name=hash_name,
        salt=read_salt(salt),
        rounds=positive(rounds),
        length=lengths[0] if lengths else None,
    )


def _read_scrypt(parameters: Element) -> Scrypt:
    salt, cost, block_size, parallel = at_least(4, parameters.expect(SEQUENCE))[:4]
    found = Scrypt(
        salt=read_salt(salt),
        cost=positive(cost),
        block_size=positive(block_size),
        parallel=positive(parallel),
    )
    memory = 128 * found.block_size * (found.cost + found.parallel)
    if memory > _MAX_SCRYPT_MEMORY + 128 * 1024:
        raise TooMuchWorkError(f"{memory} bytes of memory for scrypt, more than OpenSSL allows")
    if found.cost < 2 or found.cost & found.cost - 1:
        raise MalformedError("a cost of scrypt that is no power of two")
    return found


def read_salt(element: Element) -> bytes:
    """A salt of a length that somebody may use."""
    salt = element.expect(OCTETS).content
    if len(salt) > _MAX_SALT:
        raise MalformedError("a salt beyond all measure")
    return salt


def positive(element: Element) -> int:
    """An integer above zero."""
    value = element.as_integer()
    if value < 1:
        raise MalformedError("a count below one")
    return value
