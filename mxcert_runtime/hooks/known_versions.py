"""The versions of each library that its own hooks are known to fit; the only place that says so.

A version beyond them may have moved what a hook replaces. So the hook is left out, with one
warning, and the library is served as any client is of which nothing is known: by those of ``ssl``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..base import dataclass

#: the numbers of a version, without what PEP 440 allows before and behind them
_RELEASE = re.compile(r"\s*v?(?:\d+!)?(\d+(?:\.\d+)*)", re.ASCII | re.IGNORECASE)
_SERVED = "its own hooks are left out; what it does through `ssl` is hooked all the same"
_UNEXPLAINED = "it is served all the same, and its errors do not say why in their last line"
_LOST = "its hooks are left out, and its connections present no certificate"


@dataclass(frozen=True)
class Known:
    """A library by the module that has its ``__version__``."""

    module: str
    #: what `pip` calls it; more than one may bring the module
    distributions: tuple[str, ...]
    #: the first version, and the first that is not known any more
    low: str
    below: str
    #: those that tests run with
    tested: str
    #: what becomes of its connections without the hooks
    without: str = _SERVED

    @property
    def versions(self) -> tuple[str, str]:
        """From, and below."""
        return self.low, self.below

    def has(self, version: str) -> bool:
        """Whether the hooks are known to fit a version; what says none is taken for known."""
        return fits(version, self.versions)


ROWS = (
    Known("urllib3", ("urllib3", "urllib3-future"), "1.26", "3", "1.26, 2"),
    Known("urllib3_future", ("urllib3-future",), "2.5", "3", "2.5"),
    Known("requests", ("requests",), "2.28", "3", "2.32 to 2.34"),
    Known("httpcore", ("httpcore",), "1.0", "2", "1.0"),
    Known("httpx", ("httpx",), "0.25", "1", "0.28", _UNEXPLAINED),
    Known("aiohttp", ("aiohttp",), "3.10", "4", "3.10 to 3.14"),
    Known("OpenSSL", ("pyOpenSSL",), "23.2", "27", "24.0 to 26", _LOST),
    Known("zeep", ("zeep",), "4.0", "5", "4.3"),
    Known("suds", ("suds-community", "suds"), "1.0", "2", "1.2"),
    Known("gevent", ("gevent",), "21", "27", "26"),
    Known("eventlet", ("eventlet",), "0.33", "1", "0.41"),
    Known("twisted", ("Twisted",), "22.1", "27", "26"),
    Known("grpclib", ("grpclib",), "0.4.3", "0.5", "0.4"),
    Known("grpc", ("grpcio",), "1.60", "2", "1.60 to 1.85", _LOST),
    Known("amqp", ("amqp",), "2.0", "6", "5.4"),
    Known("ldap3", ("ldap3",), "2.4", "3", "2.9"),
    Known("cassandra", ("cassandra-driver",), "3.20", "4", "3.30"),
    Known("oracledb", ("oracledb",), "2.0", "27", "26.1"),
    Known("mysql.connector", ("mysql-connector-python",), "8.0", "27", "26.10"),
)

#: what becomes of connections of libraries that say no version, and do not make them by `ssl`
_WITHOUT_VERSION = {"pycurl": _LOST}

#: by the module that has the version
KNOWN = {each.module: each for each in ROWS}


def fits(version: str, versions: tuple[str, str]) -> bool:
    """Whether a version is from the one on, and below the other; by number, part by part.

    What is written behind the numbers ("rc1", ".post1", "+local") does not count.
    """
    low, high = versions
    return not version or _numbers(low) <= _numbers(version) < _numbers(high)


def _numbers(version: str) -> tuple[int, ...]:
    release = _RELEASE.match(version)
    parts = release[1].split(".") if release else []
    return tuple(int(part) for part in [*parts, "0", "0", "0"][:3])


def what_is_lost(module: str) -> str:
    """What becomes of the connections of a library without its hooks."""
    known = KNOWN.get(module)
    return known.without if known else _WITHOUT_VERSION.get(module, _SERVED)


def installed_beyond() -> Iterator[tuple[Known, str, str]]:
    """Each library whose installed version is not known, by its distribution, with that version.

    Nothing is imported to find that out.
    """
    for known in ROWS:
        for distribution in known.distributions:
            version = _installed(distribution)
            if version and not known.has(version):
                yield known, distribution, version


def _installed(distribution: str) -> str:
    import importlib.metadata  # late: it brings what parses mails along

    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
