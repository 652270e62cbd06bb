"""The numbers of TLS on the wire that more than one place reads (RFC 8446, RFC 5246)."""

from __future__ import annotations

#: ProtocolVersion
TLS_1_2, TLS_1_3 = 0x0303, 0x0304

#: ContentType
ALERT, HANDSHAKE = 21, 22

#: HandshakeType
CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, FINISHED = 11, 13, 15, 20
#: type and length, which stand in front of each handshake message
HANDSHAKE_HEADER_LENGTH = 4

#: AlertLevel and AlertDescription
FATAL = 2
CLOSE_NOTIFY = 0

#: SignatureScheme (RFC 8446, section 4.2.3), as far as TLS 1.3 knows them by name
SIGNATURE_SCHEMES = {
    0x0201: "rsa_pkcs1_sha1",
    0x0203: "ecdsa_sha1",
    0x0401: "rsa_pkcs1_sha256",
    0x0403: "ecdsa_secp256r1_sha256",
    0x0501: "rsa_pkcs1_sha384",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0601: "rsa_pkcs1_sha512",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
}
