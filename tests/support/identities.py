"""Identities made of what cryptography has, without settings and files."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.identity.identity import Identity
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.identity.material.private_key import read_pkcs8

from .pki import Leaf


def identity_of(leaf: Leaf, name: str = "test", origin: Origin | None = None) -> Identity:
    """The identity of a leaf and its chain."""
    pkcs8 = leaf.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    key = read_pkcs8(Secret(pkcs8))
    assert key is not None
    leaf_certificate, *chain = map(Certificate.of, (leaf.certificate, *leaf.chain))
    return Identity(name, origin or Origin("test"), leaf_certificate, key, tuple(chain))
