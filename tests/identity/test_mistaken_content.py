"""A file that is something else than its setting is for is told by what it is, with a remedy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityError, IdentityProblem
from mxcert_runtime.identity.authorities import load_authority_certificates
from mxcert_runtime.identity.identity import load_identity
from mxcert_runtime.identity.material.recognition import recognise
from mxcert_runtime.identity.sources import AuthorityText

from ..support import pki
from .material import failure, inline, pem_files
from .mistaken import CASES, PASSWORD, Make, both


@pytest.mark.parametrize("case", CASES)
def test_pkcs12_is_wanted(case: str, leaf: pki.Leaf) -> None:
    """The error names what the content is and what to do; what is wanted opens."""
    make, words, remedy, _, _ = CASES[case]
    content = make(leaf)
    if not remedy:
        assert load_identity(inline(content, PASSWORD)).fingerprint == leaf.fingerprint
        return
    error = failure(inline(content, PASSWORD))
    assert error.message == f"the PKCS12 content in the settings is {words}, not PKCS12"
    assert error.problem is IdentityProblem.UNSUPPORTED
    assert remedy in error.remedy
    assert PASSWORD not in str(error)


@pytest.mark.parametrize("case", CASES)
def test_certificate_is_wanted(case: str, leaf: pki.Leaf, tmp_path: Path) -> None:
    """As above, of the file of the certificate."""
    make, words, _, remedy, _ = CASES[case]
    described = pem_files(tmp_path, make(leaf), leaf.key_pem())
    if not remedy:
        assert load_identity(described).fingerprint == leaf.fingerprint
        return
    error = failure(described)
    path = str(tmp_path / "leaf.crt")
    assert error.message == f"{path!r} holds no PEM certificate: it is {words}"
    assert error.problem is IdentityProblem.NO_CERTIFICATE
    assert remedy in error.remedy


@pytest.mark.parametrize("case", CASES)
def test_key_is_wanted(case: str, leaf: pki.Leaf, tmp_path: Path) -> None:
    """As above, of the file of the key."""
    make, words, _, _, remedy = CASES[case]
    described = pem_files(tmp_path, leaf.pem(), make(leaf), PASSWORD)
    if not remedy:
        assert load_identity(described).fingerprint == leaf.fingerprint
        return
    error = failure(described)
    path = str(tmp_path / "leaf.key")
    assert error.message == f"{path!r} holds no PEM private key: it is {words}"
    assert error.problem is IdentityProblem.NO_KEY
    assert remedy in error.remedy


@pytest.mark.parametrize("case", ["written-out line breaks", "quotes", "PKCS7 in PEM", "HTML"])
def test_authorities_are_wanted(case: str, leaf: pki.Leaf) -> None:
    """In quotes the first of several CAs would go missing in silence."""
    make, words = CASES[case][:2]
    text = make(leaf).decode("utf-8-sig")
    with pytest.raises(IdentityError) as caught:
        load_authority_certificates(AuthorityText(text, Origin("tests")))
    assert caught.value.message.endswith(f"holds no PEM certificate: it is {words}")


def _written_out(leaf: pki.Leaf) -> bytes:
    return both(leaf).replace(b"\n", b"\\n")


_BESIDE: dict[str, Make] = {
    "a remark": lambda leaf: b'# was "' + _written_out(leaf) + b'"\n',
    "a variable": lambda leaf: b'PEM="' + _written_out(leaf) + b'"\n',
    "JSON": lambda leaf: b'{"pem": "' + _written_out(leaf) + b'"}\n',
    "an attribute": lambda _: b"Bag Attributes\n    friendlyName: -----BEGIN X-----\\n\n",
    "words in quotes": lambda _: b'"-----BEGIN CERTIFICATE-----" begins each\n',
    "words in ticks": lambda _: b"`-----BEGIN PRIVATE KEY-----` begins it\n",
    "parameters": lambda _: b"-----BEGIN DH PARAMETERS-----\\nMEYC\\n-----END DH PARAMETERS-----\n",
}


@pytest.mark.parametrize("what", _BESIDE)
def test_what_stands_beside_a_block(what: str, leaf: pki.Leaf, tmp_path: Path) -> None:
    """Text in front of PEM is a comment, whatever it looks like: all blocks are read."""
    beside = _BESIDE[what](leaf)
    described = pem_files(tmp_path, beside + leaf.pem(), beside + leaf.key_pem())
    assert load_identity(described).fingerprint == leaf.fingerprint


@pytest.mark.parametrize("first", ["quotes", "written-out line breaks"])
def test_a_first_block_that_would_go_missing(first: str, leaf: pki.Leaf) -> None:
    """The twin: a mangled block is refused, though one that can be read stands behind it."""
    text = '"' + CASES[first][0](leaf).decode().strip('"\n') + '"\n' + leaf.pem().decode()
    with pytest.raises(IdentityError) as caught:
        load_authority_certificates(AuthorityText(text, Origin("tests")))
    assert caught.value.message.endswith(f"it is {CASES[first][1]}")


@pytest.mark.parametrize(
    ("case", "old"), [("DER key", "old.key"), ("encrypted DER key", "old.key"), ("CMS", "old.p7b")]
)
def test_a_remedy_that_is_followed(case: str, old: str, leaf: pki.Leaf, tmp_path: Path) -> None:
    """The commands of a remedy make a PKCS12 that opens, and leave no encrypted key in clear."""
    content = CASES[case][0](leaf)
    commands = failure(inline(content, PASSWORD)).remedy.rpartition(": ")[2]
    key = () if "key" in case else (("the.key", leaf.key_pem()),)
    for name, had in ((old, content), ("the.pem", leaf.pem()), *key):
        (tmp_path / name).write_bytes(had)
    for command in commands.split(", then "):
        subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=tmp_path,
            input=f"{PASSWORD}\n" * 3,
            text=True,
            start_new_session=True,  # without a terminal, openssl asks its input for passwords
            capture_output=True,
            check=True,
            timeout=30,
        )
    made = inline((tmp_path / "new.pfx").read_bytes(), PASSWORD)
    assert load_identity(made).fingerprint == leaf.fingerprint
    is_sealed = b"ENCRYPTED" in (tmp_path / "the.key").read_bytes()
    assert is_sealed is (case == "encrypted DER key")


@pytest.mark.parametrize("content", [b"", b"\x30", b"\x30\x03\x02\x01", b"log\n", b"AAAA", b"\0"])
def test_nothing_that_is_known(content: bytes) -> None:
    """What is not certain is not said."""
    assert recognise(Secret(content)) is None
