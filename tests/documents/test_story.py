"""The first minute that README.md and docs/start.md tell, against a server, as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand
from tests.support.subprocesses import Finished, client_environment
from tests.support.tls_server import TlsServer

from .pages import DOCS, ROOT, snippets

HOST = "api.billing.example"
STORIES = [ROOT / "README.md", DOCS / "start.md"]
_FAMILY = "export ClientCertificates="
_URL, _PASSWORD = f"https://{HOST}", "its password"

each_page = pytest.mark.parametrize("page", STORIES, ids=lambda page: page.name)


class Story:
    """A folder in the place of /run/secrets, a server in that of the partner."""

    def __init__(self, folder: Path, server: TlsServer) -> None:
        self.folder = folder
        self.server = server

    def told(self, text: str) -> str:
        """A text of the page, with this folder and this server."""
        return text.replace("/run/secrets", str(self.folder)).replace(
            _URL, self.server.url(HOST).rstrip("/")
        )

    def variables(self, page: Path) -> Mapping[str, str]:
        """What the page exports for its first certificate, and the partner's CA."""
        found: dict[str, str] = {"CACertificates": str(self.folder / "partner-ca.pem")}
        exports = (each.text for each in snippets(page, "sh") if _FAMILY in each.text)
        for name, value in re.findall(r"^export (\w+)=(.+)$", next(exports), re.MULTILINE):
            found[name] = self.told(value.strip("'"))
        return found

    def made(self, page: Path) -> Mapping[str, str]:
        """What the page exports behind `mxcert init`, which is run as it stands there."""
        (snippet,) = (each.text for each in snippets(page, "sh") if "mxcert init" in each.text)
        command, export = snippet.splitlines()
        # In the place of the answer at a terminal.
        (self.folder / "billing.pw").write_text(_PASSWORD, encoding="utf-8")
        words = [*command.split()[1:], "--password-file", "billing.pw"]
        done = self.run("-m", "mxcert_runtime", *words, variables={})
        assert 0 == done.returncode, done.stderr
        name, path = export.removeprefix("export ").split("=")
        authority = {"CACertificates": str(self.folder / "partner-ca.pem")}
        return {**authority, name: str(self.folder / path)}

    def run(self, *command: str, variables: Mapping[str, str]) -> Finished:
        """A command in the environment of the story, and in its folder."""
        done = subprocess.run(
            [sys.executable, *command],
            env=client_environment(variables, host_patterns=(HOST,)),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def program(self, page: Path) -> str:
        """The page's own program, as a file."""
        text = next(each.text for each in snippets(page, "python") if _URL in each.text)
        path = self.folder / "program.py"
        path.write_text(self.told(text), encoding="utf-8")
        return os.fspath(path)


@pytest.fixture
def story(
    tmp_path: Path, authority: Authority, alpha: Leaf, tls_server: ServerFactory[TlsServer]
) -> Story:
    """A partner that demands a certificate."""
    pytest.importorskip("requests", reason="requests is not installed")
    ClientFiles(tmp_path, _PASSWORD).pkcs12(alpha, "billing.pfx")
    (tmp_path / "partner-ca.pem").write_bytes(authority.pem)
    return Story(tmp_path, tls_server(hosts=[HOST], demand=Demand.DEMAND))


@each_page
def test_the_program(page: Path, story: Story, alpha: Leaf) -> None:
    """The partner sees the certificate of the one file."""
    done = story.run(story.program(page), variables=story.variables(page))
    assert "" == done.stderr
    assert [alpha.fingerprint] == [each.fingerprint for each in story.server.seen]


@each_page
def test_the_program_with_settings_that_are_made(page: Path, story: Story, alpha: Leaf) -> None:
    """By the one command of the first minute; `mxcert check` has nothing to say against them."""
    variables = story.made(page)
    done = story.run(story.program(page), variables=variables)
    assert "" == done.stderr
    assert [alpha.fingerprint] == [each.fingerprint for each in story.server.seen]
    assert 0 == story.run("-m", "mxcert_runtime", "check", variables=variables).returncode


@each_page
def test_the_program_without_the_import(page: Path, story: Story) -> None:
    """The twin: it is the import that does it."""
    path = Path(story.program(page))
    path.write_text(re.sub(r"import mxcert_runtime.*\n", "", path.read_text("utf-8")), "utf-8")
    assert 1 == story.run(str(path), variables=story.variables(page)).returncode
    assert [] == story.server.seen


def test_the_wrong_password(story: Story) -> None:
    """The import says so, and nothing is sent."""
    variables = {**story.variables(STORIES[0]), "ClientCertificatePasswords": "of another file"}
    done = story.run(story.program(STORIES[0]), variables=variables)
    assert "does not open: the password is wrong" in done.stderr
    assert 0 == story.server.connections


@pytest.mark.parametrize("command", ["check", "probe"])
def test_the_commands(command: str, story: Story) -> None:
    """Both say that all is right, as README.md has it."""
    page = STORIES[0]
    lines = [line for each in snippets(page, "sh") for line in each.text.splitlines()]
    (line,) = [line for line in lines if line.startswith(f"mxcert {command}")]
    words = story.told(line).split()[1:]
    done = story.run("-m", "mxcert_runtime", *words, variables=story.variables(page))
    assert (0, "") == (done.returncode, done.stderr), done.stdout
