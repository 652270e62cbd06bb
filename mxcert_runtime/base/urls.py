"""URLs of endpoints: how they are split, and the port that a scheme has where none is given."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

#: of TLS from the start, and of protocols that turn to it on the way (STARTTLS, SSLRequest)
DEFAULT_PORTS = {
    **{"https": 443, "wss": 443, "smtps": 465, "imaps": 993, "pop3s": 995, "ldaps": 636},
    **{"rediss": 6379, "amqps": 5671, "mqtts": 8883, "nats": 4222},
    **{"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mariadb": 3306},
    **{"smtp": 25, "imap": 143, "pop3": 110, "ldap": 389, "ftp": 21, "ftps": 990},
}


class MalformedUrlError(ValueError):
    """What is wrong with a URL, without its text: a password may stand in it."""


def split_url(text: str) -> tuple[SplitResult, int | None]:
    """The parts of a URL that names a host, and the port that it names.

    Raises :class:`MalformedUrlError`.
    """
    problem, parts, port = "is no valid URL", None, None
    try:
        parts = urlsplit(text)
        problem = "has no valid port"
        port = parts.port
        problem = "" if parts.hostname else "names no host"
    except ValueError:
        parts = None
    if parts is None or problem:
        raise MalformedUrlError(problem)
    return parts, port
