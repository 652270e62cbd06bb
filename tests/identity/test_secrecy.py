"""No error of loading, nor what a traceback shows around it, holds a password or a key."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityProblem
from mxcert_runtime.identity.pulled import PulledSource
from mxcert_runtime.identity.source import Credentials
from mxcert_runtime.identity.sources import IdentitySettings, PemFiles, SourceMaterial
from tests.support import pki

from .material import failure, inline, pem_files, settings

PASSWORD = "Correct-Horse-7"
WRONG = "Battery-Staple-8"


class _Holding(PulledSource):
    """A source whose credentials are at hand, and never opened by it."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def read(self) -> Credentials:
        return self._credentials

    def fetch(self) -> Credentials:
        return self._credentials

    def shown(self) -> str:
        return "a source"


def _case(
    name: str, folder: Path, leaf: pki.Leaf, other: pki.Leaf
) -> tuple[IdentitySettings, bytes]:
    """Settings that must fail, and the secret content behind them."""
    pkcs12 = leaf.pkcs12(PASSWORD)
    key, plain = leaf.key_pem(PASSWORD), leaf.key_pem()
    contents = {
        "wrong": (pkcs12, WRONG),
        "missing": (pkcs12, None),
        "cut": (pkcs12[:-9], PASSWORD),
        "nul": (pkcs12, PASSWORD + "\0"),
        "surrogate": (pkcs12, PASSWORD + "\ud800"),
        "no key": (leaf.pkcs12(PASSWORD, key=False), PASSWORD),
        "pem": (plain, PASSWORD),
        "unprotected": (leaf.pkcs12(None, encryption="none")[:-20] + bytes(20), PASSWORD),
    }
    if name in contents:
        content, password = contents[name]
        return inline(content, password), content
    keys = {
        "pem wrong": (leaf, key, WRONG),
        "pem missing": (leaf, key, None),
        "pem damaged": (leaf, plain.replace(b"M", b"N"), PASSWORD),
        "pem base64": (leaf, plain.replace(b"M", b"*"), PASSWORD),
        "pem surrogate": (leaf, key, PASSWORD + "\ud800"),
        "pem mismatch": (other, plain, None),
    }
    if name == "source surrogate":
        given = Credentials(pkcs12, Secret(PASSWORD + "\ud800"))
        return settings(SourceMaterial(_Holding(given))), pkcs12
    if name in keys:
        owner, content, password = keys[name]
        return pem_files(folder, owner.pem(), content, password), content
    (folder / "both.pem").write_bytes(plain)
    return settings(PemFiles(str(folder / "both.pem"), str(folder / "both.pem"))), plain


CASES = [
    *("wrong", "missing", "cut", "nul", "surrogate", "no key", "pem", "unprotected"),
    *("pem wrong", "pem missing", "pem damaged", "pem base64", "pem surrogate", "pem mismatch"),
    *("pem without certificate", "source surrogate"),
]


def _forms(secret: bytes) -> Iterator[str]:
    """How a part of the secret would look in a repr or in base64."""
    for start in range(0, min(len(secret) - 24, 400), 16):
        yield repr(secret[start : start + 24])[2:-1]
    yield base64.b64encode(secret).decode()[:24]


@pytest.mark.parametrize("case", CASES)
def test_nothing_secret_shows(
    tmp_path: Path, issuer: pki.Authority, leaf: pki.Leaf, case: str
) -> None:
    """A traceback with all local variables holds neither the passwords nor the content."""
    described, content = _case(case, tmp_path, leaf, issuer.issue("other"))
    error = failure(described)
    shown = "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )

    assert error.__context__ is None
    assert error.__cause__ is None
    assert [] == [x for x in (PASSWORD, WRONG) if x in shown + str(error) + repr(error)]
    assert [] == [x for x in _forms(content) if x in shown + str(error) + repr(error)]


def test_the_check_would_see_a_secret(leaf: pki.Leaf) -> None:
    """The twin: a variable that holds a password or a content is found."""

    def careless(content: bytes, password: str) -> None:
        raise ValueError("careless")

    with pytest.raises(ValueError, match="careless") as caught:
        careless(leaf.pkcs12(PASSWORD), PASSWORD)
    traced = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(traced.format())

    assert PASSWORD in shown


def test_every_case_is_an_error_of_its_own(
    tmp_path: Path, issuer: pki.Authority, leaf: pki.Leaf
) -> None:
    """The cases above reach every kind of problem of opening."""
    found = set()
    for case in CASES:
        folder = tmp_path / case.replace(" ", "-")
        folder.mkdir()
        found.add(failure(_case(case, folder, leaf, issuer.issue("other"))[0]).problem)

    # Files that are not there and PINs of tokens are told elsewhere.
    assert found == set(IdentityProblem) - {IdentityProblem.UNREADABLE, IdentityProblem.WRONG_PIN}
