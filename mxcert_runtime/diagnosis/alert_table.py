"""What each alert of TLS, and each failure of this side, means to people, and what to do about it.

The alerts are those of RFC 8446, section 6.2, and RFC 5246, section 7.2.2.
"""

from __future__ import annotations

from enum import Enum

from ..base import dataclass

#: OpenSSL's reason for a server's certificate that this side refused
VERIFY_FAILED = "certificate_verify_failed"


class AlertKind(Enum):
    """Who refused whom, as far as the exception tells."""

    #: the server wants a client certificate and got none
    CERTIFICATE_REQUIRED = "certificate-required"
    #: the server does not accept the client certificate that it got
    CERTIFICATE_REFUSED = "certificate-refused"
    #: the server ended the handshake without saying why; in TLS 1.2 often for want of a certificate
    HANDSHAKE_FAILURE = "handshake-failure"
    #: no word at all: the connection was closed or reset
    CONNECTION_CLOSED = "connection-closed"
    #: this side does not trust the server's certificate
    SERVER_REFUSED = "server-refused"
    #: the handshake failed for something other than a client certificate
    OTHER = "other"


@dataclass(frozen=True)
class Alert:
    """Why a handshake failed.

    ``name`` is the alert's in the RFCs, with its ``number``, or a name of ours and ``None``.
    ``meaning`` is one plain sentence without its full stop.
    """

    kind: AlertKind
    name: str
    number: int | None
    meaning: str
    remedy_with_identity: str
    remedy_without_identity: str

    def remedy(self, identity: str | None) -> str:
        """What to do, where the identity of this name was presented; ``None``: where none was."""
        if identity is None:
            return self.remedy_without_identity
        return self.remedy_with_identity.replace("{identity}", identity)


def alert_numbered(number: int) -> Alert | None:
    """The alert with this number, of those that say something to people."""
    return next((alert for alert in ALERTS.values() if alert.number == number), None)


_ANOTHER_RULE = (
    "Give this host a rule with an identity that the server accepts, or ask its operator to accept "
    "`{identity}`"
)
_RULE_FOR_NONE = (
    "Give this host a rule with an identity, or see why the rules that there are do not fit "
    "(`mxcert explain`)"
)


def _refused(name: str, number: int, meaning: str, remedy: str) -> Alert:
    return Alert(
        kind=AlertKind.CERTIFICATE_REFUSED,
        name=name,
        number=number,
        meaning=meaning,
        remedy_with_identity=remedy,
        remedy_without_identity=_RULE_FOR_NONE,
    )


def _other(name: str, number: int | None, meaning: str, remedy: str) -> Alert:
    return Alert(
        kind=AlertKind.OTHER,
        name=name,
        number=number,
        meaning=meaning,
        remedy_with_identity=remedy,
        remedy_without_identity=remedy,
    )


ALERTS = {
    alert.name: alert
    for alert in (
        Alert(
            kind=AlertKind.CERTIFICATE_REQUIRED,
            name="certificate_required",
            number=116,
            meaning="the server demands a client certificate and got none",
            remedy_with_identity=(
                "The server did not count `{identity}` as a certificate, or asked once more: ask "
                "its operator what its log says"
            ),
            remedy_without_identity=_RULE_FOR_NONE,
        ),
        Alert(
            kind=AlertKind.HANDSHAKE_FAILURE,
            name="handshake_failure",
            number=40,
            meaning=(
                "the server ended the handshake and does not say why; in TLS 1.2 that is often for "
                "want of a client certificate, else for want of a cipher that both sides know"
            ),
            remedy_with_identity=(
                f"{_ANOTHER_RULE}; where another client gets through with it, compare TLS versions "
                "and ciphers"
            ),
            remedy_without_identity=(
                f"{_RULE_FOR_NONE}; where the server asks for no certificate, compare TLS versions "
                "and ciphers"
            ),
        ),
        _refused(
            "bad_certificate",
            42,
            "the server takes the client certificate for damaged or unacceptable; some servers say "
            "so too when they got none",
            f"{_ANOTHER_RULE}; its log says what it dislikes",
        ),
        _refused(
            "unsupported_certificate",
            43,
            "the server does not accept this type of client certificate: its key type, or a usage "
            "other than client authentication",
            "Have `{identity}` issued anew with a key type that the server accepts and the "
            "extended key usage `clientAuth`",
        ),
        _refused(
            "certificate_revoked",
            44,
            "the server says that the client certificate has been revoked",
            "Replace `{identity}` by a new certificate of its issuer",
        ),
        _refused(
            "certificate_expired",
            45,
            "the server says that the client certificate has expired or is not valid yet",
            "Renew `{identity}`; if its dates are right, compare the clocks of both sides",
        ),
        _refused(
            "certificate_unknown",
            46,
            "the server did not accept the client certificate and does not say why",
            f"{_ANOTHER_RULE}; its log says what it dislikes",
        ),
        _refused(
            "unknown_ca",
            48,
            "the server does not know the CA that issued the client certificate",
            f"{_ANOTHER_RULE}; if it trusts the root only, add the intermediates to the PKCS12 or "
            "PEM file",
        ),
        _refused(
            "access_denied",
            49,
            "the client certificate is valid, and the server does not let its owner in",
            "Ask the operator of the server to give the subject of `{identity}` access, or give "
            "this host a rule with another identity",
        ),
        _refused(
            "decrypt_error",
            51,
            "the server could not verify a signature of the handshake",
            "Check that key and certificate of `{identity}` belong together and that nothing "
            "between the two sides changes the connection; then ask the operator of the server",
        ),
        _other(
            "protocol_version",
            70,
            "the server does not speak the TLS version that this side offers",
            "Allow a TLS version that both sides know",
        ),
        _other(
            "insufficient_security",
            71,
            "the server demands stronger ciphers than this side offers",
            "Allow the ciphers that the server demands",
        ),
        _other(
            "internal_error",
            80,
            "the server has a fault of its own",
            "Ask the operator of the server what its log says",
        ),
        _other(
            "unrecognized_name",
            112,
            "the server serves no host of this name",
            "Check the host name of the URL, which is what TLS asks for",
        ),
        _other(
            "no_application_protocol",
            120,
            "the server speaks none of the application protocols that this side offers",
            "Offer a protocol (ALPN) that the server knows",
        ),
    )
}

#: what OpenSSL finds on this side
LOCAL_FAILURES = {
    alert.name: alert
    for alert in (
        _other(
            "wrong_version_number",
            None,
            "what answers at this port does not speak TLS",
            "Check the port and the scheme; a mail, FTP or LDAP server may want STARTTLS first",
        ),
        _other(
            "unsupported_protocol",
            None,
            "the server speaks only a TLS version that this side does not allow",
            "Ask the operator of the server for TLS 1.2 or later",
        ),
        _other(
            "dh_key_too_small",
            None,
            "the server's key exchange is too weak for this side",
            "Ask the operator of the server for stronger parameters",
        ),
    )
}

CLOSED = Alert(
    kind=AlertKind.CONNECTION_CLOSED,
    name="connection_closed",
    number=None,
    meaning="the server, or something between, closed the connection without a word",
    remedy_with_identity=(
        "Some servers and firewalls refuse a client certificate in this way: ask the operator of "
        "the server what its log says of `{identity}`"
    ),
    remedy_without_identity=(
        f"Some servers refuse in this way for want of a client certificate. {_RULE_FOR_NONE}; else "
        "ask the operator of the server what its log says"
    ),
)

_EXTRA_AUTHORITY = (
    "If the server is the right one, add the CA that vouches for it to `CACertificates` or to the "
    "`ca` of its rule; never the server's certificate on trust alone"
)
_BY_OPERATOR = "The operator of the server has to replace its certificate"

#: meaning and remedy by X509_V_ERR code of OpenSSL, include/openssl/x509_vfy.h
_VERIFICATION = {
    9: ("it is not valid yet", f"{_BY_OPERATOR}; first check the clock of this machine"),
    10: ("it or its CA has expired", f"{_BY_OPERATOR}; first check the clock of this machine"),
    18: ("it is signed by itself, and nothing here trusts it", _EXTRA_AUTHORITY),
    19: ("its chain ends in a root that nothing here trusts", _EXTRA_AUTHORITY),
    20: (
        "no CA that this side trusts has issued it, or the server leaves out an intermediate",
        _EXTRA_AUTHORITY,
    ),
    21: (
        "no CA that this side trusts has issued it, or the server leaves out an intermediate",
        _EXTRA_AUTHORITY,
    ),
    23: ("it has been revoked", _BY_OPERATOR),
    26: ("it is not meant for servers", _BY_OPERATOR),
    62: ("it is for another host name", "Use the host name that the certificate names"),
    64: ("it is not for this address", "Use the host name that the certificate names"),
    66: ("its key is too weak", _BY_OPERATOR),
    67: ("the key of its CA is too weak", _BY_OPERATOR),
    68: ("its signature uses a weak digest", _BY_OPERATOR),
}
_UNKNOWN_VERIFICATION = ("it cannot be verified", _EXTRA_AUTHORITY)


def server_refused(code: int | None) -> Alert:
    """Why this side refused the server's certificate, by OpenSSL's code, where that is known."""
    why, remedy = _VERIFICATION.get(code or 0, _UNKNOWN_VERIFICATION)
    meaning = f"this side refused the server's certificate: {why}"
    return Alert(
        kind=AlertKind.SERVER_REFUSED,
        name=VERIFY_FAILED,
        number=None,
        meaning=meaning,
        remedy_with_identity=remedy,
        remedy_without_identity=remedy,
    )
