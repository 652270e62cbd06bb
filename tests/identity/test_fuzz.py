"""Whatever the bytes: an answer or an error of this package, and soon.

Files of a corpus with bytes changed, lost, added, or taken from one another. Run it for long by
hand: ``python -m tests.identity.fuzz_by_hand``, which lets coverage lead.
"""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityError
from mxcert_runtime.identity.material.ber import MalformedError
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.identity.material.certificates import load_certificates
from mxcert_runtime.identity.material.key_derivation import Effort
from mxcert_runtime.identity.material.pem import split_blocks
from mxcert_runtime.identity.material.pem_key import open_pem_key
from mxcert_runtime.identity.material.pkcs12_structure import read_structure
from tests.support import pki
from tests.support.properties import examples

from .fuzz_targets import PASSWORD, TARGETS, corpus
from .material import load_inline

pytestmark = pytest.mark.any_python

LEAF = pki.Authority("Fuzz root").intermediate("Fuzz issuer").issue("client")
FILES = [(ending, name) for ending in TARGETS for name in corpus(ending) if ending != ".ber"]
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 3), st.binary(max_size=8)),
    min_size=1,
    max_size=4,
)
#: what a length, a count or a tag is hostile with
hostile = st.sampled_from(
    [b"\x80", b"\x84\xff\xff\xff\xff", b"\x02\x04\x7f\xff\xff\xff", b"\x30\x80" * 20, b"\xff" * 9]
)


def _change(content: bytes, place: float, remove: int, insert: bytes) -> bytes:
    position = int(place * len(content))
    return content[:position] + insert + content[position + remove :]


@pytest.mark.parametrize("ending", TARGETS)
@examples(150)
@given(data=st.data())
def test_changed_files(ending: str, data: st.DataObject) -> None:
    """A file with bytes changed gives what it may give, or an error of this package."""
    files = corpus(ending) or {"request": bytes.fromhex("0d00000a01400004080404030000")}
    content = files[data.draw(st.sampled_from(sorted(files)))]
    for change in data.draw(changes):
        content = _change(content, *change)
    TARGETS[ending](content)


@pytest.mark.parametrize("ending", TARGETS)
@examples(150)
@given(data=st.data(), place=st.floats(0, 1, exclude_max=True), insert=hostile)
def test_hostile_changes(ending: str, data: st.DataObject, place: float, insert: bytes) -> None:
    """The same for lengths beyond the end, counts beyond all measure, and towers."""
    files = corpus(ending) or {"request": bytes.fromhex("0d00000a01400004080404030000")}
    content = files[data.draw(st.sampled_from(sorted(files)))]
    TARGETS[ending](_change(content, place, len(insert), insert))


@pytest.mark.parametrize(("ending", "name"), FILES)
def test_unchanged_files(ending: str, name: str) -> None:
    """The twin: unchanged, each of the files is read to its end."""
    content = corpus(ending)[name]
    if ending == ".p12":
        assert load_inline(content, PASSWORD).fingerprint
    elif ending == ".pem":
        assert open_pem_key(Secret(content), Secret(PASSWORD), "the key").algorithm
        assert load_certificates(Secret(content), "the certificates")[0].validity
    else:
        assert Certificate(content).public_key.kind


@examples(150)
@given(content=st.binary(max_size=200))
def test_any_bytes_as_structure(content: bytes) -> None:
    """The structure of any bytes is read or refused as malformed."""
    with contextlib.suppress(MalformedError):
        read_structure(Secret(content), Effort())


@examples(150)
@given(
    content=st.lists(st.sampled_from([*LEAF.pem().splitlines(True), b"-----", b" "])).map(b"".join)
)
def test_any_lines_as_pem(content: bytes) -> None:
    """Any order of PEM lines is as many blocks as begin in it."""
    assert content.count(b"-----BEGIN") >= len(split_blocks(Secret(content)))


def test_only_errors_of_this_package_are_ignored() -> None:
    """The twin: the targets let through whatever is no error of this package."""
    with pytest.raises(TypeError):
        TARGETS[".p12"]("text")  # type: ignore[arg-type]
    with pytest.raises(IdentityError):
        load_inline(b"", PASSWORD)
