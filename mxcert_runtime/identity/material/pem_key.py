"""Opens a private key in PEM: PKCS8 (RFC 5958) or traditional, encrypted or not.

Where that fails, the reason is looked for in what is not encrypted, and said only as far as it is
certain. Errors are raised outside of ``except`` blocks, since the frames of a foreign exception
hold the password.
"""

from __future__ import annotations

from collections.abc import Callable

from ...base import Secret, dataclass
from ...errors import IdentityError, IdentityProblem
from .ber import OCTETS, SEQUENCE, Element, MalformedError, at_least, read_algorithm, read_der
from .encryption import MissingCipherError, NotDecryptedError, Scheme, decrypt, read_scheme
from .key_derivation import MAX_ROUNDS_TRIED_AGAIN, Effort, TooMuchWorkError, UnknownAlgorithmError
from .mistaken_content import Wanted, mistaken, refuse_mangled
from .openssl_key import open_by_openssl
from .passwords import GIVE_PASSWORD, PasswordForm, forms_of
from .pem import PemBlock, split_blocks
from .private_key import TRADITIONAL_LABELS, KeyMaterial, checked_key, read_pkcs8, read_traditional
from .traditional_encryption import decrypt_traditional

_PLAIN, _ENCRYPTED = "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"
#: a key that only its TPM can read, as tpm2-openssl writes it
_IN_A_TPM = "TSS2 PRIVATE KEY"

#: what is opened whatever the build of OpenSSL, for what is said of the others
_ENCRYPTIONS = {
    "1.2.840.113549.1.5.13",  # PBES2
    "1.2.840.113549.1.5.12",  # PBKDF2
    "1.3.6.1.4.1.11591.4.11",  # scrypt
    *(f"1.2.840.113549.2.{number}" for number in (7, 8, 9, 10, 11)),  # HMAC-SHA-1 to SHA-512
    *(f"2.16.840.1.101.3.4.1.{number}" for number in (2, 22, 42)),  # AES-CBC
    "1.2.840.113549.3.7",  # DES-EDE3-CBC
    *(f"1.2.840.113549.1.12.1.{number}" for number in (3, 4, 5, 6)),  # PKCS12's own
    # DEK-Info of traditional keys
    "AES-128-CBC",
    "AES-192-CBC",
    "AES-256-CBC",
    "DES-EDE3-CBC",
}
_CONVERT = "Convert it: openssl pkey -in old.key -aes256 -out new.key"
_REPLACE = "Replace it by an undamaged copy"


@dataclass(frozen=True)
class _Protection:
    """What shows of a key without opening it; ``algorithms`` is empty where nothing can be read."""

    encrypted: bool
    algorithms: tuple[str, ...] = ()
    asked_too_much: TooMuchWorkError | None = None
    rounds: int = 0


def open_pem_key(content: Secret[bytes], password: Secret[str] | None, label: str) -> KeyMaterial:
    """The first private key of a PEM text; ``label`` is what errors call the text.

    A password for a key that is not encrypted does no harm. Raises
    :class:`~..errors.IdentityError`.
    """
    refuse_mangled(content, Wanted.KEY, label)
    blocks = [each for each in split_blocks(content) if each.label.endswith("PRIVATE KEY")]
    if not blocks:
        raise _no_key(content, label)
    return _open(blocks[0], password, f"the key in {label}")


def _open(block: PemBlock, password: Secret[str] | None, label: str) -> KeyMaterial:
    if block.label not in (_PLAIN, _ENCRYPTED, *TRADITIONAL_LABELS):
        message = f"{label} has the form {block.label!r}, which TLS does not use"
        remedy = "Convert it to PKCS8; an OpenSSH key by: ssh-keygen -p -m PKCS8 -f the.key"
        if block.label == _IN_A_TPM:
            remedy = "Reach the TPM by PKCS#11 (tpm2-pkcs11), and write the URI of the key"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    protection = _read_protection(block)
    if protection.asked_too_much:
        raise protection.asked_too_much.as_identity_error(label)
    if not protection.encrypted:
        key = None if block.der is None else _read(block.label, block.der)
    elif not password:
        message = f"{label} is encrypted, and no password is given"
        raise IdentityError(IdentityProblem.PASSWORD_MISSING, message, GIVE_PASSWORD)
    else:
        key = _open_encrypted(block, protection, forms_of(password, label))
    if key is None:
        raise _explain(block, protection, label)
    return checked_key(key, label)


def _no_key(content: Secret[bytes], label: str) -> IdentityError:
    error = mistaken(content, Wanted.KEY, label)
    if error is not None:
        return error
    message, remedy = f"{label} holds no PEM private key", "Name the file that holds the key"
    return IdentityError(IdentityProblem.NO_KEY, message, remedy)


def _read(label: str, der: Secret[bytes]) -> KeyMaterial | None:
    if label in TRADITIONAL_LABELS:
        return read_traditional(label, der)
    return read_pkcs8(der)


def _read_protection(block: PemBlock) -> _Protection:
    """PKCS8 names its algorithms inside, a traditional key in its headers (RFC 1421)."""
    if block.label == _PLAIN:
        return _Protection(encrypted=False)
    if block.label == _ENCRYPTED:
        return _read_pkcs8_protection(block)
    encryption = [x.partition(":")[2] for x in block.headers if x.startswith("DEK-Info:")]
    names = tuple(x.partition(",")[0].strip().upper() for x in encryption)
    return _Protection(any("ENCRYPTED" in x for x in block.headers), names)


def _read_pkcs8_protection(block: PemBlock) -> _Protection:
    try:
        algorithm = _parts(block)[0]
        names, number = read_algorithm(algorithm)
    except MalformedError:
        return _Protection(encrypted=True)
    effort = Effort()
    try:
        _judge(algorithm, number, effort)
    except TooMuchWorkError as error:
        return _Protection(True, names, error.with_traceback(None))
    return _Protection(encrypted=True, algorithms=names, asked_too_much=None, rounds=effort.rounds)


def _judge(algorithm: Element, number: int, effort: Effort) -> None:
    """Count the work; of a scheme that is not known here, the highest number in it."""
    try:
        read_scheme(algorithm, effort)
    except (UnknownAlgorithmError, MalformedError):
        effort.add(number)


def _parts(block: PemBlock) -> tuple[Element, bytes]:
    """The algorithm and the content of an EncryptedPrivateKeyInfo (RFC 5958, section 3)."""
    if block.der is None:
        raise MalformedError("no base64")
    algorithm, content = at_least(2, read_der(block.der).expect(SEQUENCE))[:2]
    return algorithm, content.expect(OCTETS).content


def _open_encrypted(
    block: PemBlock, protection: _Protection, forms: tuple[PasswordForm, ...]
) -> KeyMaterial | None:
    if block.der is None:
        return None
    decrypted = _decryption_of(block)
    for form in forms if protection.rounds <= MAX_ROUNDS_TRIED_AGAIN else forms[:1]:
        plain = decrypted(form)
        key = None if plain is None else _read(*plain)
        if key is not None:
            return key
    return None


def _decryption_of(
    block: PemBlock,
) -> Callable[[PasswordForm], tuple[str, Secret[bytes]] | None]:
    """What gives the label and the content of the key that is inside."""
    scheme = _scheme_of(block) if block.label == _ENCRYPTED else None

    def decrypted(form: PasswordForm) -> tuple[str, Secret[bytes]] | None:
        label, plain = block.label, None
        if scheme is not None:
            label, plain = _PLAIN, _decrypt_pkcs8(block, scheme, form)
        elif block.label != _ENCRYPTED:
            plain = decrypt_traditional(block, form)
        if plain is None and scheme is None:
            label, plain = _PLAIN, open_by_openssl(block.as_text(), form)
        return None if plain is None else (label, plain)

    return decrypted


def _scheme_of(block: PemBlock) -> Scheme | None:
    try:
        return read_scheme(_parts(block)[0], Effort())
    except (MalformedError, UnknownAlgorithmError):
        return None


def _decrypt_pkcs8(block: PemBlock, scheme: Scheme, form: PasswordForm) -> Secret[bytes] | None:
    try:
        return decrypt(scheme, form, _parts(block)[1])
    except (NotDecryptedError, MissingCipherError):
        return None


def _explain(block: PemBlock, protection: _Protection, label: str) -> IdentityError:
    names = protection.algorithms
    if not protection.encrypted or block.der is None or not names:
        return IdentityError(IdentityProblem.DAMAGED, f"{label} is damaged", _REPLACE)
    unusual = [name for name in names if name not in _ENCRYPTIONS]
    if unusual:
        message = f"{label} does not open; not every build decrypts its {', '.join(unusual)}"
        return IdentityError(IdentityProblem.UNSUPPORTED, message, _CONVERT)
    # Nothing authenticates an encrypted PEM key, so the two look the same.
    message = f"{label} does not open: the password is wrong or the file is damaged"
    remedy = "Correct the password, or replace the file by an undamaged copy"
    return IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, message, remedy)
