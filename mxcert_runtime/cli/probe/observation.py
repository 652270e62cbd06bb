"""What ``mxcert probe`` sees of a handshake: its messages, as CPython's ``_msg_callback`` tells.

They come from the one connection that verifies the server as every other does, so a chain that was
refused is known without a second, unverified connection. Messages of TLS 1.3 arrive decrypted.
"""

from __future__ import annotations

from typing import Any

from ...base import (
    ALERT,
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CLOSE_NOTIFY,
    HANDSHAKE,
    HANDSHAKE_HEADER_LENGTH,
    TLS_1_3,
)
from ...connections import CertificateRequest, MalformedRequestError, parse_request


class Observation:
    """A message callback that keeps what the probe reports; of each kind the last counts.

    ``server_chain`` is what the server sent, leaf first, as DER. ``presented`` is what this side
    sent: ``None`` no Certificate message at all, empty one without a certificate.
    """

    def __init__(self) -> None:
        self.server_chain: tuple[bytes, ...] = ()
        self.request: CertificateRequest | None = None
        self.presented: tuple[bytes, ...] | None = None
        #: number of the last alert that the server sent, other than close_notify
        self.alert: int | None = None

    def __call__(
        self, owner: Any, direction: str, version: int, content: int, message: int, data: bytes
    ) -> None:
        if content == HANDSHAKE and message == CERTIFICATE:
            self._take_certificates(direction, _read_certificates(int(version), data))
        elif content == HANDSHAKE and message == CERTIFICATE_REQUEST and direction == "read":
            self._take_request(int(version), data)
        elif content == ALERT and direction == "read" and data[1:] != bytes([CLOSE_NOTIFY]):
            self.alert = data[-1]

    def _take_certificates(self, direction: str, certificates: tuple[bytes, ...]) -> None:
        if direction == "read":
            self.server_chain = certificates
        else:
            self.presented = certificates

    def _take_request(self, version: int, data: bytes) -> None:
        try:
            self.request = parse_request(version, data)
        except MalformedRequestError:
            return  # OpenSSL ends the handshake when it comes to it


def _read_certificates(version: int, data: bytes) -> tuple[bytes, ...]:
    """The certificates of a Certificate message (RFC 8446, 4.4.2; RFC 5246, 7.4.2)."""
    body = data[HANDSHAKE_HEADER_LENGTH:]
    if version == TLS_1_3:
        body = body[1 + body[0] :] if body else b""  # certificate_request_context
    rest, certificates = _vector(body, 3)[0], []
    while rest:
        certificate, rest = _vector(rest, 3)
        certificates.append(certificate)
        if version == TLS_1_3:
            rest = _vector(rest, 2)[1]  # extensions
    return tuple(certificates)


def _vector(data: bytes, size: int) -> tuple[bytes, bytes]:
    """A vector with a length of this many bytes, and what follows; short where data ends early."""
    end = size + int.from_bytes(data[:size], "big")
    return data[size:end], data[end:]
