"""What a SPIFFE agent gives a workload at one moment, as values that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from ...base import Secret, dataclass


@dataclass(frozen=True)
class Svid:
    """An X509-SVID; two are the same where their certificates are, since no key is used twice."""

    spiffe_id: str
    trust_domain: str
    #: PEM
    key: Secret[bytes] = field(repr=False, compare=False)
    #: PEM, the leaf first
    certificates: bytes = field(repr=False)


@dataclass(frozen=True)
class Update:
    """The SVIDs, of which the first is the default one, and the CAs of each trust domain as PEM."""

    svids: tuple[Svid, ...]
    bundles: Mapping[str, bytes] = field(repr=False)
