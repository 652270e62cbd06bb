"""Every certificate that a generation rests on, with its end: leaves, their chains and the CAs.

A chain or a CA that expires breaks every connection as surely as a leaf does, and nobody renews it
by habit.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from datetime import datetime

from ..base import dataclass
from ..decisions import Generation
from ..identity import Authorities, Certificate, Identity, certificates_of

#: what a certificate is for
LEAF, CHAIN, AUTHORITY = "leaf", "chain", "ca"

#: CA bundles whose certificates are remembered; each takes some milliseconds to parse.
_BUNDLES_LIMIT = 64


@dataclass(frozen=True)
class Expiring:
    """One certificate; ``identity`` is ``None`` for CAs that are no identity's own."""

    identity: str | None
    kind: str
    #: RFC 4514 text
    subject: str
    #: SHA-256, lower case hexadecimal
    fingerprint: str
    #: aware, UTC
    not_before: datetime
    #: aware, UTC
    not_after: datetime


def expiring_certificates(generation: Generation) -> Iterator[Expiring]:
    """The certificates of a generation: of each identity, then those that verify servers.

    One whose dates cannot be read is left out.
    """
    for identity in generation.identities:
        yield from _of_identity(identity)
    yield from _of_authorities(generation.extra_authorities, None)
    for name, authorities in _pinned(generation).items():
        yield from _of_authorities(authorities, name)


def _of_identity(identity: Identity) -> Iterator[Expiring]:
    for number, certificate in enumerate(identity.certificates):
        yield from _expiring(certificate, identity.name, CHAIN if number else LEAF)


def _pinned(generation: Generation) -> dict[str, Authorities]:
    """The CAs that alone verify the servers of an identity, by its name."""
    policy = generation.policy
    rules = [*policy.hosts.values(), *policy.services.values()]
    return {
        each.identity.name: each.authorities for each in rules if each.identity and each.authorities
    }


def _of_authorities(authorities: Authorities | None, identity: str | None) -> Iterator[Expiring]:
    for certificate in _parsed(authorities.pem) if authorities else ():
        yield from _expiring(certificate, identity, AUTHORITY)


@functools.lru_cache(maxsize=_BUNDLES_LIMIT)
def _parsed(pem: str) -> tuple[Certificate, ...]:
    return certificates_of(pem)


def _expiring(certificate: Certificate, identity: str | None, kind: str) -> Iterator[Expiring]:
    if certificate.validity is not None:
        fingerprint = hashlib.sha256(certificate.der).hexdigest()
        begin, end = certificate.validity
        yield Expiring(
            identity=identity,
            kind=kind,
            subject=certificate.subject,
            fingerprint=fingerprint,
            not_before=begin,
            not_after=end,
        )
