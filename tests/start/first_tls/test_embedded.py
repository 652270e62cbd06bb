"""A program in C that has Python within it presents its identity like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.start.distributions import empty_environment, extract_package
from tests.start.first_tls.calls import CALL, assert_presented
from tests.start.first_tls.embedding import run_embedded
from tests.support.installation import Installations, make_environment
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


@pytest.mark.parametrize("before", ["", "import sys; del sys.argv\n"], ids=["", "no sys.argv"])
def test_an_embedded_interpreter(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
    before: str,
) -> None:
    """Without arguments of its own, or without so much as a place for them."""
    program = empty_environment(tmp_path / "environment")
    site = f"import site; site.addsitedir({str(installations.wheel.packages)!r})\n"

    done = run_embedded(program, tmp_path, environment, f"{before}{site}{CALL}\ncall()\n")

    assert_presented(done, server, alpha.fingerprint)


@pytest.mark.parametrize("loaded", ["", "import ssl"], ids=["", "ssl is loaded"])
@pytest.mark.parametrize("last", [False, True], ids=["package first", "package last"])
def test_a_program_in_c_adds_the_folders(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
    last: bool,
    loaded: str,
) -> None:
    """No function in Python is at work between them: it waits for the end of the one in `site`."""
    package = extract_package(installations, tmp_path / "package")
    dependencies = make_environment(tmp_path / "dependencies").packages
    program = empty_environment(tmp_path / "environment")
    folders = [str(package), str(dependencies)][:: -1 if last else 1]

    done = run_embedded(*(program, tmp_path, environment, loaded, *folders, f"{CALL}\ncall()\n"))

    assert_presented(done, server, alpha.fingerprint)


def test_a_program_in_c_without_the_dependencies(
    installations: Installations, environment: dict[str, str], server: TlsServer, tmp_path: Path
) -> None:
    """The twin: it ends with 78, and has connected to nobody."""
    package = extract_package(installations, tmp_path / "package")
    program = empty_environment(tmp_path / "environment")
    arguments = "import ssl", str(package), f"{CALL}\ncall()\n"

    done = run_embedded(program, tmp_path, environment, *arguments)

    assert (78, "") == (done.returncode, done.stdout)
    assert [] == list(server.answers)
