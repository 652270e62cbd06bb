"""What the settings are to say, whatever format they are written in."""

from __future__ import annotations

import json
import os
import re

from ...base import Secret, dataclass
from ...settings import names

_PLAIN_ENDING = re.compile(r"\.[a-z0-9]{1,16}")


class CannotSayError(Exception):
    """A format that cannot say what is wanted; the message says why, and what to do."""


@dataclass(frozen=True)
class Wanted:
    """One identity, the hosts that it is for, and where its password is."""

    name: str
    #: keys of the native file and absolute paths: ``pkcs12``, or ``certificate`` and ``key``
    material: tuple[tuple[str, str], ...]
    hosts: tuple[str, ...] = ()
    #: CAs that servers are verified by, beside default trust
    authorities: tuple[str, ...] = ()
    #: ``None`` where it needs none
    password: Secret[str] | None = None
    password_file: str = ""
    #: whether the user wants secrets in what is printed
    includes_secrets: bool = False

    @property
    def pkcs12(self) -> str | None:
        """The path, where it is a PKCS12 file."""
        return dict(self.material).get("pkcs12")

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is said of it by name."""
        paths = (path for _, path in self.material)
        return (self.name, *paths, *self.authorities, self.password_file)

    @property
    def is_password_file_there(self) -> bool:
        """Whether there is already a file at its path."""
        return os.path.lexists(self.password_file)

    @property
    def names_password_file(self) -> bool:
        """Whether the settings name a file with the password."""
        return self.password is not None and not self.includes_secrets


@dataclass(frozen=True)
class Formatted:
    """Settings as text, how the program gets them, and what to run next."""

    text: Secret[str]
    holds_secret: bool
    #: lines for the user; the two commands that show whether it works are the last
    steps: tuple[str, ...]


def plain_ending(path: str) -> str:
    """The ending of a path where it is a plain one: it becomes part of names in other formats."""
    ending = os.path.splitext(path)[1].lower()
    return ending if _PLAIN_ENDING.fullmatch(ending) else ""


def family_variables(wanted: Wanted, path: str, password_file: str) -> list[tuple[str, str]]:
    """The variables of the platform's names, but for a password in clear."""
    variables = [(names.CERTIFICATES, _listed(path))]
    if wanted.names_password_file:
        refuse_lists(wanted.password)
        name = names.FAMILY[names.PASSWORDS] + names.FILE_SUFFIX
        variables.append((name, password_file))
    if wanted.hosts:
        usages = dict.fromkeys(wanted.hosts, path)
        variables.append((names.USAGES, json.dumps(usages, ensure_ascii=False)))
        variables.append((f"{names.PREFIX}UNLISTED_HOSTS", "none"))
    if wanted.authorities:
        value = ", ".join(wanted.authorities)
        is_plain = all(map(_is_plain, wanted.authorities))
        listed = value if is_plain else json.dumps(wanted.authorities, ensure_ascii=False)
        variables.append((names.AUTHORITIES, listed))
    return variables


def password_variable(password: Secret[str]) -> tuple[str, Secret[str]]:
    """The variable with the password in clear."""
    return names.PASSWORDS, Secret(_listed(password.reveal()))


def refuse_lists(password: Secret[str] | None) -> None:
    """Raise :class:`CannotSayError` for a password that its file would not say as it is."""
    if password is None or _is_plain(password.reveal()):
        return
    raise CannotSayError(
        "the password has a comma, a bracket in front or a blank at an end, which a list of "
        "passwords cannot hold as it is. Use --format toml."
    )


def _listed(text: str) -> str:
    """One entry of a list, as a variable has it."""
    return text if _is_plain(text) else json.dumps([text], ensure_ascii=False)


def _is_plain(text: str) -> bool:
    return "," not in text and not text.startswith("[") and text == text.strip()
