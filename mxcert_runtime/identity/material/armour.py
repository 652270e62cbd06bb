"""PKCS12 as text: in the armour of PEM, or in bare base64 as secrets are often carried."""

from __future__ import annotations

import base64
import binascii

from ...base import Secret, late_pattern
from .pem import split_blocks

_LABELS = ("PKCS12", "PFX")
_BASE64 = late_pattern(rb"[A-Za-z0-9+/=\s]+")


def without_armour(content: Secret[bytes]) -> Secret[bytes]:
    """The bytes of the file; content that is no armour stays as it is."""
    if content.reveal().startswith(b"\x30"):
        return content
    for block in split_blocks(content):
        if block.label in _LABELS and block.der is not None:
            return block.der
    if _BASE64.fullmatch(content.reveal()):
        decoded = _decode(content)
        if decoded.reveal().startswith(b"\x30"):
            return decoded
    return content


def _decode(content: Secret[bytes]) -> Secret[bytes]:
    try:
        return Secret(base64.b64decode(b"".join(content.reveal().split()), validate=True))
    except binascii.Error:
        return Secret(b"")
