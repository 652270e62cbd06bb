"""PEM text (RFC 7468) into blocks and certificates; whatever stands between blocks is a comment.

Comments may be in any encoding, so the text stays bytes. A block that cannot be read is an error
that says which one it is: a certificate must never go missing in silence.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from cryptography import x509

from ..errors import IdentityError, IdentityProblem
from ..secret import Secret
from .refusal import RefusalsIgnored

# OpenSSL wants a block to begin its line, which is how one is commented out. PEM text that went
# through a variable may have lost its line ends, so a block may also follow an end.
_BEGIN = re.compile(
    rb"(?:^(?:\xef\xbb\xbf)?|(?<=-----))[ \t]*-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE
)
_LINE = re.compile(rb"(.{1,64})")
_CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE")
_TRUSTED_LABEL = "TRUSTED CERTIFICATE"


@dataclass(frozen=True)
class PemBlock:
    """One block: its label, the headers of RFC 1421 and its content, ``None`` when damaged."""

    label: str
    headers: tuple[str, ...]
    der: Secret[bytes] | None = field(repr=False)

    def as_text(self) -> Secret[bytes]:
        """The block alone as PEM in the usual layout; a damaged one comes out empty."""
        head = "".join(f"{header}\n" for header in self.headers) + "\n" * bool(self.headers)
        begin = f"-----BEGIN {self.label}-----\n{head}".encode("latin-1")
        end = f"-----END {self.label}-----\n".encode("ascii")
        return Secret(begin + _wrap(self.der or Secret(b"")).reveal() + end)


def _wrap(der: Secret[bytes]) -> Secret[bytes]:
    # 64 characters, as RFC 7468 has it; OpenSSL takes no other length below headers.
    return Secret(_LINE.sub(rb"\1\n", base64.b64encode(der.reveal())))


def split_blocks(content: Secret[bytes]) -> tuple[PemBlock, ...]:
    """The blocks of a PEM text in their order."""
    begins = list(_BEGIN.finditer(content.reveal()))
    ends = [*(begin.start() for begin in begins[1:]), len(content.reveal())]
    return tuple(
        _parse_block(begin.group(1).decode("ascii"), Secret(content.reveal()[begin.end() : end]))
        for begin, end in zip(begins, ends)
    )


def _parse_block(label: str, rest: Secret[bytes]) -> PemBlock:
    end = rest.reveal().find(f"-----END {label}-----".encode("ascii"))
    if end < 0:
        return PemBlock(label, (), None)
    body = Secret(rest.reveal()[:end])
    headers = tuple(
        line.strip().decode("latin-1") for line in body.reveal().splitlines() if b":" in line
    )
    return PemBlock(label, headers, _decode(body))


def _decode(body: Secret[bytes]) -> Secret[bytes] | None:
    """The content of a body; its lines with a colon are headers."""
    try:
        lines = Secret(b"".join(x for x in body.reveal().splitlines() if b":" not in x))
        return Secret(base64.b64decode(b"".join(lines.reveal().split()), validate=True))
    except binascii.Error:
        return None


def load_certificates(content: Secret[bytes], label: str) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM text in its order; ``label`` is what errors call the text.

    Raises :class:`IdentityError`: ``NO_CERTIFICATE`` where there is none, ``DAMAGED`` or
    ``UNSUPPORTED`` with the number of the certificate, counted from 1.
    """
    blocks = [each for each in split_blocks(content) if each.label.endswith("CERTIFICATE")]
    if not blocks:
        raise _no_certificate(content, label)
    return tuple(_load(block, number, label) for number, block in enumerate(blocks, 1))


def _load(block: PemBlock, number: int, label: str) -> x509.Certificate:
    if block.label == _TRUSTED_LABEL:
        message = f"certificate {number} of {label} is in OpenSSL's own TRUSTED CERTIFICATE form"
        remedy = "Convert it: openssl x509 -in old.pem -out new.pem"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    certificate = _parse_certificate(block) if block.label in _CERTIFICATE_LABELS else None
    if certificate is None:
        message = f"certificate {number} of {label} is damaged"
        remedy = "Replace it, from its BEGIN line to its END line"
        raise IdentityError(IdentityProblem.DAMAGED, message, remedy)
    return certificate


def _parse_certificate(block: PemBlock) -> x509.Certificate | None:
    if block.der is None:
        return None
    with RefusalsIgnored():
        return x509.load_der_x509_certificate(block.der.reveal())
    return None


def _no_certificate(content: Secret[bytes], label: str) -> IdentityError:
    message, remedy = f"{label} holds no PEM certificate", "Name a file that holds one"
    if content.reveal()[:1] == b"\x30":
        message += "; it seems to be binary (DER or PKCS12)"
        remedy = "Convert it: openssl x509 -inform der -in old.cer -out new.pem"
    return IdentityError(IdentityProblem.NO_CERTIFICATE, message, remedy)
