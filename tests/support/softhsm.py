"""Tokens of SoftHSM with keys and certificates in them, in a folder of their own.

Programs that use one run in processes of their own: OpenSSL loads its provider once, and reads the
variables of SoftHSM where C code does.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.identity.tokens.cryptoki import Module

from .pki import Leaf

PIN = "4711-secret"
LABEL = "mx"
_MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
#: CKA_CLASS, CKA_TOKEN, CKA_LABEL, CKA_VALUE, CKA_CERTIFICATE_TYPE, CKA_ID, CKA_SUBJECT
_CLASS, _TOKEN, _NAME, _VALUE, _TYPE, _ID, _SUBJECT = 0x0, 0x1, 0x3, 0x11, 0x80, 0x102, 0x101
_CERTIFICATE, _READ_WRITE_SESSION = 1, 0x6


def module() -> str:
    """SoftHSM's module; skips the test where keys in tokens cannot be used on this machine."""
    if shutil.which("softhsm2-util") is None:
        pytest.skip("softhsm2 is not installed")
    found = next((each for each in _MODULES if os.path.exists(each)), None)
    if found is None:
        pytest.skip("SoftHSM's module is not where Debian or Fedora put it")
    _require_provider()
    return found


def _require_provider() -> None:
    from ssl import OPENSSL_VERSION_INFO

    if OPENSSL_VERSION_INFO < (3, 0):
        pytest.skip("the OpenSSL of ssl has no providers")
    folder = os.environ.get("OPENSSL_MODULES") or _folder_of_providers()
    if not folder or not Path(folder, "pkcs11.so").exists():
        pytest.skip("OpenSSL's PKCS#11 provider (pkcs11-provider) is not installed")


def _folder_of_providers() -> str | None:
    if shutil.which("openssl") is None:
        return None
    told = subprocess.run(["openssl", "version", "-m"], capture_output=True, text=True, check=False)
    found = re.search(r'MODULESDIR: "(.*)"', told.stdout)
    return found and found.group(1)


@dataclass
class SoftToken:
    """A token, what is in it, and the variables of a program that uses it."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    _count: int = 0

    @classmethod
    def make(cls, folder: Path) -> SoftToken:
        """A new token without objects; skips the test where there is no SoftHSM."""
        path = module()
        (folder / "tokens").mkdir()
        configuration = folder / "softhsm2.conf"
        lines = f"directories.tokendir = {folder}/tokens", "objectstore.backend = file"
        configuration.write_text("\n".join((*lines, "log.level = ERROR", "")))
        variables = {"SOFTHSM2_CONF": str(configuration), "PKCS11_PROVIDER_MODULE": path}
        token = cls(folder, variables)
        token._tool("--init-token", "--free", "--label", LABEL, "--so-pin", "5678")
        return token

    def _tool(self, *arguments: str) -> None:
        words = ["softhsm2-util", *arguments, "--pin", PIN]
        environment = {**os.environ, **self.variables}
        subprocess.run(words, check=True, capture_output=True, env=environment)

    def add_key(self, leaf: Leaf, name: str) -> str:
        """Put the key of a leaf in, and return its URI; nothing of it stays outside."""
        self._count += 1
        path = self.folder / "passing.key"
        path.write_bytes(leaf.key_pem())
        number = f"{self._count:02x}"
        self._tool("--import", str(path), "--token", LABEL, "--label", name, "--id", number)
        path.unlink()
        return f"pkcs11:token={LABEL};object={name}"

    def certificate_file(self, leaf: Leaf, name: str) -> str:
        """The certificate of a leaf and its chain, as a PEM file."""
        path = self.folder / f"{name}.pem"
        path.write_bytes(leaf.pem())
        return str(path)

    def pin_file(self, pin: str = PIN) -> str:
        """A file with a PIN."""
        path = self.folder / "pin"
        path.write_text(pin + "\n")
        path.chmod(0o600)
        return str(path)

    def add_certificate(self, leaf: Leaf, name: str) -> None:
        """Put the certificate of a leaf in, without its chain."""
        self._by_cryptoki("write_certificate", name, leaf.der().hex())

    def change_pin(self, pin: str) -> None:
        """Give the token another PIN."""
        self._by_cryptoki("change_pin", pin)

    def _by_cryptoki(self, function: str, *arguments: str) -> None:
        """What SoftHSM's own tool cannot do, in a process of its own."""
        script = f"import sys\nfrom tests.support.softhsm import {function} as f\nf(*sys.argv[1:])"
        path = self.variables.get("WATCHED_MODULE", self.variables["PKCS11_PROVIDER_MODULE"])
        subprocess.run(
            [sys.executable, "-c", script, path, *arguments],
            check=True,
            # Not to activate anything by an import.
            env={**os.environ, **self.variables, "MXCERT_DISABLE": "1"},
            cwd=Path(__file__).parents[2],
        )


class _Attribute(ctypes.Structure):
    _fields_ = (("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("size", ctypes.c_ulong))


def write_certificate(path: str, name: str, der: str) -> None:
    """Create the object of a certificate (PKCS#11, section 4.6), in this process."""
    from cryptography import x509

    content = bytes.fromhex(der)
    values = {
        _CLASS: _CERTIFICATE.to_bytes(8, "little"),
        _TYPE: bytes(8),
        _TOKEN: b"\1",
        _NAME: name.encode(),
        _ID: name.encode(),
        _SUBJECT: x509.load_der_x509_certificate(content).subject.public_bytes(),
        _VALUE: content,
    }
    kept = [ctypes.create_string_buffer(value, len(value)) for value in values.values()]
    attributes = (_Attribute * len(values))()
    for attribute, kind, buffer in zip(attributes, values, kept):
        attribute.type, attribute.size = kind, len(buffer)
        attribute.value = ctypes.addressof(buffer)
    made = ctypes.c_ulong()
    _call(path, 20, ctypes.byref(attributes), ctypes.c_ulong(len(values)), ctypes.byref(made))


def change_pin(path: str, pin: str) -> None:
    """C_SetPIN, in this process."""
    words = [each for text in (PIN, pin) for each in (text.encode(), ctypes.c_ulong(len(text)))]
    _call(path, 11, *words)


def _call(path: str, place: int, *arguments: Any) -> None:
    """One function of the module, in a session that may change the token."""
    module = Module(path)
    slot = next(each.slot for each in module.tokens() if each.label == LABEL)
    # The structure is longer than what the package calls of it.
    whole = ctypes.c_size_t * 68
    functions = whole.from_address(ctypes.addressof(module._functions))
    number, session, pin = ctypes.c_ulong, ctypes.c_ulong(), PIN.encode()
    steps = (
        (12, (number(slot), number(_READ_WRITE_SESSION), None, None, ctypes.byref(session))),
        (18, (session, number(1), pin, number(len(pin)))),
        (place, (session, *arguments)),
    )
    for step, words in steps:
        code = ctypes.CFUNCTYPE(number)(functions[step])(*words)
        assert code == 0, f"function {step}: CKR {code:#x}"


@dataclass(frozen=True)
class WatchedModule:
    """A module in front of SoftHSM's that tells what was asked of it."""

    folder: Path

    @classmethod
    def make(cls, token: SoftToken) -> WatchedModule:
        """Compile it and put it in front; skips the test where there is no C compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("there is no C compiler")
        made = cls(token.folder)
        source, target = Path(__file__).with_name("watched_module.c"), token.folder / "watched.so"
        words = [compiler, "-shared", "-fPIC", "-o", str(target), str(source), "-ldl"]
        subprocess.run(words, check=True, capture_output=True)
        token.variables |= {
            "WATCHED_MODULE": token.variables["PKCS11_PROVIDER_MODULE"],
            "PKCS11_PROVIDER_MODULE": str(target),
            "WATCHED_LOG": str(made.log),
            "WATCHED_AWAY": str(made.away),
            "WATCHED_SLOW": str(made.slow),
            "WATCHED_LOOK": str(made.slow_to_look),
            "WATCHED_UNABLE": str(made.unable),
        }
        return made

    @property
    def log(self) -> Path:
        """A line for each login and each signature."""
        return self.folder / "log"

    @property
    def away(self) -> Path:
        """A file that takes the token away."""
        return self.folder / "away"

    @property
    def unable(self) -> Path:
        """A file that keeps keys from signing."""
        return self.folder / "unable"

    @property
    def slow(self) -> Path:
        """A pipe that makes signatures wait."""
        return self.folder / "slow"

    @property
    def slow_to_look(self) -> Path:
        """A pipe that makes searches for keys wait."""
        return self.folder / "look"

    def calls(self, name: str) -> int:
        """How often something was asked for."""
        return self.log.read_text().splitlines().count(name) if self.log.exists() else 0
