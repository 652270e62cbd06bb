"""``mxcert init``: what it writes is its owner's, whole, and in nobody's place."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mxcert_runtime.base import Secret
from mxcert_runtime.cli.writing.files import NewFile, file_of_password, write_files
from tests.cli.init.formats import HOST, PASSWORD, Init, Use
from tests.cli.init.terminal import at_terminal
from tests.support.pki import Leaf


def test_it_writes(init: Init, use: Use, pfx: Path, alpha: Leaf, tmp_path: Path) -> None:
    """Settings, schema and, from a terminal, the password, which is its owner's alone."""
    target = tmp_path / "etc" / "mxcert.toml"
    target.parent.mkdir()
    told = at_terminal(tmp_path, [PASSWORD, HOST], str(pfx), "--write", str(target))
    assert PASSWORD not in told
    assert f"export MXCERT_CONFIG={target}" in told
    assert "mxcert check" in told
    assert f"mxcert probe https://{HOST}/" in told
    text = target.read_text(encoding="utf-8")
    assert text.startswith("#:schema ./mxcert.schema.json\n")
    json.loads((target.parent / "mxcert.schema.json").read_text(encoding="utf-8"))
    password = tmp_path / "our billing.pw"
    assert (f"{PASSWORD}\n", 0o600) == (password.read_text(), password.stat().st_mode & 0o777)
    assert sorted(["mxcert.toml", "mxcert.schema.json"]) == sorted(os.listdir(target.parent))
    assert [alpha.fingerprint, None] == use({"MXCERT_CONFIG": str(target)})


def test_nothing_is_overwritten(init: Init, pfx: Path, password_file: Path, tmp_path: Path) -> None:
    """Without --force; the twin with it."""
    target = tmp_path / "mxcert.toml"
    target.write_text("precious")
    options = (pfx, "--password-file", password_file, "--host", HOST, "--write", target)
    status, _, told = init(*options)
    assert 1 == status
    assert "--force" in told
    assert "precious" == target.read_text()
    assert not (tmp_path / "mxcert.schema.json").exists()
    status, _, _ = init(*options, "--force")
    assert 0 == status
    assert "[[identity]]" in target.read_text()
    assert f"{PASSWORD}\n" == password_file.read_text()


def test_a_password_file_that_is_there(init: Init, pfx: Path, tmp_path: Path) -> None:
    """It stands where the typed one would go: the option that names it is told, and works."""
    there = pfx.with_suffix(".pw")
    there.write_text(f"{PASSWORD}\n")
    there.chmod(0o600)
    target = tmp_path / "mxcert.toml"
    told = at_terminal(tmp_path, [PASSWORD], str(pfx), "--host", HOST, "--write", str(target))
    assert "--password-file" in told
    assert not target.exists()
    options = ("--host", HOST, "--write", target)
    assert 0 == init(pfx, "--password-file", there, *options)[0]
    assert target.exists()


def test_secrets_are_their_owners(
    init: Init, pfx: Path, password_file: Path, tmp_path: Path
) -> None:
    """A file with the password in it has mode 0600, also where it replaces one of 0644."""
    target = tmp_path / "secret.yaml"
    target.write_text("old")
    target.chmod(0o644)
    options = ("--password-file", password_file, "--write", target, "--include-secrets", "--force")
    assert 0 == init(pfx, *options)[0]
    assert 0o600 == target.stat().st_mode & 0o777
    assert "kind: Secret" in target.read_text()


@pytest.mark.parametrize("kind", ["folder", "device", "link"])
def test_what_is_no_file_is_not_replaced(
    kind: str, init: Init, pfx: Path, password_file: Path, tmp_path: Path
) -> None:
    """With --force neither: not a folder, not a device; of a link, the file that it leads to."""
    target, real = tmp_path / "target.toml", tmp_path / "real.toml"
    if kind == "folder":
        target.mkdir()
    elif kind == "device":
        target.symlink_to("/dev/null")
    else:
        real.write_text("old")
        target.symlink_to(real)
    options = ("--password-file", password_file, "--write", target, "--force", "--format", "toml")
    status, _, told = init(pfx, *options)
    assert (0 if kind == "link" else 1) == status, told
    assert kind == "folder" or target.is_symlink()
    assert (kind == "link") == real.exists()
    assert kind != "link" or "[[identity]]" in real.read_text()


def test_toml_in_a_file_of_another_format(
    init: Init, pfx: Path, password_file: Path, tmp_path: Path
) -> None:
    """It would not be read: the format is told by the name."""
    options = ("--password-file", password_file, "--format", "toml", "--write")
    assert 2 == init(pfx, *options, tmp_path / "mxcert.yaml")[0]
    assert not (tmp_path / "mxcert.yaml").exists()
    assert 0 == init(pfx, *options, tmp_path / "mxcert.toml")[0]


class _Interrupting(Secret[bytes]):
    """A content at which the user presses Ctrl-C."""

    def reveal(self) -> bytes:
        raise KeyboardInterrupt


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize(("umask", "public"), [(0o022, 0o644), (0o077, 0o600), (0, 0o644)])
def test_modes(umask: int, public: int, tmp_path: Path) -> None:
    """The umask counts for what holds no secret, and what holds one is its owner's alone."""
    files = [
        file_of_password(str(tmp_path / "secret"), Secret(PASSWORD)),
        NewFile(str(tmp_path / "public"), Secret(b"text"), is_secret=False),
    ]
    before = os.umask(umask)
    try:
        write_files(files, force=False)
    finally:
        os.umask(before)
    assert [0o600, public] == [os.stat(each.path).st_mode & 0o777 for each in files]


@pytest.mark.parametrize("force", [False, True])
def test_an_interruption_leaves_nothing(force: bool, tmp_path: Path) -> None:
    """Neither the password that was written before, nor what was begun."""
    files = [
        file_of_password(str(tmp_path / "new.pw"), Secret(PASSWORD)),
        NewFile(str(tmp_path / "new.toml"), _Interrupting(b""), is_secret=True),
    ]
    with pytest.raises(KeyboardInterrupt):
        write_files(files, force=force)
    assert [] == list(tmp_path.iterdir())
    write_files(files[:1], force=force)
    assert ["new.pw"] == [each.name for each in tmp_path.iterdir()]
