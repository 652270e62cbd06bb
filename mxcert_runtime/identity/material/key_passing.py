"""The way of a key in memory to ``load_cert_chain``, which takes files only.

The key never reaches a disk in clear: on Linux it passes through an anonymous file in memory
(memfd_create(2)), elsewhere through a file of mode 0600 that holds it encrypted under a random
password of one use, removed at once. Neither is ever a variable: the frames of whatever error
comes of it can be seen.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Protocol

from ...base import Secret, memory_file, temporary_file, write_all
from ..key import LoadArguments


class Exportable(Protocol):
    """A key whose bytes are at hand."""

    def as_pem(self) -> Secret[bytes]:
        """The key in clear."""

    def as_encrypted_pem(self, password: Secret[str]) -> Secret[bytes]:
        """The key under a password that is random."""


@contextlib.contextmanager
def passed(key: Exportable, certificates: bytes) -> Iterator[LoadArguments]:
    """One file with the key and its certificates, as long as the block lasts."""
    with memory_file() as memory:
        if memory is not None:
            path, file = memory
            write_all(file, _joined(key.as_pem(), certificates))
            yield LoadArguments(path)
            return
    with _encrypted_file(key, certificates) as arguments:
        yield arguments


@contextlib.contextmanager
def _encrypted_file(key: Exportable, certificates: bytes) -> Iterator[LoadArguments]:
    password = Secret(os.urandom(32).hex())
    content = _joined(key.as_encrypted_pem(password), certificates)
    with temporary_file(content) as path:
        yield LoadArguments(path, None, password.reveal)


def _joined(key: Secret[bytes], certificates: bytes) -> Secret[bytes]:
    return Secret(key.reveal() + certificates)
