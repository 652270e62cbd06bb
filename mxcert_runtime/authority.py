"""Certificates of authorities out of PEM files and texts: every one counts, none may be damaged."""

from __future__ import annotations

from cryptography import x509

from .material.pem import load_certificates
from .material.source_file import read_file, refuse_size
from .secret import Secret
from .settings.model import Authority, AuthorityFile


def load_authority_certificates(authority: Authority) -> tuple[x509.Certificate, ...]:
    """Every certificate of the bundle, in its order; there is at least one.

    Raises :class:`~.errors.IdentityError`: ``UNREADABLE``, ``NO_CERTIFICATE``, or ``DAMAGED`` and
    ``UNSUPPORTED`` with the number of the certificate, counted from 1.
    """
    if isinstance(authority, AuthorityFile):
        return load_certificates(read_file(authority.path), repr(authority.path))
    content = Secret(authority.pem.encode("utf-8", "surrogatepass"))
    refuse_size(content, "the text of the authorities")
    return load_certificates(content, "the text of the authorities")
