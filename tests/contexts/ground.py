"""What the tests of trust stand on: authorities, a server with a leaf for each case, and files."""

from __future__ import annotations

import datetime
import functools
import os
import shutil
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from tests.support import pki
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf

GOOD, FOREIGN, WRONG, EXPIRED = "good.test", "foreign.test", "wrong.test", "expired.test"
REVOKED, BELOW, RSA = "revoked.test", "below.test", "rsa.test"
HOSTS = (GOOD, FOREIGN, WRONG, EXPIRED, REVOKED, BELOW, RSA)

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Realm:
    """Two authorities and their servers' leaves; one is trusted, the other one is foreign."""

    authority: Authority
    foreign: Authority
    leaves: dict[str, Leaf]
    crl: bytes

    @classmethod
    def make(cls) -> Realm:
        """A realm of its own, so that revoking touches nobody else's tests."""
        authority, foreign = Authority("Realm root"), Authority("Foreign root")
        issuer = authority.intermediate("Realm intermediate")
        expiry = pki.now() - _DAY / 2
        leaves = {
            GOOD: authority.issue("good", hosts=[GOOD]),
            FOREIGN: foreign.issue("foreign", hosts=[FOREIGN]),
            WRONG: authority.issue("wrong", hosts=["elsewhere.test"]),
            EXPIRED: authority.issue("expired", hosts=[EXPIRED], not_after=expiry),
            REVOKED: authority.issue("revoked", hosts=[REVOKED]),
            BELOW: issuer.issue("below", hosts=[BELOW]),
            RSA: authority.issue("rsa", hosts=[RSA], key="rsa"),
        }
        return cls(authority, foreign, leaves, authority.revoke(leaves[REVOKED]))

    def trusting(self) -> ssl.SSLContext:
        """A client's new context that trusts the one authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.authority.der)
        return context


@dataclass
class Ground:
    """One run of one case: a folder of its own, the environment, and the realm."""

    realm: Realm
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def file(self, content: bytes, name: str = "bundle.pem") -> Path:
        """A file with this content, in the place of one that had the name."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def replace(self, content: bytes, name: str = "bundle.pem") -> None:
        """Put another file in the place of one, as deployments do it."""
        fresh = self.folder / f"{name}.new"
        fresh.write_bytes(content)
        fresh.replace(self.folder / name)

    def directory(self, *authorities: Authority, name: str = "hashed") -> Path:
        """A directory of authorities with the names that OpenSSL looks for."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        for authority in authorities:
            (path / f"{subject_hash(authority.pem)}.0").write_bytes(authority.pem)
        return path

    def default_paths(self, file: Path | None = None, directory: str | None = None) -> None:
        """Set what OpenSSL takes for its default paths; what is not given leads nowhere."""
        nowhere = self.folder / "nowhere"
        self.monkeypatch.setenv("SSL_CERT_FILE", os.fspath(file or nowhere))
        self.monkeypatch.setenv("SSL_CERT_DIR", directory or os.fspath(nowhere))


@functools.lru_cache(maxsize=32)
def subject_hash(pem: bytes) -> str:
    """The hash under which OpenSSL looks for an authority in a directory."""
    return pki.openssl("x509", "-noout", "-subject_hash", stdin=pem).decode().strip()


def damaged(pem: bytes) -> bytes:
    """The certificate with letters that are no base64 in its middle."""
    lines = pem.splitlines(keepends=True)
    lines[len(lines) // 2] = b"!" * 64 + b"\n"
    return b"".join(lines)


class Activation:
    """Activates with one identity for a list of hosts."""

    def __init__(self, files: ClientFiles, leaf: Leaf) -> None:
        self._files = files
        self.leaf = leaf

    def __call__(self, *hosts: str, authorities: tuple[Authority, ...] = (), **more: Any) -> None:
        rule = self._files.identity(
            "own", self.leaf, hosts=hosts or ["*.test"], authorities=authorities
        )
        mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [rule], **more})

    def path(self, authority: Authority) -> str:
        """A file of an authority for the settings."""
        return str(self._files.authority(authority))
