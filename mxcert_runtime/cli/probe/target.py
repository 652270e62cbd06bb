"""What ``mxcert probe`` is to connect to, read from its arguments.

A user name and password in a URL are never sent to the server, and never shown.
"""

from __future__ import annotations

import base64
from urllib.parse import SplitResult, quote, unquote

from ...base import DEFAULT_PORTS, MalformedUrlError, Secret, canonical_host, dataclass, split_url
from ...errors import MxcertError


class WrongUseError(MxcertError):
    """The arguments make no sense together."""


@dataclass(frozen=True)
class Protocol:
    """What a URL's scheme stands for; ``name`` says which dialogue is spoken."""

    name: str
    #: whether TLS begins only when it is asked for
    starttls: bool = False
    #: whether nothing can be asked by who does not log in, so that only a refusal is waited for
    is_silent: bool = False


_POSTGRES = Protocol("postgres", starttls=True, is_silent=True)
_MYSQL = Protocol("mysql", starttls=True, is_silent=True)
_PROTOCOLS = {
    "https": Protocol("http"),
    "wss": Protocol("http"),
    "smtp": Protocol("smtp", starttls=True),
    "smtps": Protocol("smtp"),
    "imap": Protocol("imap", starttls=True),
    "imaps": Protocol("imap"),
    "pop3": Protocol("pop3", starttls=True),
    "pop3s": Protocol("pop3"),
    "ftp": Protocol("ftp", starttls=True),
    "ftps": Protocol("ftp"),
    "ldap": Protocol("ldap", starttls=True),
    "ldaps": Protocol("ldap"),
    "rediss": Protocol("redis"),
    "amqps": Protocol("amqp"),
    "mqtts": Protocol("mqtt", is_silent=True),
    "postgresql": _POSTGRES,
    "postgres": _POSTGRES,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "nats": Protocol("nats", starttls=True, is_silent=True),
    "tls": Protocol("tls", is_silent=True),
}
SCHEMES = tuple(_PROTOCOLS)
STARTTLS = tuple(name for name, each in _PROTOCOLS.items() if each.starttls)


@dataclass(frozen=True)
class Target:
    """A server; ``path`` is what an HTTP request names, query included."""

    scheme: str
    protocol: Protocol
    host: str
    port: int
    path: str = "/"

    @property
    def authority(self) -> str:
        """``host:port``, the host as it goes over the wire, an IPv6 address in brackets."""
        host = canonical_host(self.host)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy that is asked to CONNECT; ``authorization`` is the value of its header."""

    host: str
    port: int
    authorization: Secret[str] | None = None

    def __str__(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else self._plain

    @property
    def _plain(self) -> str:
        return f"http://{self.host}:{self.port}"


def parse_target(text: str, starttls: str | None = None) -> Target:
    """The server that a URL, or ``host`` or ``host:port`` for https, stands for.

    ``starttls`` takes the place of the scheme. Raises :class:`WrongUseError`.
    """
    parts, port = _split(text if "//" in text else f"https://{text}", "the URL")
    scheme = starttls or parts.scheme
    protocol = _PROTOCOLS.get(scheme)
    if protocol is None:
        raise WrongUseError(
            f"the scheme must be one of {', '.join(SCHEMES)}; for whatever else speaks TLS from "
            "the start write `tls://host:port`"
        )
    port = port or DEFAULT_PORTS.get(scheme)
    if port is None:
        raise WrongUseError("the URL needs a port, as in `tls://host:8883`")
    query = f"?{parts.query}" if parts.query else ""
    path = quote(f"{parts.path or '/'}{query}", safe="/?&=%:@!$'()*+,;~")
    return Target(scheme=scheme, protocol=protocol, host=parts.hostname or "", port=port, path=path)


def parse_proxy(text: str) -> Proxy:
    """The proxy of ``http://[user:password@]host:port``. Raises :class:`WrongUseError`."""
    parts, port = _split(text if "//" in text else f"http://{text}", "the proxy")
    if parts.scheme != "http":
        raise WrongUseError("only a proxy that is spoken to in plain HTTP can be probed through")
    return Proxy(parts.hostname or "", port or 80, _authorization(parts))


def _split(text: str, what: str) -> tuple[SplitResult, int | None]:
    problem = "" if text.isprintable() and " " not in text else "is no valid URL"
    try:
        parts, port = split_url(text)
    except MalformedUrlError as error:
        problem = str(error)
    if problem:
        # Said without the text, which may hold a password.
        raise WrongUseError(f"{what} {problem}")
    return parts, port


def _authorization(parts: SplitResult) -> Secret[str] | None:
    if parts.username is None:
        return None
    return Secret(f"Basic {_encoded_credentials(parts)}")


def _encoded_credentials(parts: SplitResult) -> str:
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return base64.b64encode(pair.encode("utf-8")).decode("ascii")
