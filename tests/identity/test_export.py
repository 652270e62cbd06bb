"""Which keys can be given to TLS libraries as bytes, and what is said of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mxcert_runtime.base import Secret
from mxcert_runtime.errors import IdentityError, IdentityProblem
from mxcert_runtime.identity import Identity, exportable
from tests.support.pki import Leaf

from .material import load_inline


@pytest.fixture
def identity(alpha: Leaf) -> Identity:
    """One of a PKCS12 file."""
    return load_inline(alpha.pkcs12("p"), "p")


def test_key_of_a_file(identity: Identity, alpha: Leaf) -> None:
    """It comes out in clear, and encrypted; nothing shows it."""
    key = exportable(identity)
    clear = load_pem_private_key(key.as_pem().reveal(), None)
    assert alpha.key.public_key() == clear.public_key()  # type: ignore[union-attr]
    encrypted = load_pem_private_key(key.as_encrypted_pem(Secret("p")).reveal(), b"p")
    assert alpha.key.public_key() == encrypted.public_key()  # type: ignore[union-attr]
    assert "PRIVATE" not in f"{key!r} {key.as_pem()!r}"


@dataclass(frozen=True)
class _Elsewhere:
    """A key that only signs."""

    kind: str = "RSA-2048"


def test_key_that_stays_where_it_is(identity: Identity) -> None:
    """It is refused, with the name of the identity and what to do."""
    signing = replace(identity, key=_Elsewhere())  # type: ignore[arg-type]
    with pytest.raises(
        IdentityError, match=r"'billing' cannot leave the place.*in a file"
    ) as error:
        exportable(signing)
    assert IdentityProblem.UNSUPPORTED is error.value.problem
    assert "whose key is in a file" in error.value.remedy
