"""Two identities, each of a host: the files of one are replaced, and those of the other stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mxcert_runtime
from tests.support.pki import Authority, Leaf
from tests.support.scene import ALPHA_HOST, BETA_HOST, Scene


class Renewal:
    """``renewed`` is the identity of ALPHA_HOST, ``steady`` that of BETA_HOST; both are PEM."""

    def __init__(self, scene: Scene, issuer: Authority) -> None:
        self.scene = scene
        self.issuer = issuer
        self.folder = scene.files.folder
        self.leaf = scene.alpha
        self.write(scene.alpha)
        self.write(scene.beta, "steady")

    def path(self, suffix: str, name: str = "renewed") -> Path:
        """A file of an identity."""
        return self.folder / f"{name}{suffix}"

    def write(self, leaf: Leaf, name: str = "renewed") -> None:
        """Write certificate and key over what is there."""
        self.path(".crt", name).write_bytes(leaf.pem())
        self.path(".key", name).write_bytes(leaf.key_pem())
        if name == "renewed":
            self.leaf = leaf

    def fresh(self) -> Leaf:
        """Another certificate with another key, of the same authority."""
        return self.issuer.issue("renewed", server=False)

    def renew(self) -> Leaf:
        """Replace both files by those of a fresh certificate."""
        leaf = self.fresh()
        self.write(leaf)
        return leaf

    def settings(self, **more: Any) -> dict[str, Any]:
        """The settings that name both."""
        return {"unlisted_hosts": "none", "identity": [*map(self._entry, _HOSTS)], **more}

    def _entry(self, name: str) -> dict[str, Any]:
        files = {"certificate": self.path(".crt", name), "key": self.path(".key", name)}
        texts = {key: str(path) for key, path in files.items()}
        return {"name": name, "hosts": [_HOSTS[name]], **texts}

    def activate(self, **more: Any) -> None:
        """Put both in force."""
        mxcert_runtime.activate(settings=self.settings(**more))


_HOSTS = {"renewed": ALPHA_HOST, "steady": BETA_HOST}
