"""Certificates of authorities out of PEM files and texts: every one counts, none may be damaged.

They go to OpenSSL as they came; one that cryptography cannot read counts like any other, as long as
OpenSSL reads it.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from ..base import Secret, dataclass
from ..errors import IdentityError, IdentityProblem
from .sources import Authority, AuthorityFile

if TYPE_CHECKING:
    from .material.certificate import Certificate

# What reads them is imported late: most settings have none.


@dataclass(frozen=True)
class Authorities:
    """Certificates of authorities as PEM text; ``digest`` tells two sets apart."""

    pem: str = field(repr=False, compare=False)
    digest: str
    sources: tuple[str, ...] = ()


def load_authority_certificates(authority: Authority) -> tuple[Certificate, ...]:
    """Every certificate of the bundle, in its order; there is at least one.

    Raises :class:`~.errors.IdentityError`: ``UNREADABLE``, ``NO_CERTIFICATE``, or ``DAMAGED`` and
    ``UNSUPPORTED`` with the number of the certificate, counted from 1.
    """
    from .material.certificates import load_certificates
    from .material.source_file import read_file, refuse_size

    if isinstance(authority, AuthorityFile):
        content, label = read_file(authority.path), repr(authority.path)
    else:
        content = Secret(authority.pem.encode("utf-8", "surrogatepass"))
        label = "the text of the authorities"
        refuse_size(content, label)
    _refuse_trusted(content, label)
    return load_certificates(content, label)


def certificates_of(pem: str) -> tuple[Certificate, ...]:
    """The certificates of authorities that were loaded before."""
    from .material.certificates import load_certificates

    return load_certificates(Secret(pem.encode("ascii")), "the authorities")


def _refuse_trusted(content: Secret[bytes], label: str) -> None:
    """OpenSSL's own form says what a certificate is trusted for, which nothing here would obey."""
    from .material.certificates import TRUSTED_LABEL, certificate_blocks

    labels = [each.label for each in certificate_blocks(content)]
    if TRUSTED_LABEL in labels:
        number = labels.index(TRUSTED_LABEL) + 1
        message = f"certificate {number} of {label} is in OpenSSL's own TRUSTED CERTIFICATE form"
        remedy = "Convert it: openssl x509 -in old.pem -out new.pem"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
