"""Whatever the bytes: an identity or an IdentityError, and soon."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mxcert_runtime.errors import IdentityError
from mxcert_runtime.identity import Identity, load_identity
from mxcert_runtime.material.ber import MalformedError
from mxcert_runtime.material.key_derivation import Effort
from mxcert_runtime.material.pem import split_blocks
from mxcert_runtime.material.pkcs12_structure import read_structure
from mxcert_runtime.secret import Secret
from tests.support import pki

from .material import inline

LEAF = pki.Authority("Fuzz root").intermediate("Fuzz issuer").issue("client")
FILES = {
    "unprotected": LEAF.pkcs12(None, encryption="none"),
    "pbes2": LEAF.pkcs12("x", rounds=1),
    "3des": LEAF.pkcs12("x", encryption="3des", rounds=1),
}
quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 3), st.binary(max_size=8)),
    min_size=1,
    max_size=4,
)


def _change(content: bytes, place: float, remove: int, insert: bytes) -> bytes:
    position = int(place * len(content))
    return content[:position] + insert + content[position + remove :]


@pytest.mark.parametrize("name", FILES)
@quick
@given(changes=changes)
def test_changed_pkcs12(name: str, changes: list[tuple[float, int, bytes]]) -> None:
    """A PKCS12 file with bytes changed, lost or added gives an identity or a clean error."""
    content = FILES[name]
    for change in changes:
        content = _change(content, *change)
    with contextlib.suppress(IdentityError):
        assert isinstance(load_identity(inline(content, "x")), Identity)


@pytest.mark.parametrize("name", FILES)
def test_unchanged(name: str) -> None:
    """The twin: unchanged, each of the files loads."""
    assert LEAF.fingerprint == load_identity(inline(FILES[name], "x")).fingerprint


@quick
@given(content=st.binary(max_size=200))
def test_any_bytes_as_structure(content: bytes) -> None:
    """The structure of any bytes is read or refused as malformed."""
    with contextlib.suppress(MalformedError):
        read_structure(Secret(content), Effort())


@quick
@given(
    content=st.lists(st.sampled_from([*LEAF.pem().splitlines(True), b"-----", b" "])).map(b"".join)
)
def test_any_lines_as_pem(content: bytes) -> None:
    """Any order of PEM lines is as many blocks as begin in it."""
    assert content.count(b"-----BEGIN") >= len(split_blocks(Secret(content)))
