"""Which certificate is a key's, and which are the path above it.

Certificates come in any order, and in files beside others that have nothing to do with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from datetime import datetime, timezone

from ...base import dataclass
from ...errors import IdentityError, IdentityProblem
from ..key import Key
from . import certificate_readers
from .certificate import Certificate
from .distinguished_name import comparable_name
from .key_identifiers import is_hash_of_key, issuers_key_identifier, own_key_identifier
from .private_key import KeyMaterial
from .public_key import RSA, RSASSA_PSS, Fit, compare_keys
from .refusal import RefusalsIgnored

#: Certificates beside one key that are looked at; an export of a whole platform's trust has 150.
_MOST_CERTIFICATES = 1000
#: Intermediates above one leaf; real chains have three.
_LONGEST_CHAIN = 16


@dataclass(frozen=True)
class Pair:
    """A key with its leaf and the chain above it."""

    key: Key = field(repr=False)
    leaf: Certificate
    chain: tuple[Certificate, ...]
    #: what stands there for the root above the chain, which is not presented
    root: Certificate | None = None

    @property
    def is_plain(self) -> bool:
        """Whether cryptography has read all of it, so that OpenSSL need not be asked."""
        if not isinstance(self.key, KeyMaterial) or self.key.algorithm in (RSA, RSASSA_PSS):
            # Of an RSA key cryptography proves the primes: 40 ms at 2048 bits, of which OpenSSL
            # needs one to say what counts, whether it takes the key.
            return False
        if not certificate_readers.is_at_hand():
            return False
        own = self.key.public_key()
        if self.key.parsed is None or own is None or own.der != self.leaf.public_key.der:
            return False
        return all(each.is_plain for each in (self.leaf, *self.chain))


def pair_up(
    keys: Sequence[Key], certificates: Sequence[Certificate], labels: Sequence[str]
) -> tuple[Pair, ...]:
    """A pair for each key that has a certificate; ``labels`` are what errors call the files.

    Raises :class:`~..errors.IdentityError` where no key has one.
    """
    if len(certificates) > _MOST_CERTIFICATES:
        message = f"{labels[0]} holds {len(certificates)} certificates beside its key"
        remedy = "Leave in it the leaf and the intermediates above it"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    leaves = {key: leaf for key in keys if (leaf := _find_leaf(key, certificates))}
    if not leaves:
        raise _explain_mismatch(keys[0], certificates, labels)
    pairs = {each.leaf: each for each in _pairs(leaves, certificates)}
    return tuple(pairs.values())


def _pairs(leaves: dict[Key, Certificate], certificates: Sequence[Certificate]) -> Iterator[Pair]:
    for key, leaf in leaves.items():
        chain = _order_chain(leaf, certificates)
        yield Pair(key, leaf, chain, _root_above((leaf, *chain)[-1], certificates))


def _find_leaf(key: Key, certificates: Iterable[Certificate]) -> Certificate | None:
    return next((each for each in certificates if _fit(key, each) is Fit.FITS), None)


def _fit(key: Key, certificate: Certificate) -> Fit:
    """Whether the certificate was issued for this key."""
    own = key.public_key()
    if own is not None:
        with RefusalsIgnored():
            return compare_keys(own, certificate.public_key)
    return Fit.NONE  # one of the two is of a kind that cannot be read


def _explain_mismatch(
    key: Key, certificates: Sequence[Certificate], labels: Sequence[str]
) -> IdentityError:
    if not certificates:
        message = f"{labels[0]} holds a private key and no certificate"
        remedy = "Export the key together with its certificate"
        return IdentityError(IdentityProblem.NO_CERTIFICATE, message, remedy)
    other = next((each for each in certificates if _fit(key, each) is Fit.OTHER_KIND), None)
    if other is not None:
        message = (
            f"the key in {labels[-1]} has the numbers of the certificate `{other.subject}`, which"
            f" is for the kind {other.public_key.kind}: the key has lost its kind on the way"
        )
        remedy = "Export it again with a tool that keeps it, such as openssl pkcs12"
        return IdentityError(IdentityProblem.KEY_MISMATCH, message, remedy)
    if key.public_key() is None:
        message = f"the key in {labels[-1]} is damaged or has parameters that cannot be read"
        remedy = "Replace it by an undamaged copy"
        return IdentityError(IdentityProblem.DAMAGED, message, remedy)
    subjects = ", ".join(each.subject for each in certificates[:3])
    subjects += ", ..." * (len(certificates) > 3)
    whose = "its certificates" if len(labels) == 1 else f"the certificates of {labels[0]}"
    message = f"the key in {labels[-1]} fits none of {whose} ({subjects})"
    remedy = "Bring together the certificate and the key that it was issued for"
    return IdentityError(IdentityProblem.KEY_MISMATCH, message, remedy)


def _order_chain(leaf: Certificate, certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """The path from the leaf upwards, as far as the certificates go, without a root."""
    left = dict.fromkeys(each for each in certificates if each != leaf and not is_root(each))
    path = [leaf]
    while len(path) <= _LONGEST_CHAIN:
        issuers = [each for each in left if has_issued(each, path[-1])]
        if not issuers:
            break
        # Of a certificate and its renewal the later one serves longer; both have the same key.
        path.append(max(issuers, key=_end_of_validity))
        del left[path[-1]]
    return tuple(path[1:])


def _root_above(last: Certificate, certificates: Iterable[Certificate]) -> Certificate | None:
    """By its name: whoever needs to know whether it has issued the last one can verify it.

    Of several with that name, as where a root was renewed with another key, the one that has.
    """
    with RefusalsIgnored():
        named = [x for x in certificates if x.subject_der == x.issuer_der == last.issuer_der]
        return next((x for x in named if len(named) == 1 or has_issued(x, last)), None)
    return None  # names that cannot be read


def is_root(certificate: Certificate) -> bool:
    """Whether a certificate is signed with its own key."""
    return has_issued(certificate, certificate)


def has_issued(issuer: Certificate, certificate: Certificate) -> bool:
    """Whether the names fit and the signature is the issuer's, as far as it can be verified."""
    with RefusalsIgnored():
        names = comparable_name(certificate.issuer_der), comparable_name(issuer.subject_der)
        return names[0] == names[1] and _signature_fits(issuer, certificate)
    return False  # names that cannot be read


def _signature_fits(issuer: Certificate, certificate: Certificate) -> bool:
    if not certificate_readers.is_at_hand() and _key_identifiers_fit(issuer, certificate):
        return True  # the server verifies it
    if issuer.parsed is None or certificate.parsed is None:
        return True  # the server verifies it
    from cryptography.exceptions import InvalidSignature

    with RefusalsIgnored():
        try:
            certificate.parsed.verify_directly_issued_by(issuer.parsed)
        except InvalidSignature:
            return False
    return True  # also where the algorithm is not supported here


def _key_identifiers_fit(issuer: Certificate, certificate: Certificate) -> bool:
    """Whether both say that they are of one key; what does not has to be verified."""
    own, named = own_key_identifier(issuer), issuers_key_identifier(certificate)
    return own is not None and own == named and is_hash_of_key(own, issuer)


def _end_of_validity(certificate: Certificate) -> datetime:
    if certificate.validity is None:  # a date that cannot be read
        return datetime.min.replace(tzinfo=timezone.utc)
    return certificate.validity[1]
