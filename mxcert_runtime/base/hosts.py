"""Host names, addresses and the patterns of rules, parsed once into values that are always valid.

Names are compared as TLS verifies them: lower case, IDNA-encoded as CPython's ``ssl`` does it
(RFC 3490), without a trailing dot; addresses by value, IPv6 in any spelling (RFC 5952), IPv4 also
within IPv6 (RFC 4291, section 2.5.5.2) and as inet_aton(3) reads it, by which hosts are dialled.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import socket
from typing import Union

from ..errors import HostNameError
from .frozen_dataclass import dataclass
from .late_patterns import late_pattern

#: IDNA 2003 maps these away and IDNA 2008 keeps them (UTS 46, section 2.3), so a rule that holds
#: one would be for one domain in some clients and for another domain in others.
_DEVIATIONS = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")

#: what stands between names, beside white space
_SEPARATORS = frozenset(" ,;\"'`()<>{}|&\\\u3001\uff0c\uff1b")
_NAMED = {",": "a comma", ";": "a semicolon", " ": "a blank", '"': "a quotation mark"}

_IN_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_IN_NAME = _IN_LABEL | {"."}
_LONGEST_LABEL = 63
_LONGEST_ENCODED = 1024
_PORT = late_pattern(r"[0-9]{1,5}")
#: what inet_aton(3) may take for an address: one to four numbers, in octal and hexadecimal too
_NUMBERS = late_pattern(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)
_BRACKETED = late_pattern(r"\[([^\[\]]*)\](?::(.*))?", re.DOTALL)


@dataclass(frozen=True)
class HostPattern:
    """What a rule is for: a host or ``*.domain``, on one port or (``None``) on every port.

    ``host`` is in canonical form; with ``wildcard`` it is the domain behind ``*.``.
    """

    host: str
    port: int | None = None
    wildcard: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        star = "*." if self.wildcard else ""
        return f"{star}{host}" if self.port is None else f"{star}{host}:{self.port}"


@dataclass(frozen=True)
class UnnamedHost:
    """The other end of a connection whose client has named no host.

    ``address`` is the IP address that it dialled; ``None`` where nobody can tell, since a proxy or
    a Unix socket may be in between.
    """

    address: str | None

    def __str__(self) -> str:
        return self.address or "an unnamed host"


#: What a connection is for: the name (or address) that the client gave, or what it dialled.
Host = Union[str, UnnamedHost]


def host_dialled(host: str) -> Host:
    """What a client has named that dialled ``host``: an address is no name.

    Most clients resolve names themselves before they dial, so an address hides the name.
    """
    return host if is_name(host) else UnnamedHost(host)


def is_name(host: str) -> bool:
    """Whether a text that can be dialled is a name, and no address in any form (``0x7f000001``)."""
    name = canonical_host(host)
    return bool(name) and not is_address(name) and not name.rpartition(".")[2].startswith("0x")


def canonical_host(host: str) -> str:
    """The form of a host name or address in which it is compared.

    A text that is no host name comes back in lower case: it equals no rule's host, since rules
    hold valid names only.
    """
    # Some clients leave the brackets that an IPv6 address has in a URL (RFC 3986, section 3.2.2).
    name = host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host.isascii():
        # Encoding takes time by the square of the length.
        if len(host) > _LONGEST_ENCODED:
            return host.lower()
        try:
            name = host.encode("idna").decode("ascii")
        except UnicodeError:
            return host.lower()
    name = name[:-1] if name.endswith(".") else name
    return _canonical_address(name) or _address_of_numbers(name) or name.lower()


def is_address(host: str) -> bool:
    """Whether a host in canonical form is an IP address: no name has a last label of digits."""
    return ":" in host or host.rpartition(".")[2].isdigit()


@functools.lru_cache(1 << 16)
def parse_pattern(text: str) -> HostPattern:
    """``host``, ``host:port``, ``*.domain`` or ``*.domain:port``; an IPv6 address may stand bare.

    What reads settings asks several times for the same one; whoever has read them clears what was
    remembered. Raises :class:`HostNameError` for whatever cannot be the host of a TLS connection.
    """
    return HostPattern(text) if _is_plain(text) else parse_any_pattern(text)


def _is_plain(text: str) -> bool:
    """Whether a text is a name in canonical form by a short look, as nearly every rule's is."""
    return (
        # So short that none of its labels can be too long.
        0 < len(text) <= _LONGEST_LABEL
        and _IN_NAME.issuperset(text)
        and not (".." in text or ".-" in text or "-." in text)
        and text[0] not in ".-"
        and text[-1] not in ".-"
        # The last label of an address begins with a digit.
        and text[text.rfind(".") + 1].isalpha()
    )


def parse_any_pattern(text: str) -> HostPattern:
    """What :func:`parse_pattern` comes to, by looking at one thing after the other."""
    _refuse_url_parts(text)
    refuse_separators(text)
    host, port = _split_port(text)
    if host.startswith("*."):
        return HostPattern(_checked_name(text, host[2:]), port, wildcard=True)
    if "*" in host:
        remedy = "Write `*.domain`, which fits exactly one label, or name each host"
        raise HostNameError(text, "has a `*` that is not the whole first label", remedy)
    return HostPattern(_canonical_address(host) or _checked_name(text, host), port)


def _refuse_url_parts(text: str) -> None:
    for mark, what in (("/", "a path"), ("@", "user information"), ("?", "a query")):
        if mark in text:
            remedy = "Write the host alone, with `:port` if the rule is for one port"
            raise HostNameError(text, f"holds {what}, but a rule is for a host", remedy)


def refuse_separators(text: str) -> None:
    """Raise :class:`HostNameError` for what stands between names, and in none.

    One of these is what a list looks like that was written in the place of a name.
    """
    if not (text.isprintable() and _SEPARATORS.isdisjoint(text)):
        _refuse_marks(text)
    if ".." in text:
        raise HostNameError(text, "holds two dots in a row", "Write one dot, or what is between")


def _refuse_marks(text: str) -> None:
    mark = next((each for each in text if each.isspace() or each in _SEPARATORS), None)
    if mark is not None:
        what = _NAMED.get(mark) or f"the character {mark!a}"
        remedy = "Write one name in each entry; names in one text are separated by commas"
        raise HostNameError(text, f"holds {what}, which no name has", remedy)
    odd = next((each for each in text if not each.isprintable() and each not in _DEVIATIONS), None)
    if odd is not None:
        raise HostNameError(text, f"holds the character {odd!a}, which is not seen", "Take it out")


def _split_port(text: str) -> tuple[str, int | None]:
    bracketed = _BRACKETED.fullmatch(text) if text.startswith("[") else None
    if bracketed:
        host, port = bracketed.groups()
        if ":" not in host:
            raise HostNameError(text, "has no IPv6 address in its brackets", "Drop the brackets")
        return host, None if port is None else _parse_port(text, port)
    if text.count(":") != 1:
        return text, None
    host, port = text.split(":")
    return host, _parse_port(text, port)


def _parse_port(text: str, port: str) -> int:
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise HostNameError(text, "has no valid port", "Write a port from 1 to 65535, or none")
    return int(port)


def _canonical_address(name: str) -> str | None:
    if not is_address(name):
        return None
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def _address_of_numbers(name: str) -> str | None:
    """The IPv4 address that is dialled for a text such as ``127.1`` or ``0x7f000001``."""
    # Few names begin with a digit.
    if not name[:1].isdigit() or not _NUMBERS.fullmatch(name):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except OSError:
        return None


def _checked_name(text: str, name: str) -> str:
    if _DEVIATIONS & set(name):
        remedy = "Write the name in its `xn--` form"
        raise HostNameError(text, "is encoded differently by IDNA 2003 and IDNA 2008", remedy)
    host = canonical_host(name)
    if is_address(host):
        raise HostNameError(text, "is no valid address", "Correct it, or write a name")
    if len(host) > 253 or not all(map(_is_label, host.split("."))):
        raise HostNameError(text, "is not a host name", "Write a name such as `api.example.com`")
    return host


def _is_label(text: str) -> bool:
    is_of_letters = _IN_LABEL.issuperset(text) and not text.startswith("-")
    return is_of_letters and 0 < len(text) <= _LONGEST_LABEL and not text.endswith("-")
