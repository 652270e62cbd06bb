"""Builds what is released, twice, and compares it: sdist, wheel, SBOM and their hashes, in dist/.

    python .ci/release.py

Of the commit that is checked out, and of nothing beside it. Run it with the Python of an
environment that has build, setuptools, twine and cyclonedx-bom: `nox -s release` makes one.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
SUMS = "SHA256SUMS"
NAME = "mxcert-runtime"


class NotReproducibleError(Exception):
    """Two builds of one commit differ."""


def main() -> None:
    """Build, compare, look, and write dist/ anew."""
    epoch = int(_git("log", "-1", "--format=%ct"))
    # Which bits of a file's mode are kept is in a wheel.
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        builds = [_built(Path(folder, name), epoch) for name in ("one", "the-other-one")]
        compare(*builds)
        files = sorted(builds[0].iterdir())
        _run("-m", "twine", "check", "--strict", *map(str, files))
        shutil.rmtree(DIST, ignore_errors=True)
        shutil.copytree(builds[0], DIST)
        _write_bill(Path(folder, "environment"), epoch)
    write_sums(DIST)
    print((DIST / SUMS).read_text(encoding="ascii"), end="")


def _built(folder: Path, epoch: int) -> Path:
    """The sdist of the commit and the wheel that is built from it, in a folder of their own."""
    sources, made = folder / "sources", folder / "dist"
    sources.mkdir(parents=True)
    made.mkdir()
    archive = _output("git", "archive", "--format=tar", "HEAD")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        _extract(tar, sources)
    options = ("--no-isolation", "--outdir", str(made))
    _run("-m", "build", "--sdist", *options, str(sources), epoch=epoch)
    (sdist,) = made.glob("*.tar.gz")
    sdist.write_bytes(normalized(sdist.read_bytes(), epoch))
    with tarfile.open(sdist) as tar:
        _extract(tar, folder)
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    _run("-m", "build", "--wheel", *options, str(unpacked), epoch=epoch)
    return made


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
    else:
        tar.extractall(folder)  # noqa: S202 - an archive that was made here


def normalized(archive: bytes, epoch: int) -> bytes:
    """The same sdist whoever makes it, when and where: no owners, one time, files in order."""
    text = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        tarfile.open(fileobj=text, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda each: each.name):
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime = epoch
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=epoch) as file:
        file.write(text.getvalue())
    return packed.getvalue()


def compare(one: Path, other: Path) -> None:
    """Raise :class:`NotReproducibleError` unless both folders have the same files, byte by byte."""
    hashes = [{path.name: sha256(path) for path in folder.iterdir()} for folder in (one, other)]
    names = sorted({*hashes[0], *hashes[1]})
    differing = [name for name in names if hashes[0].get(name) != hashes[1].get(name)]
    if differing:
        raise NotReproducibleError(f"built twice, these differ: {', '.join(differing)}")


def sha256(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_sums(folder: Path) -> None:
    """The hashes of all files in a folder, as `sha256sum --check` reads them."""
    files: Iterable[Path] = sorted(each for each in folder.iterdir() if each.name != SUMS)
    lines = [f"{sha256(each)}  {each.name}\n" for each in files]
    (folder / SUMS).write_text("".join(lines), encoding="ascii")


def _write_bill(folder: Path, epoch: int) -> None:
    """The bill of materials (CycloneDX) of an environment with the wheel alone."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    python = str(folder / "bin" / "python")
    install = ("-m", "pip", "--python", python, "install", "--quiet")
    # The wheel of this build, and never a namesake of an index; then what it needs.
    _run(*install, "--no-deps", "--no-index", "--find-links", str(DIST), NAME)
    _run(*install, NAME)
    (wheel,) = DIST.glob("*.whl")
    bill = DIST / f"{wheel.name.removesuffix('.whl')}.cdx.json"
    options = ("--output-reproducible", "--of", "JSON", "-o", str(bill), "--mc-type", "library")
    _run("-m", "cyclonedx_py", "environment", *options, python, epoch=epoch)


def _run(*arguments: str, epoch: int | None = None) -> None:
    environment = dict(os.environ)
    if epoch is not None:
        environment["SOURCE_DATE_EPOCH"] = str(epoch)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True)  # noqa: S603


def _git(*arguments: str) -> str:
    return _output("git", *arguments).decode().strip()


def _output(*command: str) -> bytes:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S603


if __name__ == "__main__":
    main()
