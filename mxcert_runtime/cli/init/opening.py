"""Opens the file that the user has: what kind it is, and whether a password opens it.

A password is asked for at a terminal alone, without an echo, and where the file needs one.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Mapping

from ...base import Origin, Secret, dataclass, read_bounded, reason_of
from ...errors import IdentityError, IdentityProblem
from ...identity import IdentitySettings, Material, PemFiles, Pkcs12File, load_identities

_PEM_CERTIFICATE = (b"-----BEGIN CERTIFICATE-----", b"-----BEGIN TRUSTED CERTIFICATE-----")
_PEM_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_NEEDS_PASSWORD = (IdentityProblem.PASSWORD_MISSING, IdentityProblem.WRONG_PASSWORD_OR_DAMAGED)
_TRIES = 3


class NotOpenedError(Exception):
    """The file cannot be opened; the message says why, and what to do."""


@dataclass(frozen=True)
class Opened:
    """A file that can be used, and the password that opens it, if it needs one."""

    #: keys of the native file and absolute paths
    material: tuple[tuple[str, str], ...]
    password: Secret[str] | None


def open_file(path: str, key: str | None, password_file: str | None) -> Opened:
    """The file opened, with the password of a file or the user's. Raises NotOpenedError."""
    material = _material(path, key)
    given = _password_of(password_file)
    if given is not None:
        return Opened(material, _needed(material, given))
    error = _refusal(material, None)
    if error is None:
        return Opened(material, None)
    if error.problem not in _NEEDS_PASSWORD:
        raise NotOpenedError(str(error))
    return Opened(material, _asked(path, material, password_file))


def _material(path: str, key: str | None) -> tuple[tuple[str, str], ...]:
    content = _content(path).reveal()
    is_pem = any(mark in content for mark in _PEM_CERTIFICATE)
    has_key = _PEM_KEY.search(content) is not None
    if has_key and not is_pem:
        problem = f"`{path}` is PEM with a key and no certificate"
        raise NotOpenedError(f"{problem}. Name the certificate as FILE, and this one by --key.")
    if is_pem and not has_key and key is None:
        problem = f"`{path}` is PEM with a certificate and no key"
        raise NotOpenedError(f"{problem}. Name the file of its key: --key PATH.")
    if key is not None and not is_pem:
        raise NotOpenedError("--key goes with a PEM certificate. Leave it out for a PKCS12 file.")
    if not is_pem:
        return (("pkcs12", os.path.abspath(path)),)
    certificate = ("certificate", os.path.abspath(path))
    return (certificate,) if key is None else (certificate, ("key", os.path.abspath(key)))


def _content(path: str) -> Secret[bytes]:
    try:
        return read_bounded(path)
    except (OSError, ValueError) as error:
        reason = reason_of(error)
    problem = f"`{path}` cannot be read: {reason}"
    raise NotOpenedError(f"{problem}. Name the file with the certificate and its key.")


def _password_of(path: str | None) -> Secret[str] | None:
    """The password of a file that is there; of one that is not, it is to be written there."""
    if path is None or not os.path.lexists(path):
        return None
    try:
        return Secret(_without_newline(_content(path)).reveal().decode())
    except UnicodeDecodeError:
        pass
    raise NotOpenedError(f"`{path}` is no UTF-8 text. Write the password as UTF-8.")


def _without_newline(content: Secret[bytes]) -> Secret[bytes]:
    for end in (b"\r\n", b"\n"):
        if content.reveal().endswith(end):
            return Secret(content.reveal()[: -len(end)])
    return content


def _needed(material: tuple[tuple[str, str], ...], given: Secret[str]) -> Secret[str]:
    error = _refusal(material, given)
    # What is wrong with a password, such as blanks around it, is told by whoever judges it all.
    if error is not None and error.problem not in _NEEDS_PASSWORD:
        raise NotOpenedError(str(error))
    return given


def _refusal(
    material: tuple[tuple[str, str], ...], password: Secret[str] | None
) -> IdentityError | None:
    settings = IdentitySettings(
        name="", material=_read_by(dict(material)), password=password, origin=Origin("the file")
    )
    try:
        load_identities(settings)
    except IdentityError as error:
        return error
    return None


def _read_by(paths: Mapping[str, str]) -> Material:
    if "pkcs12" in paths:
        return Pkcs12File(paths["pkcs12"])
    return PemFiles(paths["certificate"], paths.get("key", paths["certificate"]))


def _asked(
    path: str, material: tuple[tuple[str, str], ...], password_file: str | None
) -> Secret[str]:
    if not sys.stdin.isatty():
        absent = "" if password_file is None else f"`{password_file}` is not there, "
        problem = f"`{path}` needs a password, {absent}and there is no terminal to ask at"
        raise NotOpenedError(f"{problem}. Name a file that holds it: --password-file PATH.")
    for left in range(_TRIES - 1, -1, -1):
        password = Secret(_prompt(f"Password of {path}: "))
        error = _refusal(material, password)
        if error is None:
            return password
        if error.problem not in _NEEDS_PASSWORD or not left:
            raise NotOpenedError(str(error))
        print("That password does not open it.", file=sys.stderr)
    raise AssertionError


def _prompt(text: str) -> str:
    try:
        return getpass.getpass(text)
    except EOFError:
        pass
    raise NotOpenedError("no password was given. Name a file that holds it: --password-file PATH.")
