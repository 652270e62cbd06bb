"""PKCS12's own derivation: by Python and by OpenSSL it comes to the same, whichever there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.identity.libcrypto import UnreachableOpenSSLError, libcrypto, pop_errors
from mxcert_runtime.identity.material import pkcs12_derivation
from mxcert_runtime.identity.material.key_derivation import Effort
from mxcert_runtime.identity.material.pkcs12_derivation import (
    Budget,
    derive_by_openssl,
    derive_by_python,
    derive_pkcs12,
)
from mxcert_runtime.identity.material.pkcs12_structure import read_structure
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority
from tests.support.properties import examples
from tests.support.subprocesses import run_client

#: what Bouncy Castle and OpenSSL test it by: hash, purpose, password, salt, rounds and the key
KNOWN = ("sha1", 1, "0073006D006500670000", "0A58CF64530D823F", 1)
KNOWN_KEY = "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3"


@pytest.fixture
def reached() -> None:
    """Only where the interpreter's OpenSSL is a library that shows its functions."""
    try:
        libcrypto()
    except UnreachableOpenSSLError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("derive", [derive_by_python, derive_by_openssl, derive_pkcs12])
@pytest.mark.usefixtures("reached")
def test_a_known_key(derive: object) -> None:
    """Each way comes to what others publish."""
    hash_name, purpose, password, salt, rounds = KNOWN
    octets = Secret(bytes.fromhex(password))
    assert callable(derive)
    derived = derive(hash_name, purpose, octets, bytes.fromhex(salt), rounds, 24)

    assert KNOWN_KEY == derived.reveal().hex().upper()


_OCTETS = st.binary(max_size=300)


@examples(150)
@given(
    hash_name=st.sampled_from(["sha1", "sha224", "sha256", "sha384", "sha512"]),
    purpose=st.integers(1, 3),
    octets=st.tuples(_OCTETS, _OCTETS).filter(any),
    rounds=st.integers(1, 20),
    length=st.integers(1, 130),
)
@pytest.mark.usefixtures("reached")
def test_both_ways_are_one(
    hash_name: str, purpose: int, octets: tuple[bytes, bytes], rounds: int, length: int
) -> None:
    """Whatever hash, password and salt, OpenSSL derives what Python does."""
    password, salt = octets
    asked = (hash_name, purpose, Secret(password), salt, rounds, length)
    derived = derive_by_openssl(*asked)

    assert derived is not None
    assert derive_by_python(*asked).reveal() == derived.reveal()


@pytest.mark.usefixtures("reached")
def test_what_openssl_refuses_is_derived_by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that it has not, and no octets at all: nobody else's errors come of it."""
    monkeypatch.setattr(pkcs12_derivation, "_budget", Budget(0))
    nothing = ("sha256", 3, Secret(b""), b"", 2, 32)

    assert None is derive_by_openssl("no hash", *nothing[1:])
    assert derive_by_python(*nothing).reveal() == derive_pkcs12(*nothing).reveal()
    assert () == pop_errors()


def test_a_budget_is_spent_once() -> None:
    """What is too much for it leaves nothing for what comes after."""
    budget = Budget(10)

    assert [True, True, False, False] == [budget.covers(each) for each in (4, 6, 1, 0)]


_ACTIVATE = """
import json, sys
{before}
from mxcert_runtime import activate, identities
from mxcert_runtime.identity.material import pkcs12_derivation as derivation
derivation._budget = derivation.Budget(2 * {rounds})
found = []
for count in (2, 8):
    activate({{"identity": {entries}[:count]}})
    found.append([len(identities()), {module!r} in sys.modules])
print(json.dumps(found))
"""


def _loaded(tmp_path: Path, before: str = "") -> list[list[object]]:
    """How many identities there are, and whether the way by ctypes, of two files, then of eight."""
    files, authority = ClientFiles(tmp_path), Authority()
    entries = [files.identity(f"n{each}", authority.issue(f"c{each}")) for each in range(8)]
    code = _ACTIVATE.format(
        before=before,
        entries=json.dumps(entries),
        module="mxcert_runtime.identity.material.openssl_derivation",
        rounds=_rounds_of_mac(Path(entries[0]["pkcs12"])),
    )
    found: list[list[object]] = run_client(code, host_patterns=()).json()
    return found


def _rounds_of_mac(path: Path) -> int:
    """Releases of cryptography write one or 2,048."""
    mac = read_structure(Secret(path.read_bytes()), Effort()).mac
    assert mac is not None
    return mac.rounds


def test_few_files_do_without_openssl(tmp_path: Path) -> None:
    """To find its function takes longer than they do; with many it is looked for."""
    assert [[2, False], [8, True]] == _loaded(tmp_path)


_WITHOUT_CTYPES = "sys.modules['ctypes'] = None"
_REFUSED = """
def refuse(event, arguments):
    if event == "ctypes.dlopen":
        raise RuntimeError("not here")
sys.addaudithook(refuse)
"""


@pytest.mark.parametrize("before", [_WITHOUT_CTYPES, _REFUSED], ids=["no ctypes", "audited"])
def test_many_files_open_without_openssl(tmp_path: Path, before: str) -> None:
    """Where its functions cannot be called, Python derives them all."""
    assert [2, 8] == [count for count, _ in _loaded(tmp_path, before)]
