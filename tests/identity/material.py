"""Settings of one identity, for the tests of this folder, and what loading them raises."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import IdentityError
from mxcert_runtime.identity.identity import Identity, load_identity
from mxcert_runtime.identity.sources import (
    IdentitySettings,
    Material,
    PemFiles,
    Pkcs12File,
    Pkcs12Inline,
)

ORIGIN = Origin("tests", "entry 1")


def settings(material: Material, password: str | None = None) -> IdentitySettings:
    secret = None if password is None else Secret(password)
    return IdentitySettings("billing", material, secret, ORIGIN)


def inline(content: bytes, password: str | None = None) -> IdentitySettings:
    """A PKCS12 file in the settings themselves."""
    return settings(Pkcs12Inline(Secret(content)), password)


def pkcs12_file(folder: Path, content: bytes, password: str | None = None) -> IdentitySettings:
    path = folder / "identity.p12"
    path.write_bytes(content)
    return settings(Pkcs12File(str(path)), password)


def pem_files(
    folder: Path, certificates: bytes, key: bytes, password: str | None = None
) -> IdentitySettings:
    """A certificate file and a key file in the folder."""
    (folder / "leaf.crt").write_bytes(certificates)
    (folder / "leaf.key").write_bytes(key)
    return settings(PemFiles(str(folder / "leaf.crt"), str(folder / "leaf.key")), password)


def load_inline(content: bytes, password: str | None = None) -> Identity:
    return load_identity(inline(content, password))


def failure(described: IdentitySettings) -> IdentityError:
    """The error that these settings must raise."""
    with pytest.raises(IdentityError) as caught:
        load_identity(described)
    return caught.value
