"""What is said of a path that leads nowhere: how it is written, where it is mounted."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mxcert_runtime.base import looks_like_path, mode_remedy, remedy_of

posix_only = pytest.mark.skipif(os.name != "posix", reason="paths of POSIX")
_ABSENT = OSError(errno.ENOENT, "no such file")
_PLAIN = "Correct the path, or put the file there"


def absent(path: str) -> str:
    return remedy_of(path, _ABSENT)


@posix_only
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("~/a.pfx", "`~` is not expanded"),
        ("~app/a.pfx", "`~` is not expanded"),
        ("/etc/mxcert/~/a.pfx", "`~` is not expanded"),
        ("$HOME/a.pfx", "variables are not expanded"),
        ("${CERTS}/a.pfx", "variables are not expanded"),
        (r"%USERPROFILE%\a.pfx", "variables are not expanded"),
        ('"/certs/a.pfx"', "Take the quotes out"),
        ("'/certs/a.pfx'", "Take the quotes out"),
        ("file:///certs/a.pfx", "without `file:`"),
        ("/etc/mxcert/file:///certs/a.pfx", "without `file:`"),
        ("/etc/mxcert/'/certs/a.pfx'", "Take the quotes out"),
        ("/etc/mxcert/'a.pfx'", "Take the quotes out"),
        (r"C:\certs\a.pfx", "this one is of Windows"),
        (r"C:\\certs\\a.pfx", "this one is of Windows"),
        ("C:/certs/a.pfx", "this one is of Windows"),
        (r"\\server\share\a.pfx", "this one is of Windows"),
        (r"certs\a.pfx", "this one is of Windows"),
        ("/nowhere/a.pfx", "its folder is not there either"),
    ],
)
def test_how_it_is_written(path: str, words: str) -> None:
    """What a shell, another system or a browser would have understood is named as such."""
    assert words in absent(path)
    assert path not in absent(path)


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory is named; the twin is an absolute path."""
    monkeypatch.chdir(tmp_path)
    assert f"the working directory, which is `{os.getcwd()}`" in absent("certs/a.pfx")
    assert absent(str(tmp_path / "a.pfx")) == _PLAIN


@posix_only
def test_what_is_there_instead(tmp_path: Path) -> None:
    """A file whose name differs in case, and a link that leads nowhere."""
    (tmp_path / "Billing.pfx").touch()
    (tmp_path / "link.pfx").symlink_to(tmp_path / "gone")
    assert absent(str(tmp_path / "billing.PFX")).startswith("Write `Billing.pfx`, if that is meant")
    assert "to which the link leads" in absent(str(tmp_path / "link.pfx"))
    assert absent(str(tmp_path / "other.pfx")) == _PLAIN


def test_a_directory(tmp_path: Path) -> None:
    """A secret that was mounted as a folder: the files in it are named."""
    told = OSError(errno.EISDIR, "is a directory")
    assert remedy_of(str(tmp_path), told).endswith("not the directory that it is in")
    for name in ("tls.crt", "tls.key", "README"):
        (tmp_path / name).touch()
    assert remedy_of(str(tmp_path), told).endswith("such as `tls.crt`, `tls.key` in it")


def _in_kubernetes(tmp_path: Path) -> str:
    """A file as the kubelet lays out the volume of a secret."""
    (tmp_path / "..2026_11_26").mkdir()
    (tmp_path / "..2026_11_26" / "a.pfx").touch()
    (tmp_path / "..data").symlink_to("..2026_11_26")
    (tmp_path / "a.pfx").symlink_to("..data/a.pfx")
    return str(tmp_path / "a.pfx")


@posix_only
def test_permissions(tmp_path: Path) -> None:
    """Who may not read it is named, and in Kubernetes what gives it to him."""
    told = OSError(errno.EACCES, "permission denied")
    own = f"Let the user that runs this program read the file, which is {os.geteuid()}"
    assert remedy_of(str(tmp_path / "a.pfx"), told) == own
    assert "`fsGroup` of the pod" in remedy_of(_in_kubernetes(tmp_path), told)


@posix_only
def test_modes(tmp_path: Path) -> None:
    """Nobody can follow the advice to ``chmod`` a file of a Kubernetes volume."""
    path = _in_kubernetes(tmp_path)
    link = tmp_path.parent / f"{tmp_path.name}.pfx"
    link.symlink_to(path)
    for each in (path, str(link)):
        assert "`defaultMode: 04" in mode_remedy(each)
        assert "`chmod 600`" not in mode_remedy(each)


@posix_only
@pytest.mark.parametrize(
    ("user", "words"),
    [(0, "`defaultMode: 0400` of its volume,"), (1000, "0440` of its volume with `fsGroup`")],
)
def test_modes_by_user(
    user: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kubelet's files are root's: whoever else follows the advice must still read them."""
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert words in mode_remedy(_in_kubernetes(tmp_path))


@posix_only
def test_modes_elsewhere(tmp_path: Path) -> None:
    """The twin."""
    assert mode_remedy(str(tmp_path / "a.pfx")).endswith("`chmod 600`")


@pytest.mark.skipif(not hasattr(os, "ST_RDONLY"), reason="this system does not tell")
def test_modes_of_a_read_only_mount() -> None:
    """As that of a Docker secret."""
    mounts = ("/sys", "/sys/fs/cgroup", "/proc/sys", "/proc/bus", "/nix/store")
    there = [each for each in mounts if os.path.isdir(each)]
    found = [each for each in there if os.statvfs(each).f_flag & os.ST_RDONLY]
    if not found:
        pytest.skip("nothing is mounted read-only here")
    assert "`uid` and `mode: 0400` of a Docker secret" in mode_remedy(found[0])


@pytest.mark.parametrize("text", ['"/a/b"', "'~/a.pfx'", "a.pfx"])
def test_paths_in_quotes_are_shown(text: str) -> None:
    """Since whoever quotes a path wonders why it is not found."""
    assert looks_like_path(text)
    assert not looks_like_path('"a password"')
