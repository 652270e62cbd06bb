"""The same content is decrypted once in a process."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityError
from mxcert_runtime.identity import identity
from mxcert_runtime.identity.identity import load_identity
from mxcert_runtime.identity.material import pem_key, pkcs12
from mxcert_runtime.identity.sources import IdentitySettings
from tests.support import pki

from .material import inline, load_inline, pem_files, pkcs12_file


@pytest.fixture
def decryptions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each decryption from now on."""
    seen: list[str] = []
    for module, name in ((pkcs12, "open_pkcs12"), (pem_key, "open_pem_key")):
        monkeypatch.setattr(module, name, _count(getattr(module, name), seen))
    return seen


def _count(original, seen: list[str]):  # type: ignore[no-untyped-def]
    def counting(*arguments):  # type: ignore[no-untyped-def]
        seen.append(original.__name__)
        return original(*arguments)

    return counting


def test_a_reload_decrypts_nothing(tmp_path: Path, leaf: pki.Leaf, decryptions: list[str]) -> None:
    """Unchanged content is opened once, in a file, inline or copied elsewhere."""
    content = leaf.pkcs12("secret")
    first = load_inline(content, "secret")
    again = load_inline(content, "secret")
    elsewhere = load_identity(pkcs12_file(tmp_path, content, "secret"))

    assert 1 == len(decryptions)
    assert first.key is again.key is elsewhere.key


def test_pem_is_opened_once(tmp_path: Path, leaf: pki.Leaf, decryptions: list[str]) -> None:
    """The same for an encrypted PEM key; another certificate beside it is other content."""
    described = pem_files(tmp_path, leaf.pem(), leaf.key_pem("secret"), "secret")
    first = load_identity(described)
    assert first.key is load_identity(described).key
    assert 1 == len(decryptions)

    (tmp_path / "leaf.crt").write_bytes(leaf.pem(chain=False))
    assert () == load_identity(described).chain
    assert 2 == len(decryptions)


def test_each_setting_has_its_own_name(leaf: pki.Leaf, decryptions: list[str]) -> None:
    """Two settings that name the same content keep their names and origins."""
    content, origin = leaf.pkcs12("x"), Origin("other")
    first = load_inline(content, "x")
    described = inline(content, "x")
    second = load_identity(
        IdentitySettings("second", described.material, described.password, origin)
    )

    assert 1 == len(decryptions)
    assert ("billing", "second") == (first.name, second.name)
    assert origin == second.origin


def test_new_content_is_opened(leaf: pki.Leaf, decryptions: list[str]) -> None:
    """New content is opened, even where it holds the same identity."""
    load_inline(leaf.pkcs12("x"), "x")
    load_inline(leaf.pkcs12("x"), "x")

    assert 2 == len(decryptions)


def test_a_wrong_password_never_profits(leaf: pki.Leaf) -> None:
    """What the right password opened stays closed for a wrong one, and the other way round."""
    content = leaf.pkcs12("secret")
    with pytest.raises(IdentityError):
        load_inline(content, "wrong")
    load_inline(content, "secret")
    for password in ("wrong", "", None):
        with pytest.raises(IdentityError):
            load_inline(content, password)


def test_what_nobody_uses_is_let_go(leaf: pki.Leaf, decryptions: list[str]) -> None:
    """A key that was decrypted lives as long as an identity that has it, and no longer."""
    content = leaf.pkcs12("x")
    first = load_inline(content, "x")
    second = load_inline(content, "x")
    key = weakref.ref(first.key)
    assert 1 == len(decryptions)

    del first
    gc.collect()
    assert key() is second.key
    del second
    gc.collect()
    assert key() is None
    load_inline(content, "x")
    assert 2 == len(decryptions)


def test_what_is_kept_tells_nothing_of_the_password() -> None:
    """The hash has a key of this process, so it cannot be looked up in a table."""
    parts, password = (Secret(b"content"),), Secret("secret")
    one, other = identity._OpenedOnce(), identity._OpenedOnce()

    assert one.key_of(parts, password) == one.key_of(parts, password)
    assert one.key_of(parts, password) != other.key_of(parts, password)
    assert one.key_of(parts, password) != one.key_of(parts, None)
    assert one.key_of(parts, None) == one.key_of(parts, Secret(""))
