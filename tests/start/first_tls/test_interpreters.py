"""The identity is presented however the interpreter was started, and wherever modules come from."""

from __future__ import annotations

import socket
import ssl
import sys
import zipapp
import zipfile
from pathlib import Path

import pytest

from tests.start.first_tls.calls import BROKEN, CALL, assert_presented, run
from tests.support.installation import Installations
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 brought the option")
@pytest.mark.parametrize("value", ["on", "off"])
def test_frozen_modules(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    value: str,
) -> None:
    """Modules of the standard library that come from the interpreter itself."""
    options = ["-X", f"frozen_modules={value}"]

    assert_presented(run(installations, "call()", environment, options), server, alpha.fingerprint)


def test_a_zip_application_that_brings_a_client(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """What it has in it is loaded by another importer, and imports TLS."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "client.py").write_text(f"import ssl\n{CALL}", encoding="utf-8")
    (sources / "__main__.py").write_text("import client; client.call()\n", encoding="utf-8")
    archive = tmp_path / "application.pyz"
    zipapp.create_archive(sources, archive)
    installation = installations.wheel

    done = installation.run(installation.python, str(archive), environment=environment)

    assert_presented(done, server, alpha.fingerprint)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The part of the standard library that connects."""
    file = tmp_path / "library.zip"
    with zipfile.ZipFile(file, "w") as made:
        for module in (socket, ssl):
            made.write(module.__file__, Path(module.__file__).name)
    return file


_FROM_ARCHIVE = """\
{first}
call()
import socket, ssl
assert (socket.__file__, ssl.__file__) == {files!r}, (socket.__file__, ssl.__file__)
"""


@pytest.mark.parametrize("first", ["import ssl", "import socket", "import OpenSSL"])
def test_the_standard_library_in_an_archive(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    archive: Path,
    first: str,
) -> None:
    """Whose importer tells nobody, up to Python 3.9, when a module is loaded."""
    files = str(archive / "socket.py"), str(archive / "ssl.py")
    text = _FROM_ARCHIVE.format(first=first, files=files)

    done = run(installations, text, {**environment, "PYTHONPATH": str(archive)})

    assert_presented(done, server, alpha.fingerprint)


@pytest.mark.parametrize("first", ["import ssl", "import socket, ssl"])
def test_broken_settings_with_an_archive(
    installations: Installations, environment: dict[str, str], archive: Path, first: str
) -> None:
    """They end it at the import of `ssl`, not at the first connection."""
    broken = {**environment, **BROKEN, "PYTHONPATH": str(archive)}

    done = run(installations, f"{first}\nprint('after')", broken)

    assert (78, "") == (done.returncode, done.stdout)
