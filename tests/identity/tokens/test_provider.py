"""Where OpenSSL cannot be given a token, one error says why and what to do."""

from __future__ import annotations

import ctypes.util
from pathlib import Path

import pytest

from tests.support import softhsm
from tests.support.subprocesses import run_client

LOAD = """
from mxcert_runtime.errors import IdentityError
from mxcert_runtime.identity.tokens.provider import ensure_provider
try:
    print(ensure_provider(None))
except IdentityError as error:
    print(error)
"""


def test_it_is_loaded_once(tmp_path: Path) -> None:
    """Asked again, the same module is in use; another one is refused."""
    script = (
        LOAD + "ensure_provider(None)\ntry:\n    ensure_provider('/other.so')\n"
        "except IdentityError as error:\n    print(error.message)\n"
    )
    softhsm.module()
    finished = run_client(script)
    assert (0, "") == (finished.returncode, finished.stderr)
    first, second = finished.stdout.splitlines()
    assert "p11-kit-proxy.so" == first
    assert "is wanted, and 'p11-kit-proxy.so' is in use" in second


def test_an_openssl_that_is_built_in() -> None:
    """Functions that are not found where ``_ssl`` looks for its own are found nowhere else."""
    other = ctypes.util.find_library("m")
    if other is None:
        pytest.skip("there is no library to look in the wrong place")
    finished = run_client(f"import _ssl\n_ssl.__file__ = {other!r}\n" + LOAD)
    assert "cannot be reached" in finished.stdout
    assert "linked to the system's OpenSSL 3" in finished.stdout


def test_a_provider_that_is_not_installed(tmp_path: Path) -> None:
    """The package, and the variable for a folder of its own."""
    finished = run_client(LOAD, environment={"OPENSSL_MODULES": str(tmp_path)})
    assert "PKCS#11 provider cannot be loaded" in finished.stdout
    assert "pkcs11-provider" in finished.stdout
    assert "OPENSSL_MODULES" in finished.stdout


def test_a_configuration_without_the_default_provider(tmp_path: Path) -> None:
    """What an administrator has left out, as a FIPS configuration does, is not loaded."""
    path = tmp_path / "openssl.cnf"
    path.write_text(
        "openssl_conf = a\n[a]\nproviders = b\n[b]\nbase = c\n[c]\nactivate = 1\n",
    )
    script = LOAD + (
        "from mxcert_runtime.identity.libcrypto import libcrypto\n"
        "print(libcrypto().OSSL_PROVIDER_available(None, b'default'))\n"
    )
    finished = run_client(script, environment={"OPENSSL_CONF": str(path)})
    said, available = finished.stdout.strip().splitlines()
    assert "FIPS" in said
    assert "0" == available


def test_a_module_that_the_environment_contradicts() -> None:
    """OpenSSL's provider would obey the variable in silence."""
    script = LOAD.replace("(None)", "('/one.so')")
    finished = run_client(script, environment={"PKCS11_PROVIDER_MODULE": "/two.so"})
    assert "'/one.so'" in finished.stdout
    assert "'/two.so'" in finished.stdout
