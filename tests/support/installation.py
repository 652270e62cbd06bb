"""The package as its users have it: built, and installed by pip into environments of their own.

The environments take the dependencies from the environment of the tests, whose own ``.pth`` files
do not count in them, so that what starts there starts by what was installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .environment import cleaned
from .subprocesses import ROOT, Finished

#: beside the package, where it is installed, and within it, where it comes from
AUTOSTART_FILE = "mxcert_runtime_autostart.pth"
AUTOSTART_SOURCE = ROOT / "mxcert_runtime" / "autostart.pth"

#: seconds for whatever runs here, on a machine that may be busy
TIMEOUT = 120.0
_SOURCES = (
    "LICENSE",
    "README.md",
    "mxcert_runtime",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
)
_BUILD = """
import sys
from setuptools.build_meta import build_editable, build_wheel
_, wheel, editable = sys.argv  # which setuptools overwrites
build_wheel(wheel)
build_editable(editable)
"""


@dataclass(frozen=True)
class Installation:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return self.script("python")

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        variables = {"base": str(self.folder), "platbase": str(self.folder)}
        return Path(sysconfig.get_path("purelib", _SCHEME, variables))

    def script(self, name: str) -> str:
        """The path of one of its commands."""
        return str(self.folder / "bin" / name)

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """This process's environment without settings and Python paths; its commands first."""
        environment = cleaned(os.environ)
        environment.pop("PYTHONPATH", None)
        commands = os.path.dirname(self.python)
        path = os.pathsep.join((commands, os.environ.get("PATH", os.defpath)))
        return {**environment, "PATH": path, **(extra or {})}

    def run(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stdin: str = "",
    ) -> Finished:
        """Run a command with ``environment`` on top of :meth:`environment`, to its end."""
        done = subprocess.run(
            command,
            env=self.environment(environment),
            cwd=folder or self.folder,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=TIMEOUT,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def install(self, wheel: Path) -> None:
        """Install a wheel; nothing is fetched."""
        options = ["--no-deps", "--no-index", "--no-compile", "--ignore-installed", "--quiet"]
        options += ["--disable-pip-version-check", "--no-input"]
        # The pip of the tests' environment, run by this interpreter, works on this environment.
        done = self.run(self.python, "-m", "pip", "install", *options, str(wheel))
        assert done.returncode == 0, done.stderr


#: `venv` is known to sysconfig since Python 3.11; the paths are the same
_SCHEME = "nt" if os.name == "nt" else "posix_prefix"


def make_environment(folder: Path, below: Sequence[str] = ()) -> Installation:
    """An environment without the package, but with all that the tests have beside it.

    ``below`` are further folders for its ``sys.path``.
    """
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    made = Installation(folder)
    paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *below]
    text = "".join(f"{path}\n" for path in dict.fromkeys(paths))
    # Folders that a .pth file adds are not searched for such files themselves.
    (made.packages / "_environment_of_the_tests.pth").write_text(text, encoding="utf-8")
    return made


def build_wheels(folder: Path, variables: Mapping[str, str] | None = None) -> tuple[Path, Path]:
    """The wheel and the editable wheel, built in a copy of the sources; nothing is fetched.

    ``variables`` come into the environment of the build.
    """
    sources = folder / "sources"
    sources.mkdir(parents=True)
    for name in _SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, sources / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, sources / name)
    targets = folder / "wheel", folder / "editable"
    command = [sys.executable, "-c", _BUILD, *map(str, targets)]
    for target in targets:
        target.mkdir()
    # Warnings of setuptools are not ours to judge.
    environment = {**cleaned(os.environ), "PYTHONWARNINGS": "", **(variables or {})}
    done = subprocess.run(
        command,
        cwd=sources,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,), (editable,) = (target.glob("*.whl") for target in targets)
    return wheel, editable


@dataclass(frozen=True)
class Installations:
    """What the tests share, below one folder."""

    folder: Path

    @property
    def wheel(self) -> Installation:
        """The package as users have it."""
        return Installation(self.folder / "with-wheel")

    @property
    def editable(self) -> Installation:
        """The package as its developers have it."""
        return Installation(self.folder / "with-editable")

    @property
    def bare(self) -> Installation:
        """An environment with every dependency, and without the package."""
        return Installation(self.folder / "bare")

    def make(self) -> None:
        """Build and install; some two seconds."""
        wheel, editable = build_wheels(self.folder)
        make_environment(self.bare.folder)
        make_environment(self.wheel.folder).install(wheel)
        make_environment(self.editable.folder).install(editable)


def make_once(folder: Path) -> Installations:
    """What the folder holds, made by whichever process of a parallel run comes first."""
    made = Installations(folder / "installations")
    once(made.folder, made.make)
    return made


def once(folder: Path, make: Callable[[], None]) -> None:
    """Let whichever process of a parallel run comes first fill the folder, and others wait."""
    import fcntl

    with open(folder.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.with_suffix(".done")
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make()
            done.touch()
