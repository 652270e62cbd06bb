"""Opens a private key in PEM: PKCS8 (RFC 5958) or traditional, encrypted or not.

Where that fails, the reason is looked for in what is not encrypted, and said only as far as it is
certain. Errors are raised outside of ``except`` blocks, since the frames of a foreign exception
hold the password.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ..errors import IdentityError, IdentityProblem
from ..secret import Secret
from .ber import SEQUENCE, MalformedError, at_least, read_algorithm, read_der
from .pem import PemBlock, split_blocks
from .private_key import PrivateKey, checked_key, encode_password, refuse_rounds
from .refusal import RefusalsIgnored

_LABELS = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")
_PLAIN, _ENCRYPTED = _LABELS[:2]

#: what every release of cryptography since 41 decrypts
_ENCRYPTIONS = {
    "1.2.840.113549.1.5.13",  # PBES2
    "1.2.840.113549.1.5.12",  # PBKDF2
    "1.3.6.1.4.1.11591.4.11",  # scrypt
    *(f"1.2.840.113549.2.{number}" for number in (7, 8, 9, 10, 11)),  # HMAC-SHA-1 to SHA-512
    *(f"2.16.840.1.101.3.4.1.{number}" for number in (2, 22, 42)),  # AES-CBC
    "1.2.840.113549.3.7",  # DES-EDE3-CBC
    "1.2.840.113549.1.12.1.3",  # PBE-SHA1-3DES
    # DEK-Info of traditional keys
    "AES-128-CBC",
    "AES-256-CBC",
    "DES-EDE3-CBC",
}
_KEY_ALGORITHMS = {
    "1.2.840.113549.1.1.1",  # RSA
    "1.2.840.10045.2.1",  # EC
    "1.3.101.112",  # Ed25519
    "1.3.101.113",  # Ed448
}
_CONVERT = "Convert it: openssl pkey -in old.key -aes256 -out new.key"
_REPLACE = "Replace it by an undamaged copy"


@dataclass(frozen=True)
class _Protection:
    """What shows of a key without opening it; ``algorithms`` is empty where nothing can be read."""

    encrypted: bool
    algorithms: tuple[str, ...] = ()
    rounds: int = 0


def open_pem_key(content: Secret[bytes], password: Secret[str] | None, label: str) -> PrivateKey:
    """The first private key of a PEM text; ``label`` is what errors call the text.

    A password for a key that is not encrypted does no harm. Raises
    :class:`~..errors.IdentityError`.
    """
    blocks = [each for each in split_blocks(content) if each.label.endswith("PRIVATE KEY")]
    if not blocks:
        message = f"{label} holds no PEM private key"
        raise IdentityError(IdentityProblem.NO_KEY, message, "Name the file that holds the key")
    return _open(blocks[0], password, f"the key in {label}")


def _open(block: PemBlock, password: Secret[str] | None, label: str) -> PrivateKey:
    if block.label not in _LABELS:
        message = f"{label} has the form {block.label!r}, which TLS does not use"
        remedy = "Convert it to PKCS8; an OpenSSH key by: ssh-keygen -p -m PKCS8 -f the.key"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    protection = _read_protection(block)
    if protection.encrypted and not password:
        message = f"{label} is encrypted, and no password is given"
        remedy = "Give its password in the settings"
        raise IdentityError(IdentityProblem.PASSWORD_MISSING, message, remedy)
    refuse_rounds(protection.rounds, label)
    key = _load(block, encode_password(password, label) if protection.encrypted else None)
    if key is UnsupportedAlgorithm:
        message = f"{label} uses an algorithm that cryptography does not have"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, _CONVERT)
    if key is None:
        raise _explain(block, protection, label)
    return checked_key(key, label)


def _load(block: PemBlock, password: Secret[bytes] | None) -> object:
    """The key; ``None`` or ``UnsupportedAlgorithm`` itself where there is none."""
    if block.der is None:
        return None
    with RefusalsIgnored():
        try:
            return load_pem_private_key(
                block.as_text().reveal(), password.reveal() if password else None
            )
        except UnsupportedAlgorithm:
            return UnsupportedAlgorithm
    return None


def _read_protection(block: PemBlock) -> _Protection:
    """PKCS8 names its algorithms inside, a traditional key in its headers (RFC 1421)."""
    if block.label == _PLAIN:
        return _Protection(False, _read_pkcs8(block)[0])
    if block.label == _ENCRYPTED:
        return _Protection(True, *_read_pkcs8(block))
    encryption = [x.partition(":")[2] for x in block.headers if x.startswith("DEK-Info:")]
    names = tuple(x.partition(",")[0].strip().upper() for x in encryption)
    return _Protection(any("ENCRYPTED" in x for x in block.headers), names)


def _read_pkcs8(block: PemBlock) -> tuple[tuple[str, ...], int]:
    if block.der is None:
        return (), 0
    try:
        parts = at_least(2, read_der(block.der).expect(SEQUENCE))
        # An encrypted key begins with its algorithm, a plain one with its version.
        return read_algorithm(parts[0 if block.label == _ENCRYPTED else 1])
    except MalformedError:
        return (), 0


def _explain(block: PemBlock, protection: _Protection, label: str) -> IdentityError:
    names = protection.algorithms
    if protection.encrypted:
        return _explain_encrypted(block, names, label)
    if names and names[0] not in _KEY_ALGORITHMS:
        message = f"{label} is a key for the algorithm {names[0]}"
        remedy = "Use an RSA, EC, Ed25519 or Ed448 key"
        return IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    message = f"{label} is damaged or has parameters that cryptography does not read"
    return IdentityError(IdentityProblem.DAMAGED, message, _REPLACE)


def _explain_encrypted(block: PemBlock, names: tuple[str, ...], label: str) -> IdentityError:
    if block.der is None or not names:
        return IdentityError(IdentityProblem.DAMAGED, f"{label} is damaged", _REPLACE)
    unusual = [name for name in names if name not in _ENCRYPTIONS]
    if unusual:
        message = f"{label} does not open; not every build decrypts its {', '.join(unusual)}"
        return IdentityError(IdentityProblem.UNSUPPORTED, message, _CONVERT)
    # Nothing authenticates an encrypted PEM key, so the two look the same.
    message = f"{label} does not open: the password is wrong or the file is damaged"
    remedy = "Correct the password, or replace the file by an undamaged copy"
    return IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, message, remedy)
