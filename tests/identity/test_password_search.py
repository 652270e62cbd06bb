"""A password that does not open its file is told by what is wrong about it, never by itself."""

from __future__ import annotations

import base64
import os
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.files_read import changed_files, files_read
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.errors import IdentityError, IdentityProblem, SettingsError
from mxcert_runtime.identity import password_search
from mxcert_runtime.identity.opening import Content
from mxcert_runtime.identity.password_search import PasswordSearch
from mxcert_runtime.identity.sources import IdentitySettings, MaterialFile, Pkcs12File
from mxcert_runtime.settings.loading import read_settings, settings_from
from tests.support import pki

if TYPE_CHECKING:
    from mxcert_runtime.identity.opening import Opened


PASSWORDS = ("Correct-Horse-7", "Battery-Staple-8", "Tr0ub4dor-and-3")
ORIGIN = Origin("tests", "entry 1")


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is bounded by its tries alone, however busy the machine is."""
    monkeypatch.setattr(password_search, "_MOST_SECONDS", 600.0)


@pytest.fixture
def paths(tmp_path: Path, issuer: pki.Authority) -> list[str]:
    """Three PKCS12 files, of the passwords in their order."""
    found = []
    for number, password in enumerate(PASSWORDS):
        path = tmp_path / f"{number}.p12"
        path.write_bytes(issuer.issue(f"leaf {number}").pkcs12(password, rounds=1))
        found.append(str(path))
    return found


def faults_of(paths: list[str], passwords: tuple[str, ...]) -> list[str]:
    environ = {
        "ClientCertificates": ",".join(paths),
        "ClientCertificatePasswords": ",".join(passwords),
    }
    try:
        build_generation(read_settings(environ, default_file="/nonexistent"))
    except SettingsError as error:
        shown = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        assert [] == [each for each in passwords if each and each in shown]
        return [str(fault) for fault in error.faults]
    return []


_AT = "environment variable ClientCertificatePasswords, entry"


def test_swapped_passwords(paths: list[str]) -> None:
    """Each fault names the entry whose password opens the file."""
    one, two, three = PASSWORDS
    told = faults_of(paths, (two, one, three))
    assert [f"'{path}' does not open with its own password" in each
            for path, each in zip(paths, told)] == [True, True]  # fmt: skip
    assert [f"the password of {_AT} {n} opens it" in each for n, each in zip((2, 1), told)] == [
        True,
        True,
    ]
    assert faults_of(paths, PASSWORDS) == []


def test_a_list_that_has_shifted(paths: list[str]) -> None:
    """Every file is opened by a neighbour's; what no password opens is told as before."""
    told = faults_of(paths, ("", *PASSWORDS[:2]))
    assert [f"the password of {_AT} {n} opens it" in each for n, each in zip((2, 3), told)] == [
        True,
        True,
    ]
    assert "does not open without a password" in told[0]
    assert "the password is wrong or the file is damaged" in told[2]


_AROUND = {
    "a newline": (f"{PASSWORDS[0]}\n", "without the white space"),
    "newlines of Windows": (f"{PASSWORDS[0]}\r\n\r\n", "without the white space"),
    "a blank in front": (f" {PASSWORDS[0]}", "without the white space"),
    "a mark of UTF-8": (f"\ufeff{PASSWORDS[0]}", "without the white space"),
    "a blank that does not break": (f"{PASSWORDS[0]}\u00a0", "without the white space"),
    "quotes": (f'"{PASSWORDS[0]}"', "without the quotes"),
    "quotes and a newline": (f"'{PASSWORDS[0]}'\n", "without the quotes"),
    "base64": (base64.b64encode(PASSWORDS[0].encode()).decode(), "decoded from base64"),
    "base64 of a line": (
        base64.b64encode(PASSWORDS[0].encode() + b"\n").decode(),
        "decoded from base64",
    ),
    "another one in quotes": (f'"{PASSWORDS[1]}" ', "the password is wrong or the file"),
}


@pytest.mark.parametrize("what", _AROUND)
@pytest.mark.parametrize("kind", ["pkcs12", "key"])
def test_what_surrounds_it(what: str, kind: str, tmp_path: Path, leaf: pki.Leaf) -> None:
    """What editors, secrets and templates put around a password is named, in both formats."""
    password, words = _AROUND[what]
    (tmp_path / "a.p12").write_bytes(leaf.pkcs12(PASSWORDS[0], rounds=1))
    certificate, key = leaf.write_pem(tmp_path, password=PASSWORDS[0])
    entries = {
        "pkcs12": {"pkcs12": str(tmp_path / "a.p12")},
        "key": {"certificate": str(certificate), "key": str(key)},
    }
    with pytest.raises(SettingsError) as caught:
        build_generation(settings_from({"identity": [{**entries[kind], "password": password}]}))
    (fault,) = caught.value.faults
    assert words in fault.problem
    assert "password" in fault.origin
    assert [] == [each for each in PASSWORDS if each in str(fault)]


@pytest.mark.parametrize("kind", ["pkcs12", "key"])
def test_no_password_at_all(kind: str, tmp_path: Path, leaf: pki.Leaf) -> None:
    """The remedy names the settings that take one."""
    (tmp_path / "a.p12").write_bytes(leaf.pkcs12(PASSWORDS[0], rounds=1))
    certificate, key = leaf.write_pem(tmp_path, password=PASSWORDS[0])
    entries = {
        "pkcs12": {"pkcs12": str(tmp_path / "a.p12")},
        "key": {"certificate": str(certificate), "key": str(key)},
    }
    with pytest.raises(SettingsError) as caught:
        build_generation(settings_from({"identity": [entries[kind]]}))
    (fault,) = caught.value.faults
    assert "no password is given" in fault.problem or "none is given" in fault.problem
    assert "ClientCertificatePasswords" in fault.remedy
    assert "`password_file`" in fault.remedy


class _Unasked:
    """Material that is no file, such as a token's or a source's; asking it is a failure."""

    def files(self) -> tuple[MaterialFile, ...]:
        return ()

    def read(self) -> Content:
        pytest.fail("a token or a source was asked with another password")

    def shown(self) -> str:
        return "a token"


def test_tokens_are_left_alone(paths: list[str]) -> None:
    """No password is tried on them, nor is a PIN of theirs on a file."""
    token = IdentitySettings("token", _Unasked(), Secret(PASSWORDS[0]), ORIGIN)
    file = IdentitySettings("file", Pkcs12File(paths[0]), Secret(PASSWORDS[1]), ORIGIN)
    wrong = IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, "wrong", "correct it")
    search = PasswordSearch([token, file])
    assert search.explain(token, wrong, file.material.read()) is wrong
    assert search.explain(file, wrong, file.material.read()) is wrong


def test_tries_are_bounded(paths: list[str]) -> None:
    """A thousand entries with wrong passwords do not keep a program waiting."""
    entries = [
        IdentitySettings(str(n), Pkcs12File(paths[0]), Secret(f"wrong {n}"), ORIGIN)
        for n in range(60)
    ]
    right = IdentitySettings("right", Pkcs12File(paths[0]), Secret(PASSWORDS[0]), ORIGIN)
    wrong = IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, "wrong", "correct it")
    content = right.material.read()
    search = PasswordSearch([*entries, right])
    assert search.explain(entries[0], wrong, content) is wrong
    assert search.explain(entries[-1], wrong, content) is not wrong
    assert [wrong] * 60 == [
        search.explain(each, wrong, content) for each in entries[:-20] + entries[:20]
    ]
    assert search.explain(entries[-1], wrong, content) is wrong


def test_time_is_bounded(paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files take long to open, what is known by then is told."""
    monkeypatch.setattr(password_search, "_MOST_SECONDS", -1.0)
    told = faults_of(paths, (PASSWORDS[1], PASSWORDS[0], PASSWORDS[2]))
    assert 2 == len(told)
    assert [] == [each for each in told if "the password is wrong or the file" not in each]


class _Counted:
    """Content that counts how often it is opened."""

    labels = ("a file",)
    opened = 0

    def parts(self) -> tuple[Secret[bytes], ...]:
        return ()

    def open(self, password: Secret[str] | None) -> Opened:
        self.opened += 1
        raise IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, "wrong", "correct it")

    def prepared(self, password: Secret[str] | None) -> None:
        return None


@pytest.mark.parametrize(("distinct", "expected"), [(1, 0), (2, 1), (5, 4), (40, 12)])
def test_a_password_is_tried_once(paths: list[str], distinct: int, expected: int) -> None:
    """Hundreds of entries with the same password are one try; none spends all that there are."""
    entries = [
        IdentitySettings(str(n), Pkcs12File(paths[0]), Secret(f"wrong {n % distinct}"), ORIGIN)
        for n in range(400)
    ]
    wrong = IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, "wrong", "correct it")
    content = _Counted()
    assert PasswordSearch(entries).explain(entries[200], wrong, content) is wrong
    assert expected == content.opened


def test_a_file_that_changes_meanwhile(paths: list[str]) -> None:
    """What did not open is what is searched: the file is not read again, nor noted as read."""
    environ = {"ClientCertificates": paths[0], "ClientCertificatePasswords": PASSWORDS[1]}
    reading = read_settings(environ, default_file="/nonexistent")
    (entry,) = reading.settings.identities
    wrong = IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, "wrong", "correct it")
    with files_read() as marks:
        content = entry.material.read()
        first = dict(marks)
        Path(paths[0]).write_bytes(b"the next one, half of it")
        assert PasswordSearch([entry]).explain(entry, wrong, content) is wrong
    assert first == marks
    assert changed_files(marks) == [paths[0]]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_that_was_read(paths: list[str], tmp_path: Path) -> None:
    """It gives its content once, and is told as a file is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = Path(paths[0]).read_bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    told = faults_of([str(pipe), paths[1]], (PASSWORDS[1], PASSWORDS[0]))
    writer.join(10)
    assert f"the password of {_AT} 2 opens it" in told[0]
