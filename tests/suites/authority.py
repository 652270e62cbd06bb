"""The authority in a suite's source, whose clients the suite's own servers let in."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.support.pki import Authority

from .values import Suite


def authority_of(suite: Suite) -> Authority | None:
    """The one that can issue identities, where the source has its key."""
    if suite.authority is None:
        return None
    certificate, key = ((suite.source / path).read_bytes() for path in suite.authority)
    signing_key = load_pem_private_key(key, None)
    assert isinstance(signing_key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey))
    authority = Authority(signing_key=signing_key)
    authority.certificate = x509.load_pem_x509_certificate(certificate)
    return authority
