"""No frame of whatever goes wrong on a key's way to OpenSSL holds the key, or its password."""

from __future__ import annotations

import errno
import os
import ssl
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.contexts.identity_contexts import Blueprint, IdentityRefusedError, _make
from mxcert_runtime.decisions import in_force
from mxcert_runtime.hooks.pyopenssl.transfer import present as load_into_pyopenssl
from mxcert_runtime.identity import key_transfer
from mxcert_runtime.identity.identity import Identity
from mxcert_runtime.identity.material import key_passing
from mxcert_runtime.identity.material.private_key import KeyMaterial
from tests.contexts.ground import Activation

Arrange = Callable[[pytest.MonkeyPatch, Path], None]

#: No key is as strong as it asks for.
STRICT = "ALL:@SECLEVEL=5"


def _without_memory(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)


def _without_memory_or_files(number: int) -> Arrange:
    def arrange(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        _without_memory(monkeypatch, folder)

        def refuse(*arguments: Any, **options: Any) -> Any:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(tempfile, "mkstemp", refuse)

    return arrange


def _full_disk(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A temporary file whose every write finds no space left (full(4))."""
    _without_memory(monkeypatch, folder)

    def make(*arguments: Any, **options: Any) -> tuple[int, str]:
        path = folder / "full"
        path.touch()
        return os.open("/dev/full", os.O_WRONLY), str(path)

    monkeypatch.setattr(tempfile, "mkstemp", make)


def _full_memory(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A file in memory, where a control group gives no more."""
    monkeypatch.setattr(os, "memfd_create", lambda _: os.open("/dev/full", os.O_WRONLY))


def _nothing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """OpenSSL alone refuses."""


WAYS: list[tuple[str, Arrange]] = [
    ("read-only", _without_memory_or_files(errno.EROFS)),
    ("forbidden", _without_memory_or_files(errno.EACCES)),
    ("quota", _without_memory_or_files(errno.EDQUOT)),
    ("full disk", _full_disk),
    ("full memory", _full_memory),
    ("refused in memory", _nothing),
    ("refused in a file", _without_memory),
]
pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is Linux's")


@pytest.fixture
def identity(activate: Activation) -> Identity:
    activate()
    assert in_force.current is not None
    return in_force.current.identities[0]


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password of one use from now on."""
    made: list[str] = []
    genuine = key_passing.os.urandom

    def urandom(length: int) -> bytes:
        content = genuine(length)
        made.append(content.hex())
        return content

    monkeypatch.setattr(key_passing.os, "urandom", urandom)
    return made


def _frames(error: BaseException | None) -> Iterator[Any]:
    """Every frame of an error but the test's own, and of all errors that led to it."""
    while error is not None:
        frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
        yield from (each for each in frames if not each.f_code.co_name.startswith("test_"))
        error = error.__cause__ or error.__context__


def _shown(error: BaseException) -> str:
    """All that the variables of its frames show, and what the objects in them hold in turn."""
    values = [each for frame in _frames(error) for each in frame.f_locals.values()]
    inner = [vars(each) for each in values if hasattr(each, "__dict__")]
    return "\n".join([str(error), *map(repr, values), *map(repr, inner)])


def _pem(identity: Identity) -> str:
    assert isinstance(identity.key, KeyMaterial)
    return identity.key.as_pem().reveal().decode()


def _holds_a_key(shown: str, identity: Identity) -> bool:
    lines = _pem(identity).splitlines()[1:-1]
    return any(line in shown for line in lines) or "PRIVATE KEY-----" in shown


@pytest.mark.parametrize(("way", "arrange"), WAYS, ids=[way for way, _ in WAYS])
def test_no_frame_holds_a_key(
    way: str,
    arrange: Arrange,
    identity: Identity,
    passwords: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the key, encrypted or not, nor its password of one use is in any frame."""
    arrange(monkeypatch, tmp_path)
    with pytest.raises(IdentityRefusedError) as caught:
        _make(Blueprint(identity, None, (STRICT,)))
    monkeypatch.undo()
    shown = _shown(caught.value)
    assert not _holds_a_key(shown, identity)
    assert [] == [each for each in passwords if each in shown]
    assert None is caught.value.__context__
    assert ("TMPDIR" in str(caught.value)) is not way.startswith("refused")
    assert not [each for each in tmp_path.rglob("*") if each.name == "full"]


@pytest.mark.parametrize("arrange", [_nothing, _without_memory])
def test_no_frame_of_the_transfer_itself(
    arrange: Arrange,
    identity: Identity,
    passwords: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same for the error of ``ssl`` that comes out of the transfer."""
    arrange(monkeypatch, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(STRICT)
    with pytest.raises(ssl.SSLError) as caught:
        key_transfer.present(context, identity)
    shown = _shown(caught.value)
    assert "_transfer" in [frame.f_code.co_name for frame in _frames(caught.value)]
    assert not _holds_a_key(shown, identity)
    assert [] == [each for each in passwords if each in shown]


def test_no_frame_of_pyopenssl(identity: Identity) -> None:
    """pyOpenSSL's own frames hold the key as it is given to them, so none of them is left."""
    SSL = pytest.importorskip("OpenSSL.SSL")
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(STRICT.encode())
    with pytest.raises(IdentityRefusedError) as caught:
        load_into_pyopenssl(context, identity)
    assert not _holds_a_key(_shown(caught.value), identity)
    assert "EE_KEY_TOO_SMALL" == caught.value.reason
    assert "too weak for the security level" in str(caught.value)


def test_the_search_finds_a_key(identity: Identity) -> None:
    """The twin: a variable that holds the key is found."""

    def careless() -> None:
        pem = _pem(identity)
        raise ValueError(len(pem))

    with pytest.raises(ValueError, match=r"\d") as caught:
        careless()
    assert _holds_a_key(_shown(caught.value), identity)
