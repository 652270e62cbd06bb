"""PEM text (RFC 7468) into blocks and back; whatever stands between blocks is a comment.

Comments may be in any encoding, so the text stays bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import field

from ...base import Secret, dataclass, late_pattern

# OpenSSL wants a block to begin its line, which is how one is commented out. PEM text that went
# through a variable may have lost its line ends, so a block may also follow an end.
_BEGIN = late_pattern(
    rb"(?:^(?:\xef\xbb\xbf)?|(?<=-----))[ \t]*-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE
)
#: characters of a line; OpenSSL takes no other length below headers
_LINE = 64


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


def pem_text(label: str, der: Secret[bytes]) -> Secret[bytes]:
    """One block without headers."""
    return PemBlock(label, (), der).as_text()


def _wrap(der: Secret[bytes]) -> Secret[bytes]:
    text = Secret(base64.b64encode(der.reveal()))
    starts = range(0, len(text.reveal()), _LINE)
    return Secret(b"".join(text.reveal()[each : each + _LINE] + b"\n" for each in starts))


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
