"""Certificates out of PEM text, each as it came.

One that cannot be read is an error that says which one it is: a certificate must never go missing
in silence.
"""

from __future__ import annotations

from ...base import Secret
from ...errors import IdentityError, IdentityProblem
from . import certificate_readers
from .ber import MalformedError, read_element
from .certificate import Certificate
from .mistaken_content import Wanted, mistaken, refuse_mangled
from .pem import PemBlock, split_blocks

_LABELS = ("CERTIFICATE", "X509 CERTIFICATE")
#: OpenSSL's own: a certificate with what it is trusted for behind it
TRUSTED_LABEL = "TRUSTED CERTIFICATE"


def certificate_blocks(content: Secret[bytes]) -> tuple[PemBlock, ...]:
    """The blocks of a PEM text that are certificates, whether they can be read or not."""
    return tuple(each for each in split_blocks(content) if each.label.endswith("CERTIFICATE"))


def load_certificates(content: Secret[bytes], label: str) -> tuple[Certificate, ...]:
    """Every certificate of a PEM text in its order; ``label`` is what errors call the text.

    Raises :class:`IdentityError`: ``NO_CERTIFICATE`` where there is none, or ``DAMAGED`` with the
    number of the certificate, counted from 1.
    """
    refuse_mangled(content, Wanted.CERTIFICATES, label)
    blocks = certificate_blocks(content)
    if not blocks:
        raise _no_certificate(content, label)
    certificate_readers.expect(len(blocks))
    return tuple(_load(block, number, label) for number, block in enumerate(blocks, 1))


def _load(block: PemBlock, number: int, label: str) -> Certificate:
    certificate = _parse(block)
    if certificate is None:
        message = f"certificate {number} of {label} is damaged"
        remedy = "Replace it, from its BEGIN line to its END line"
        raise IdentityError(IdentityProblem.DAMAGED, message, remedy)
    return certificate


def _parse(block: PemBlock) -> Certificate | None:
    if block.der is None or block.label not in (*_LABELS, TRUSTED_LABEL):
        return None
    try:
        der = block.der.reveal()
        end = read_element(der, 0)[1] if block.label == TRUSTED_LABEL else len(der)
        return Certificate(der[:end])
    except MalformedError:
        return None


def _no_certificate(content: Secret[bytes], label: str) -> IdentityError:
    error = mistaken(content, Wanted.CERTIFICATES, label)
    if error is not None:
        return error
    message, remedy = f"{label} holds no PEM certificate", "Name a file that holds one"
    if content.reveal()[:1] == b"\x30":
        message += "; it is binary, and damaged or nothing that is known"
    return IdentityError(IdentityProblem.NO_CERTIFICATE, message, remedy)
