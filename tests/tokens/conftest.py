"""A token with three keys, whose certificates the servers trust."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.softhsm import SoftToken, WatchedModule
from tests.support.subprocesses import Finished, run_client

HOST = "alpha.test"


@dataclass(frozen=True)
class Deployment:
    """A program's settings that name keys in a token."""

    token: SoftToken
    leaves: dict[str, Leaf]
    ca_file: str
    config: Path

    def entry(self, kind: str, **more: Any) -> dict[str, Any]:
        """An identity whose key is in the token, and its certificate in a file."""
        return {
            "key": f"pkcs11:token=mx;object={kind}",
            "certificate": self.token.certificate_file(self.leaves[kind], kind),
            "pin_file": self.token.pin_file(),
            "hosts": [HOST],
            **more,
        }

    def configure(self, *entries: dict[str, Any], **more: Any) -> None:
        """Write the settings file."""
        self.config.write_text(json.dumps({"identity": list(entries), **more}))

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a program: all that it knows of tokens and certificates."""
        return {**self.token.variables, "MXCERT_CONFIG": str(self.config)}

    def run(self, script: str, *arguments: str, stdin: str = "", **environment: str) -> Finished:
        """Run a program that trusts the servers."""
        variables = {**self.environment, **environment}
        words = (self.ca_file, *arguments)
        return run_client(script, *words, environment=variables, stdin=stdin)


@pytest.fixture(scope="session")
def token_leaves(client_authority: Authority) -> dict[str, Leaf]:
    """A certificate for a key of each kind."""
    return {
        "rsa": client_authority.issue("in-a-token-rsa", key="rsa", server=False),
        "ec": client_authority.issue("in-a-token-ec", key="ec", server=False),
    }


@pytest.fixture
def deployment(
    tmp_path: Path,
    token_leaves: dict[str, Leaf],
    client_files: ClientFiles,
    authority: Authority,
) -> Deployment:
    """A token with the keys, and no settings yet."""
    folder = tmp_path / "token"
    folder.mkdir()
    token = SoftToken.make(folder)
    for kind, leaf in token_leaves.items():
        token.add_key(leaf, kind)
    ca_file = str(client_files.authority(authority))
    return Deployment(token, token_leaves, ca_file, tmp_path / "mxcert.json")


@pytest.fixture
def watched(deployment: Deployment) -> WatchedModule:
    """The module of the token, watched."""
    return WatchedModule.make(deployment.token)
