"""Where a URL leads, as far as it is certain that libcurl reads it alike."""

from __future__ import annotations

import re
from typing import NamedTuple

#: schemes with TLS from the beginning, and those that may turn to it
_TLS_PORTS = {
    "https": 443,
    "wss": 443,
    "ftps": 990,
    "imaps": 993,
    "pop3s": 995,
    "smtps": 465,
    "ldaps": 636,
    "mqtts": 8883,
    "gophers": 70,
    "smbs": 445,
}
_UPGRADED_PORTS = {"ftp": 21, "imap": 143, "pop3": 110, "smtp": 25, "ldap": 389}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_REST = re.compile(
    r"""
    ([^/?\#@\\\s]*@)?
    ( \[[0-9A-Fa-f:.]+\] | [\w.-]+ )
    (?: : ([0-9]{0,5}) )?
    (?: [/?\#] .* )?
    """,
    re.VERBOSE | re.DOTALL,
)


class Place(NamedTuple):
    """A host, as the URL spells it, and its port."""

    host: str
    port: int


class CurlUrl(NamedTuple):
    """What is read out of a URL."""

    place: Place
    #: whether nobody could read another host out of it
    is_plain: bool


class UnreadableUrlError(ValueError):
    """It is not certain where a URL leads; never raised to a program."""


def read_url(
    url: str, default_scheme: str = "http", port: int = 0, *, upgrades: bool = False
) -> CurlUrl | None:
    """Where TLS of a URL leads; ``None`` where it has none.

    ``port`` stands in for that of the URL, if it is one. Raises :class:`UnreadableUrlError`.
    """
    given, url = url, url.strip()
    written = _SCHEME.match(url)
    scheme = (written[1] if written else default_scheme).lower()
    ports = {**_TLS_PORTS, **(_UPGRADED_PORTS if upgrades else {})}
    if scheme not in ports:
        return None
    found = _REST.fullmatch(url, written.end() if written else 0)
    if found is None:
        raise UnreadableUrlError
    user, host, own_port = found.groups()
    if not host.isascii():
        host = _encoded(host)
    place = Place(host, port or int(own_port or ports[scheme]))
    return CurlUrl(place, is_plain=user is None and given.isascii())


def _encoded(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise UnreadableUrlError from None
