"""The host whose material is asked for, and what reads all of it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from mxcert_runtime.connections import TlsMaterial

HOST = "db.test"
needs_memory = pytest.mark.skipif(
    sys.platform != "linux", reason="files in memory are those of Linux"
)

#: puts settings in force: an entry for each leaf, by its common name
Activate = Callable[..., None]

_READ = (
    "ca_path", "ca_pem", "certificate_path", "certificate_pem", "encrypted_key_pem", "identity",
    "key_path", "key_path_password", "password",
)  # fmt: skip


def touch(material: TlsMaterial) -> None:
    for name in _READ:
        getattr(material, name)
