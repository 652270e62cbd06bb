"""What OpenSSL knows of a pyOpenSSL Context and no function of pyOpenSSL tells: it is measured.

Both matter only where other authorities verify in the place of a Context's store. Asking OpenSSL
itself is right for a Context of any age, whoever has set it and by whatever way.
"""

from __future__ import annotations

import base64
import contextlib
import functools
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ...base import dataclass
from .objects import as_certificate, as_key, share_store

#: Certificates of RSA keys with 512 and with 1024 bits, which no library makes any more.
_WEAK = (
    "MIIBFDCBvwIUTi0S2AvixH00TKS53+LrctSQyJ4wDQYJKoZIhvcNAQELBQAwDDEKMAgGA1UEAwwBeDAeFw0yNjEx"
    "MjYwMzU0MzlaFw0yNjExMjcwMzU0MzlaMAwxCjAIBgNVBAMMAXgwXDANBgkqhkiG9w0BAQEFAANLADBIAkEAnauQ"
    "ANd7pNti3OX5vexSZfI4kz9m5t/G9vnezct2JDDjmKplr6/Z84z0jOsGopajuxFXpWGvMAcUOgEs2J0V5wIDAQAB"
    "MA0GCSqGSIb3DQEBCwUAA0EAPk+aQS6SO9OoIX/4gpPKCeo0uGTkX4auFfsVLuG+JUBPfT5qQrYzMiGrwulAxQhb"
    "Py98XosXxe6Pp+42EroMWw==",
    "MIIBmjCCAQMCFFkKSuipbSTT9mIf7ZHjPeb4MlkpMA0GCSqGSIb3DQEBCwUAMAwxCjAIBgNVBAMMAXgwHhcNMjYx"
    "MTI2MDM1NDM5WhcNMjYxMTI3MDM1NDM5WjAMMQowCAYDVQQDDAF4MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKB"
    "gQDNzMdmyWcW+pLzcWnifyDcJH4eMdcEgGMUuWkQ5+IVnuhWz1Tb8tmvjBg0A1fZKbNOW2Tm9mhTEgDnHS4YUGef"
    "amdR0GSkeN1wp1YW2/7xudm13DQl96tNrkLBcMBHqIlfQbVpfoJKn+D+Bzqe3Je9e4UfD+DVGQEFO8uTJygGhQID"
    "AQABMA0GCSqGSIb3DQEBCwUAA4GBAJ0vNFyAmBDKjBrTodMDcqHcBoyVZeQcx7K27Mz4wtkUeiZi7sUwan14+hSd"
    "lwWeNzEEJ4+ujvHvVAhP+iz+UYak1VeR9yAlreXQ9RlngZoBvcp17eOwIgCsVQ5MECqhPqQL+9c3Q6fGv2T8F109"
    "tmog322SIYFrRUZOk90r7ioB",
)
#: Curves whose keys the security levels 2, 3, 4 and 5 still take: 112, 128, 192 and 256 bits.
_CURVES = (ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())

#: X509_V_ERR values (OpenSSL, x509_vfy.h). No store knows the issuer of what is measured with, ...
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})
#: ... this one says that revocation is checked, ...
_NO_CRL = 3
#: ... these that RFC 5280 is held to strictly, ...
_STRICT = frozenset({24, 32, *range(73, 95)})
#: ... and these are the flags that make a store say so.
_CRL_CHECK, _X509_STRICT = 0x4, 0x20


@dataclass(frozen=True)
class Demands:
    """What a store demands of a server's chain, beyond an issuer that it trusts."""

    #: X509_V_FLAG values
    flags: int
    #: X509_V_ERR values of demands that no flag makes, such as another time
    others: frozenset[int] = frozenset()


def measure_security_level(caller: Any) -> int:
    """The security level of a Context (SSL_CTX_set_security_level(3)), from 0 to 5.

    A scratch connection is offered certificates of ever stronger keys until it takes one.
    """
    from OpenSSL import SSL
    from OpenSSL._util import lib

    # Past what is patched: this connection is nobody's.
    scratch = SSL.Connection(caller, None)
    for level, certificate in enumerate(_ladder()):
        if lib.SSL_use_certificate(scratch._ssl, certificate._x509) == 1:
            return level
        lib.ERR_clear_error()
    return len(_ladder()) - 1


@functools.cache
def _ladder() -> tuple[Any, ...]:
    """One certificate for each level that takes it, and no level above."""
    from OpenSSL import crypto

    weak = [x509.load_der_x509_certificate(base64.b64decode(each)) for each in _WEAK]
    made = [_issue(ec.generate_private_key(curve), "level") for curve in _CURVES]
    return tuple(crypto.X509.from_cryptography(each) for each in (*weak, *made))


def _issue(key: Any, name: str, issuer_key: Any = None, issuer: str | None = None) -> Any:
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer or name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        # Not critical, which only a strict check minds (RFC 5280, section 4.2.1.9).
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=False)
    )
    return builder.sign(issuer_key or key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def measure_demands(caller: Any) -> Demands:
    """What the store of a Context demands: a server that is fine but unknown is shown to it."""
    numbers = _complaints_of(caller) - _UNKNOWN_ISSUER
    flags = _CRL_CHECK * (_NO_CRL in numbers) | _X509_STRICT * bool(numbers & _STRICT)
    return Demands(flags, numbers - _STRICT - {_NO_CRL})


def _complaints_of(caller: Any) -> frozenset[int]:
    """All that is wrong with an unknown server's chain, by OpenSSL and the store of a Context."""
    from OpenSSL import SSL
    from OpenSSL._util import ffi, lib

    numbers: set[int] = set()

    # Not by pyOpenSSL's own callback, which crashes where a complaint is about no certificate.
    @ffi.callback("int (*)(int, X509_STORE_CTX *)")  # type: ignore[untyped-decorator]
    def note(is_right: int, store_context: Any) -> int:
        if not is_right:
            numbers.add(lib.X509_STORE_CTX_get_error(store_context))
        return 1

    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    share_store(context, caller)
    lib.SSL_CTX_set_verify(context._context, SSL.VERIFY_PEER, note)
    _shake_hands(SSL.Connection(context, None), SSL.Connection(_server_context(), None))
    return frozenset(numbers)


def _server_context() -> Any:
    from OpenSSL import SSL

    # Suite B (RFC 6460) takes no key of 521 bits, so that a store that demands it complains.
    root_key, key = map(ec.generate_private_key, (ec.SECP521R1(), ec.SECP256R1()))
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate(as_certificate(_issue(key, "server", root_key, "unknown")))
    context.use_privatekey(as_key(key))
    context.add_extra_chain_cert(as_certificate(_issue(root_key, "unknown")))
    return context


def _shake_hands(client: Any, server: Any) -> None:
    from OpenSSL import SSL
    from OpenSSL._util import lib

    # Past what is patched: these connections are nobody's.
    lib.SSL_set_connect_state(client._ssl)
    lib.SSL_set_accept_state(server._ssl)
    for _ in range(3):
        for one, other in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                one.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(1 << 16))
