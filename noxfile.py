"""The steps of the continuous integration: ``nox -l`` lists them, ``.ci/run`` runs all.

Environments are those that ``.ci/test`` makes, in ``.venv`` and below ``.venvs``: the tests of a
Python, its types and CPython's own suites then need one installation and not three. Nox makes none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.stop_on_first_error = False

PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
EACH_PYTHON = [nox.param(version, id=version) for version in PYTHONS]
#: what ``.ci/test`` takes when nothing else is said
MAIN_PYTHON = os.environ.get("MXCERT_PYTHON", "python3")
SKIPPED = 77
_SHIPS_SUITES = "import importlib.util as u, sys; sys.exit(not u.find_spec('test.test_ssl'))"
#: what a user of a released package has next; a part of the tests, since its root is made anew
NEWEST_TESTS = (
    "tests/start/test_subinterpreters.py",
    "tests/clients",
    "tests/contexts",
    "tests/diagnosis",
    "tests/connections",
    "tests/tokens",
)
#: what differs by the version of Python and OpenSSL, for those between the oldest and the newest
BETWEEN_TESTS = (
    *NEWEST_TESTS,
    "tests/base/test_frozen_dataclass.py",
    "tests/engines",
    "tests/rotation",
    "tests/start",
    "tests/unnamed",
)
#: where all tests run; ``oldest`` and ``bash .ci/test`` do so too
ALL_TESTS = ("3.13", "3.14")


# --- the steps -----------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: what it complains of, and whether all is formatted."""
    _install_for_development(session)
    _run(session, ".venv/bin/ruff", "check", ".")
    _run(session, ".venv/bin/ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict, where the types of all dependencies can be read."""
    _install_for_development(session)
    _run(session, ".venv/bin/mypy")


@nox.session
def wheel(session: nox.Session) -> None:
    """What users get: the built wheel in an environment without extras, away from the checkout."""
    _run(session, "bash", ".ci/wheel")


@nox.session
@nox.parametrize("version", EACH_PYTHON)
def tests(session: nox.Session, version: str) -> None:
    """Tests on one Python: all on the newest, between it and the oldest what differs by version."""
    if version == os.environ.get("CI_TESTED"):
        session.skip("`bash .ci/test` ran on it")
    environment = {"MXCERT_PYTHON": _python(session, version), "MXCERT_VENV": _venv(version)}
    wanted = session.posargs or (() if version in ALL_TESTS else BETWEEN_TESTS)
    _run(session, "bash", ".ci/test", "-m", "not any_python", *wanted, env=environment)


@nox.session
def oldest(session: nox.Session) -> None:
    """All tests with exactly the oldest dependencies that setup.cfg allows."""
    environment = {
        "PIP_CONSTRAINT": str(Path("tests/constraints-oldest.txt").resolve()),
        "MXCERT_PYTHON": _oldest_python(session),
        "MXCERT_VENV": ".venvs/oldest",
    }
    _run(session, "bash", ".ci/test", *session.posargs, env=environment)


@nox.session
def newest(session: nox.Session) -> None:
    """A fair part of the tests on the newest Python and OpenSSL that Debian has."""
    command = ("bash", ".ci/newest", "-q", *NEWEST_TESTS)
    output = _run(session, *command, success_codes=[0, SKIPPED], silent=True)
    reasons = [line for line in output.splitlines() if line.startswith("skipped: ")]
    if reasons:
        session.skip(reasons[0].partition(": ")[2])
    session.log(output)


@nox.session
@nox.parametrize("version", EACH_PYTHON)
def cpython(session: nox.Session, version: str) -> None:
    """CPython's own suites must end the same with the plugin as without."""
    python = Path(_venv(version)) / "bin/python"
    if not python.exists():
        session.skip(f"there is no {python}, which tests({version}) makes")
    if not _answers(str(python), _SHIPS_SUITES):
        session.skip(f"{python} ships no test suites of CPython")
    _run(session, str(python), "-m", "tests.cpython")


@nox.session
def compat(session: nox.Session) -> None:
    """A fair part of the compatibility table, by what servers saw; the whole: tests.compat."""
    names = "import ctypes; ctypes.CDLL('libnss_wrapper.so')"
    if not _answers(MAIN_PYTHON, names):
        session.skip("libnss-wrapper is not installed, which gives test names to clients")
    _install_for_development(session)
    environments = "core", "niquests", "own-tls"
    _run(session, ".venv/bin/python", "-m", "tests.compat", "--only", *environments)


@nox.session
def own_tls(session: nox.Session) -> None:
    """Clients with TLS of their own, hooked and as docs/own-tls.md has them, with real servers."""
    _install_for_development(session)
    folder = Path(".venvs/own-tls-clients").resolve()
    requirements = Path("tests/own_tls/requirements.txt").read_text(encoding="ascii").splitlines()
    pip = (".venv/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--prefer-binary")
    for each in requirements:
        if not each.startswith("#"):
            _run(session, *pip, "--target", str(folder), *each.split(), success_codes=[0, 1])
    hooked = "tests/clients/grpcio", "tests/clients/curl"
    command = (".venv/bin/python", "-m", "pytest", "-q", "-rs", "tests/own_tls", *hooked)
    _run(session, *command, env={"PYTHONPATH": str(folder)})


@nox.session
def suites(session: nox.Session) -> None:
    """Other libraries' own tests must end the same with the plugin as without."""
    _install_for_development(session)
    # All of them take the better part of an hour; these hold the two engines.
    in_short = ("httpcore", "pyopenssl", "--modes", "rules") if "CI_DEADLINE" in os.environ else ()
    wanted = session.posargs or in_short
    _run(session, ".venv/bin/python", "-m", "tests.suites", *wanted)


@nox.session
def docs(session: nox.Session) -> None:
    """The documents as a site in build/site; a link that leads nowhere fails."""
    python = ".venvs/docs/bin/python"
    if not Path(python).exists():
        _run(session, MAIN_PYTHON, "-m", "venv", ".venvs/docs")
    install = (python, "-m", "pip", "install", "--quiet", "--editable", ".[docs]")
    _run(session, *install, success_codes=[0, 1])
    if not _answers(python, "import material, mkdocs"):
        session.skip("mkdocs-material cannot be installed here")
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    _run(session, python, "-m", "mkdocs", "build", "--strict", env=quiet)


@nox.session
def release(session: nox.Session) -> None:
    """What is released, in dist/: built twice and compared, with hashes and a bill of materials."""
    python = ".venvs/release/bin/python"
    if not Path(python).exists():
        _run(session, MAIN_PYTHON, "-m", "venv", ".venvs/release")
    tools = ("build", "cyclonedx-bom", "setuptools>=70.1", "twine")
    install = (python, "-m", "pip", "install", "--quiet", *tools)
    _run(session, *install, success_codes=[0, 1])
    if not _answers(python, "import build, cyclonedx_py, twine"):
        session.skip("build, twine and cyclonedx-bom cannot be installed here")
    _run(session, python, ".ci/release.py")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Every benchmark once, briefly: that they run, not what they measure."""
    _install_for_development(session)
    _run(session, ".venv/bin/python", "-m", "benchmarks", "--smoke")


# --- what the steps share ------------------------------------------------------------------------


def _run(
    session: nox.Session,
    *command: str,
    env: dict[str, str] | None = None,
    success_codes: tuple[int, ...] | list[int] = (0,),
    silent: bool = False,
) -> str:
    """Runs ``command`` within what is left of the time; returns what it printed where silent."""
    limited = (*_time_limit(session), *command)
    output = session.run(
        *limited, env=env, external=True, success_codes=success_codes, silent=silent
    )
    return output if isinstance(output, str) else ""


def _time_limit(session: nox.Session) -> tuple[str, ...]:
    deadline = os.environ.get("CI_DEADLINE")
    if deadline is None or shutil.which("timeout") is None:
        return ()
    left = int(deadline) - int(time.time())
    if left <= 0:
        session.error("no time is left of what the whole run may take")
    return ("timeout", "--kill-after=30", str(left))


def _install_for_development(session: nox.Session) -> None:
    """Into the environment that the tests made, where the types of the dependencies can be read."""
    if not Path(".venv/bin/python").exists():
        _run(session, MAIN_PYTHON, "-m", "venv", ".venv")
    packages = ("--quiet", "--editable", ".[tests,benchmarks,dev]")
    _run(session, ".venv/bin/python", "-m", "pip", "install", *packages)


def _venv(version: str) -> str:
    return ".venv" if version == _version(MAIN_PYTHON) else f".venvs/{version}"


def _python(session: nox.Session, version: str) -> str:
    """The command of Python ``version``, or the end of the session where this machine has none."""
    found = [python for python in _candidates(version) if _version(python) == version]
    if not found:
        session.skip(f"this machine has no Python {version}")
    if not _answers(found[0], "import ensurepip, venv"):
        session.skip(f"{found[0]} cannot make virtual environments")
    return found[0]


def _oldest_python(session: nox.Session) -> str:
    for version in PYTHONS:
        for python in _candidates(version):
            if _version(python) == version and _answers(python, "import ensurepip, venv"):
                return python
    session.skip("no Python here can make virtual environments")


def _candidates(version: str) -> list[str]:
    """Those of pyenv come first: they ship CPython's test suites, which distributions leave out."""
    of_pyenv = sorted(_pyenv_root().glob(f"versions/{version}.*/bin/python"), reverse=True)
    return [*map(str, of_pyenv), f"python{version}", "python3", sys.executable]


def _pyenv_root() -> Path:
    return Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


def _version(python: str) -> str | None:
    return _output(python, "import sys; print('%d.%d' % sys.version_info[:2])")


def _answers(python: str, code: str) -> bool:
    return _output(python, code) is not None


def _output(python: str, code: str) -> str | None:
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
