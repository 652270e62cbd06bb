"""``mxcert init``: what cannot be used is refused with words, or asked for again."""

from __future__ import annotations

import datetime
import json
import os
import shlex
import shutil
from pathlib import Path

import pytest

from tests.cli.init.formats import HOST, PASSWORD, WAYS, Init
from tests.cli.init.terminal import at_terminal
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, now


def test_a_wrong_password_is_asked_again(pfx: Path, tmp_path: Path) -> None:
    """As often as three times; an option with hosts leaves nothing else to ask."""
    told = at_terminal(tmp_path, ["wrong", PASSWORD], str(pfx), "--host", HOST)
    assert "does not open it" in told
    assert f"mxcert probe https://{HOST}/" in told
    wrong = at_terminal(tmp_path, ["wrong"] * 3, str(pfx), "--host", HOST)
    assert "password" in wrong
    assert "mxcert probe" not in wrong


def test_without_a_terminal(init: Init, pfx: Path, tmp_path: Path) -> None:
    """The option is named that says the password; nobody waits."""
    status, settings, told = init(pfx)
    assert (1, "") == (status, settings)
    assert "--password-file PATH" in told
    status, settings, told = init(pfx, "--password-file", tmp_path / "absent.pw")
    assert (1, "") == (status, settings)
    assert "absent.pw` is not there" in told
    assert not (tmp_path / "absent.pw").exists()


def test_what_cannot_be_used(init: Init, client_authority: Authority, tmp_path: Path) -> None:
    """Expired, a wrong password, no such file, no identity, an impossible host: no settings."""
    past = now() - datetime.timedelta(days=9)
    late = client_authority.issue("late", server=False, not_before=past, not_after=past + DAY)
    files = ClientFiles(tmp_path, PASSWORD)
    expired = files.pkcs12(late, "late.pfx")
    sound_one = files.pkcs12(client_authority.issue("sound", server=False), "sound.pfx")
    (tmp_path / "right").write_text(PASSWORD)
    (tmp_path / "wrong").write_text("nonsense")
    (tmp_path / "text.pfx").write_text("hello")
    right = ("--password-file", tmp_path / "right")
    for arguments, word in (
        ((expired, *right), "expired"),
        ((sound_one, "--password-file", tmp_path / "wrong"), "password"),
        ((tmp_path / "absent.pfx", *right), "cannot be read"),
        ((tmp_path / "text.pfx", *right), "PKCS12"),
        ((sound_one, *right, "--host", "a b"), "a b"),
    ):
        status, settings, told = init(*arguments)
        assert (1, "") == (status, settings), arguments
        assert word in told
        assert "nonsense" not in told


DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("around", "word"), [(" {} ", "white space"), ('"{}"', "the quotes around it")]
)
def test_a_password_with_more_around_it(
    around: str, word: str, init: Init, pfx: Path, tmp_path: Path
) -> None:
    """What is too much is named, as for the settings of a program; nothing is made."""
    (tmp_path / "pw").write_text(around.format(PASSWORD))
    status, settings, told = init(pfx, "--password-file", tmp_path / "pw", "--host", HOST)
    assert (1, "") == (status, settings)
    assert word in told
    assert PASSWORD not in told


def test_files_of_pem_alone(init: Init, alpha: Leaf, tmp_path: Path) -> None:
    """A certificate without its key, a key without its certificate, both in each other's place."""
    certificate, key = alpha.write_pem(tmp_path, "alpha")
    for arguments in ((certificate,), (key,), (key, "--key", certificate)):
        status, settings, told = init(*arguments, "--host", HOST)
        assert (1, "") == (status, settings)
        assert "--key" in told
        assert "PKCS12" not in told
    assert 0 == init(certificate, "--key", key, "--host", HOST)[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["a.pfx;echo $(id)", "a.p:x", "a.%h", "a b'c\"d.pfx", "$(id).pfx"])
def test_odd_names_of_files(
    name: str, init: Init, password_file: Path, alpha: Leaf, tmp_path: Path
) -> None:
    """What is printed is the same words for a shell, whatever the file is called, or refused."""
    path = ClientFiles(tmp_path, PASSWORD).pkcs12(alpha, name)
    for form in WAYS:
        options = ("--password-file", password_file, "--host", HOST, "--format", form, "--json")
        status, printed, _ = init(path, *options)
        if status == 2:
            assert ("kubernetes", True) == (form, '"' in name)
            continue
        for step in json.loads(printed)["next"]:
            words = shlex.split(step, comments=True, posix=True)
            joined = "".join(words)
            if "create secret" in step:
                assert [f"client{path.suffix if path.suffix == '.pfx' else '.p12'}={path}"] == [
                    each.split("=", 1)[1] for each in words if each.endswith(f"={path}")
                ]
            assert joined.count("$(") == (joined.count(name) if "$(" in name else 0)


def test_a_path_that_is_no_text(
    init: Init, password_file: Path, alpha: Leaf, tmp_path: Path
) -> None:
    """Bytes that are no UTF-8 cannot be in any of the formats, and are refused with words."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.pfx"))
    try:
        shutil.copy(ClientFiles(tmp_path, PASSWORD).pkcs12(alpha, "a.pfx"), path)
    except OSError:
        pytest.skip("such a name cannot be here")
    for form in WAYS:
        options = ("--password-file", password_file, "--host", HOST, "--format", form)
        status, settings, told = init(path, *options)
        assert (2, "") == (status, settings)
        assert "UTF-8" in told
