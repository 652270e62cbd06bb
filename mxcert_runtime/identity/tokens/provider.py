"""OpenSSL's PKCS#11 provider in the OpenSSL of ``ssl``: loaded once, only where a key needs it.

Where the user's openssl.cnf has it active already, it is used as it is. It stays loaded: OpenSSL
has no moment at which nobody uses it any more.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from ...base import ForkSafeLock, process_environ, public_file
from ...errors import IdentityError, IdentityProblem
from ..libcrypto import UnreachableOpenSSLError, libcrypto, pop_errors
from .prompts import refuse_pin_prompts

#: what p11-kit gives: one module for all that are installed on this machine
DEFAULT_MODULE = "p11-kit-proxy.so"
_VARIABLE = "PKCS11_PROVIDER_MODULE"
_NAME = b"pkcs11"

# Nothing but keys and signatures: hashes, random numbers and key exchange stay OpenSSL's own, for
# every connection of the process. The end of the process ends the sessions; modules that are told
# so after their own clean-up crash (SoftHSM does).
_CONFIGURATION = """\
openssl_conf = mxcert
[mxcert]
providers = mxcert_providers
[mxcert_providers]
pkcs11 = mxcert_pkcs11
[mxcert_pkcs11]
pkcs11-module-path = "{module}"
pkcs11-module-block-operations = digest cipher mac kdf rand keyexch asym-cipher kem
pkcs11-module-quirks = no-deinit
pkcs11-module-cache-pins = cache
activate = 1
"""
_UNWRITABLE = re.compile(r"[\x00-\x1f\"\\$]")

_lock = ForkSafeLock()
#: the module, and whether the provider is as it is set up above
_loaded: list[tuple[str, bool]] = []


def chosen_module(asked: str | None) -> str:
    """The module that the provider will use.

    Raises :class:`~...errors.IdentityError` where the environment says another than the settings.
    """
    variable = process_environ().get(_VARIABLE) or None
    if asked and variable and asked != variable:
        message = f"the PKCS#11 module is {asked!r}, and in the variable {_VARIABLE} {variable!r}"
        _refuse(message, f"Keep one of the two; OpenSSL's provider obeys {_VARIABLE}")
    return asked or variable or DEFAULT_MODULE


def ensure_provider(asked: str | None) -> str:
    """Make the keys of a module usable for ``ssl``, and say which module it is.

    Raises :class:`~...errors.IdentityError` with ``UNSUPPORTED``.
    """
    module = chosen_module(asked)
    with _lock:
        if not _loaded:
            is_ours = _load(module)
            refuse_pin_prompts()
            _loaded.append((module, is_ours))
    if _loaded[0][0] != module:
        message = f"the PKCS#11 module {module!r} is wanted, and {_loaded[0][0]!r} is in use"
        remedy = (
            "A process has one: name the same everywhere, or p11-kit's proxy, which has the tokens"
            " of all; another one counts from the next start on"
        )
        _refuse(message, remedy)
    return module


def keeps_pins() -> bool:
    """Whether the provider logs in again by itself, in a process that was forked and the like."""
    return bool(_loaded) and _loaded[0][1]


def _load(module: str) -> bool:
    """Whether it was not active before."""
    library = _reachable()
    if library.OSSL_PROVIDER_available(None, _NAME):
        return False
    if not library.OSSL_PROVIDER_available(None, b"default"):
        message = (
            "OpenSSL's default provider is not active (such as in a FIPS configuration), and"
            " neither is the PKCS#11 provider"
        )
        _refuse(message, "Activate the provider `pkcs11` in that openssl.cnf too")
    # Beside one that is loaded by name, none comes by itself any more.
    library.OSSL_PROVIDER_load(None, b"default")
    _activate(module)
    errors = pop_errors()
    if not library.OSSL_PROVIDER_available(None, _NAME):
        said = "; ".join(dict.fromkeys(text for _, _, text in errors if text))
        _refuse(
            f"OpenSSL's PKCS#11 provider cannot be loaded ({said or 'no reason given'})",
            "Install it (the package `pkcs11-provider`); where it is in a folder of its own, set"
            " OPENSSL_MODULES to that",
        )
    return True


def _reachable() -> Any:
    try:
        return libcrypto()
    except UnreachableOpenSSLError as error:
        reason = str(error)
    _refuse(
        f"the OpenSSL of Python's `ssl` cannot be reached, so that no token can: {reason}",
        "Run the program on a Python that is linked to the system's OpenSSL 3, such as that of"
        " the distribution",
    )


def _activate(module: str) -> None:
    if _UNWRITABLE.search(module):
        message = "the path of the PKCS#11 module has a character that OpenSSL's files cannot have"
        _refuse(message, "Put the module, or a link to it, elsewhere")
    with public_file(_CONFIGURATION.format(module=module).encode()) as path:
        libcrypto().OSSL_LIB_CTX_load_config(None, path.encode())


def _refuse(message: str, remedy: str) -> NoReturn:
    raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
