"""Leaves and authorities written out as files, and the settings that name those files.

Two forms: the ClientCertificates family as environment variables, and the native structure that
``mxcert_runtime.activate`` takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .pki import Authority, Leaf

PASSWORD = "correct horse"
#: Thousands of tests write and open such files: what slows an attacker down slows them down too.
_ROUNDS = 1


class ClientFiles:
    """Writes files into one folder, each leaf and authority once.

    A leaf's file has the name that ``write`` gives it, else ``leaf-N.p12``.
    """

    def __init__(self, folder: Path, password: str = PASSWORD) -> None:
        self.folder = folder
        self.password = password
        self._paths: dict[str, Path] = {}

    def pkcs12(self, leaf: Leaf, name: str | None = None) -> Path:
        """The PKCS12 file of the leaf, under this object's password."""
        if leaf.fingerprint not in self._paths:
            path = self.folder / (name or f"leaf-{len(self._paths)}.p12")
            path.write_bytes(leaf.pkcs12(self.password, rounds=_ROUNDS))
            self._paths[leaf.fingerprint] = path
        return self._paths[leaf.fingerprint]

    def authority(self, authority: Authority) -> Path:
        """The PEM file of the authority's own certificate."""
        key = f"authority {authority.der.hex()}"
        if key not in self._paths:
            path = self.folder / f"authority-{len(self._paths)}.pem"
            path.write_bytes(authority.pem)
            self._paths[key] = path
        return self._paths[key]

    def variables(
        self,
        *leaves: Leaf,
        usages: Mapping[str, Leaf | None] | None = None,
        no_usages: Sequence[str] = (),
        authorities: Sequence[Authority] = (),
        prefix: str = "",
    ) -> dict[str, str]:
        """The ClientCertificates family; ``prefix`` may be ``MXRUNTIME_``.

        The leaves of ``usages`` need not be named again; ``None`` there is the empty path.
        """
        rules = dict(usages or {})
        listed = _each_once([*leaves, *(leaf for leaf in rules.values() if leaf is not None)])
        paths = {
            name: "" if leaf is None else str(self.pkcs12(leaf)) for name, leaf in rules.items()
        }
        values = {
            "ClientCertificates": ", ".join(str(self.pkcs12(leaf)) for leaf in listed),
            "ClientCertificatePasswords": ", ".join(self.password for _ in listed),
            "ClientCertificateUsages": json.dumps(paths) if paths else "",
            "NoClientCertificateUsages": ", ".join(no_usages),
            "CACertificates": ", ".join(str(self.authority(each)) for each in authorities),
        }
        return {prefix + name: value for name, value in values.items() if value}

    def identity(
        self,
        name: str,
        leaf: Leaf,
        *,
        hosts: Sequence[str] = (),
        services: Sequence[str] = (),
        authorities: Sequence[Authority] = (),
    ) -> dict[str, Any]:
        """One entry of the native structure's ``identity`` list."""
        lists: dict[str, list[str]] = {
            "hosts": list(hosts),
            "services": list(services),
            "ca": [str(self.authority(each)) for each in authorities],
        }
        material = {"pkcs12": str(self.pkcs12(leaf)), "password": self.password}
        return {"name": name, **material, **{key: value for key, value in lists.items() if value}}


def _each_once(leaves: Sequence[Leaf]) -> list[Leaf]:
    return list({leaf.fingerprint: leaf for leaf in leaves}.values())
