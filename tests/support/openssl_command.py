"""The openssl command, for what cryptography does not write."""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import subprocess

import pytest

_SHA256_MAC = re.compile(
    rb"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20(.{32})"
    rb"\x04(?:\x08(.{8})|\x10(.{16}))\x02\x02(..)\Z",
    re.DOTALL,
)


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """What the openssl command answers; the test is skipped where it is missing or refuses."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("the openssl command is not installed")
    done = subprocess.run([program, *arguments], input=stdin, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"openssl cannot do {' '.join(arguments)}: {done.stderr!r}")
    return done.stdout


def without_password(content: bytes) -> bytes:
    """A PKCS12 file with an empty password into one with none, by a new MAC.

    The encryption is the same for both, since PBES2 takes the bytes of the password as they are.
    """
    found = _SHA256_MAC.search(content)
    assert found is not None, "openssl has changed how it writes MacData"
    salt, rounds = found[2] or found[3], int.from_bytes(found[4], "big")
    length = int.from_bytes(content[28:30], "big")  # of the octet string in the first ContentInfo
    key = b"\3" * 64 + (salt * 8)[:64]
    for _ in range(rounds):
        key = hashlib.sha256(key).digest()
    digest = hmac.new(key, content[30 : 30 + length], "sha256").digest()
    return content[: found.start(1)] + digest + content[found.end(1) :]
