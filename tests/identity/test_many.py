"""Many identities at once: in their order, each distinct content once, every fault told."""

from __future__ import annotations

import _imp
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import SettingsError
from mxcert_runtime.identity import loading
from mxcert_runtime.identity.material.key_derivation import Pbkdf2
from mxcert_runtime.identity.material.passwords import PasswordForm
from tests.support.pki import Authority

PASSWORD = "correct horse"
#: more than one batch
COUNT = 70


@pytest.fixture(autouse=True)
def processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as make threads, whatever the machine has."""
    monkeypatch.setattr(loading, "_processors", lambda: 4)


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> list[Path]:
    """PKCS12 files."""
    paths = []
    for number in range(COUNT):
        paths.append(tmp_path / f"{number}.p12")
        paths[-1].write_bytes(authority.issue(f"client {number}").pkcs12(PASSWORD))
        paths[-1].chmod(0o600)
    return paths


def _entry(number: int, path: Path, password: str = PASSWORD) -> dict[str, Any]:
    return {
        "name": f"n{number}",
        "pkcs12": str(path),
        "password": password,
        "hosts": [f"h{number}"],
    }


def _activate(*entries: Mapping[str, Any]) -> list[str]:
    mxcert_runtime.activate({"identity": list(entries)})
    try:
        return [f"{each.name} {each.subject}" for each in mxcert_runtime.identities()]
    finally:
        mxcert_runtime.deactivate()


def test_they_keep_their_order(files: list[Path]) -> None:
    """Whichever thread derives what, each entry gets the identity of its own file."""
    names = _activate(*(_entry(number, path) for number, path in enumerate(files)))

    assert [f"n{number} CN=client {number}" for number in range(COUNT)] == [
        name.partition(",")[0] for name in names
    ]


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often each salt was worked on."""
    counts: Counter[bytes] = Counter()
    original = Pbkdf2._derive

    def derive(self: Pbkdf2, password: PasswordForm, length: int) -> Secret[bytes]:
        counts[self.salt] += 1
        return original(self, password, length)

    monkeypatch.setattr(Pbkdf2, "_derive", derive)
    return counts


@pytest.mark.parametrize("is_importing", [True, False])
def test_no_thread_works_under_the_lock_of_imports(
    is_importing: bool, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could import, and wait for that lock as long as its maker waits for it."""
    threads: set[int] = set()
    original = Pbkdf2._derive

    def derive(self: Pbkdf2, password: PasswordForm, length: int) -> Secret[bytes]:
        threads.add(threading.get_ident())
        return original(self, password, length)

    monkeypatch.setattr(Pbkdf2, "_derive", derive)
    if is_importing:
        _imp.acquire_lock()
    try:
        _activate(*(_entry(number, path) for number, path in enumerate(files[:8])))
    finally:
        if is_importing:
            _imp.release_lock()

    assert is_importing == (threads == {threading.get_ident()})


def test_the_same_content_is_derived_once(files: list[Path], derived: Counter[bytes]) -> None:
    """Also where several entries of one activation name it, in one file or in copies."""
    copy = files[0].with_name("copy.p12")
    copy.write_bytes(files[0].read_bytes())
    copy.chmod(0o600)
    paths = [files[0], copy, *files[:3]]

    _activate(*(_entry(number, path) for number, path in enumerate(paths)))

    assert {1} == set(derived.values())
    assert len(derived) >= 3


def test_every_fault_is_told(files: list[Path], tmp_path: Path) -> None:
    """In the order of the settings, whether it shows when a file is read, looked at or opened."""
    damaged = tmp_path / "damaged.p12"
    damaged.write_bytes(b"no PKCS12")
    entries = [_entry(number, path) for number, path in enumerate(files)]
    entries[3] = _entry(3, tmp_path / "absent.p12")
    entries[10] = _entry(10, damaged)
    entries[66] = _entry(66, files[66], "wrong")

    with pytest.raises(SettingsError) as caught:
        _activate(*entries)

    told = [str(each) for each in caught.value.faults]
    marks = ["absent.p12", "no PKCS12", "does not open with its own password"]
    assert len(marks) == len(told)
    assert [] == [mark for mark, text in zip(marks, told) if mark not in text]
    assert not mxcert_runtime.is_active()


def test_where_no_thread_is_to_be_had(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is done in the one that there is."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert 5 == len(_activate(*(_entry(number, path) for number, path in enumerate(files[:5]))))


def test_a_key_that_was_derived_ahead_is_for_its_password_alone(files: list[Path]) -> None:
    """The twin of what saves time: another form of a password gets its own key, and none stays."""
    derivation = Pbkdf2("sha256", b"salt", 2, None)
    one, other = (PasswordForm(Secret(each), Secret(each)) for each in (b"one", b"other"))
    fresh = [Pbkdf2("sha256", b"salt", 2, None).derive(each, 32).reveal() for each in (one, other)]

    derivation.derive_ahead(one, 32)

    assert fresh[1] == derivation.derive(other, 32).reveal()
    assert fresh[0] == derivation.derive(one, 32).reveal()
    assert None is derivation.ahead.take(one, 32)
