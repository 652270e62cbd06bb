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
from dataclasses import dataclass, field
from pathlib import Path

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
        script = (
            "import sys\n"
            "from tests.support.softhsm import write_certificate\n"
            "write_certificate(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))\n"
        )
        import sys

        words = [sys.executable, "-c", script, self.variables["PKCS11_PROVIDER_MODULE"], name]
        environment = {**os.environ, **self.variables}
        subprocess.run(
            [*words, leaf.der().hex()],
            check=True,
            env=environment,
            cwd=Path(__file__).parents[2],
        )


class _Attribute(ctypes.Structure):
    _fields_ = (("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("size", ctypes.c_ulong))


def write_certificate(path: str, name: str, der: bytes) -> None:
    """Create the object of a certificate (PKCS#11, section 4.6), in this process."""
    from cryptography import x509

    subject = x509.load_der_x509_certificate(der).subject.public_bytes()
    values = {
        _CLASS: _CERTIFICATE.to_bytes(8, "little"),
        _TYPE: (0).to_bytes(8, "little"),
        _TOKEN: b"\1",
        _NAME: name.encode(),
        _ID: name.encode(),
        _SUBJECT: subject,
        _VALUE: der,
    }
    kept = [ctypes.create_string_buffer(value, len(value)) for value in values.values()]
    attributes = (_Attribute * len(values))(
        *(
            _Attribute(kind, ctypes.addressof(buffer), len(buffer))
            for kind, buffer in zip(values, kept)
        )
    )
    _create(Module(path), attributes)


def _create(module: Module, attributes: ctypes.Array[_Attribute]) -> None:
    slot = next(each.slot for each in module.tokens() if each.label == LABEL)
    session, made, pin = ctypes.c_ulong(), ctypes.c_ulong(), PIN.encode()
    number, pointer, text = ctypes.c_ulong, ctypes.c_void_p, ctypes.c_char_p
    steps = (
        (12, (number, number, pointer, pointer, pointer), (slot, _READ_WRITE_SESSION, None, None)),
        (18, (number, number, text, number), (1, pin, len(pin))),
        (20, (number, pointer, number, pointer), (attributes, len(attributes))),
    )
    for place, types, arguments in steps:
        call = ctypes.CFUNCTYPE(number, *types)(module._functions[place])
        words = arguments if place == 12 else (session, *arguments)
        last = {12: (ctypes.byref(session),), 20: (ctypes.byref(made),)}.get(place, ())
        code = call(*words, *last)
        assert code == 0, f"function {place}: CKR {code:#x}"


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
    def slow(self) -> Path:
        """A pipe that makes signatures wait."""
        return self.folder / "slow"

    def calls(self, name: str) -> int:
        """How often something was asked for."""
        return self.log.read_text().splitlines().count(name) if self.log.exists() else 0
