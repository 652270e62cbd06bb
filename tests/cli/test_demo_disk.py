"""No private key of the demo is ever written in clear to a disk, as the kernel sees it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.processes import MODULE, command_environment
from tests.cli.traces import clear_keys_written, require_strace

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strace is for Linux alone")

_CARELESS = """
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
key = ec.generate_private_key(ec.SECP256R1())
with open("clear.pem", "wb") as file:
    file.write(key.private_bytes(Encoding.PEM, PrivateFormat.{format}, NoEncryption()))
"""


@pytest.fixture(autouse=True)
def strace() -> None:
    """These tests are nothing without it."""
    require_strace()


def test_demo_writes_clear_keys_to_memory_alone(tmp_path: Path) -> None:
    """Servers and client pass their keys through memory; that much the trace does show."""
    written = clear_keys_written([*MODULE, "demo"], command_environment(tmp_path), tmp_path)

    assert written, "the trace shows no key at all, not even in memory"
    assert {True} == {target.startswith("/memfd:") for target in written}


@pytest.mark.parametrize("format", ["PKCS8", "TraditionalOpenSSL"])
def test_program_that_writes_a_clear_key_is_found(tmp_path: Path, format: str) -> None:
    """The twin: the same trace shows the file of a program that is less careful."""
    program = [sys.executable, "-c", _CARELESS.format(format=format)]

    written = clear_keys_written(program, command_environment(tmp_path), tmp_path)

    assert [str(tmp_path / "clear.pem")] == written
