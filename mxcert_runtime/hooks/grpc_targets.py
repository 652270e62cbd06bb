"""What a gRPC channel is for: the host whose name it verifies, and the port, out of its target.

Read strictly, since gRPC reads it by itself: what is not plain enough to be certain of is told as
not known, and gets no identity.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

#: the name that TLS verifies in the place of the target's, by the first of these
_OVERRIDES = "grpc.ssl_target_name_override", "grpc.default_authority"
#: By these, other hosts get the channel's credentials, such as a load balancer that the DNS names.
_OF_OTHERS: dict[str, Callable[[Any], bool]] = {
    "grpc.dns_enable_srv_queries": bool,
    "grpc.service_config_disable_resolution": lambda value: not value,
    "grpc.service_config": lambda value: "rls_experimental" in _text(value),
}
_DEFAULT_PORT = 443
#: schemes whose path is one host; the authority of ``dns:`` is a DNS server
_SCHEMES = re.compile(r"dns:(?://[^/]*/)?/?|ipv4:/?|ipv6:/?")
#: of channels that stay on this machine
_LOCAL = re.compile(r"(unix|unix-abstract|vsock):")
_HOST = re.compile(r"([A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?")
_WRITE_PLAINLY = "Write its target as `dns:///host:port`"
_IPV6 = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?")


class Place(NamedTuple):
    """A host and its port."""

    host: str
    port: int


class UnknownTargetError(ValueError):
    """Nobody but gRPC can tell what the channel is for; never raised to a program.

    Its text is what to do.
    """


def place_of(target: Any, options: Iterable[Any]) -> Place | None:
    """What a channel is for; ``None`` where that is this machine.

    Raises :class:`UnknownTargetError`.
    """
    text, given = _text(target), [(_text(name), value) for name, value in options]
    if _LOCAL.match(text):
        return None
    _refuse_others(given)
    scheme = _SCHEMES.match(text)
    place = _parse(text[scheme.end() :] if scheme else text)
    name = _verified_name(given)
    return place if name is None else Place(_parse(name).host, place.port)


def _refuse_others(options: Iterable[tuple[str, Any]]) -> None:
    for name, value in options:
        if name in _OF_OTHERS and _OF_OTHERS[name](value):
            raise UnknownTargetError(f"Leave out the option `{name}`")


def _verified_name(options: Iterable[tuple[str, Any]]) -> str | None:
    given: dict[str, set[str]] = {name: set() for name in _OVERRIDES}
    for name, value in options:
        if name in given:
            given[name].add(_text(value))
    names = next((each for each in given.values() if each), set())
    if len(names) > 1:
        raise UnknownTargetError(f"Give it one of the names to verify: {', '.join(sorted(names))}")
    return next(iter(names), None)


def _parse(text: str) -> Place:
    found = _HOST.fullmatch(text) or _IPV6.fullmatch(text)
    if found is not None:
        return Place(found[1], int(found[2] or _DEFAULT_PORT))
    try:
        return Place(str(ipaddress.IPv6Address(text)), _DEFAULT_PORT)
    except ValueError:
        raise UnknownTargetError(_WRITE_PLAINLY) from None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise UnknownTargetError(_WRITE_PLAINLY)
    return value
