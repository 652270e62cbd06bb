"""The CAs that verify a server, as PEM text, for a library that has no context of ``ssl``.

They are never more than what a context with default trust has for the same decision.
"""

from __future__ import annotations

import contextlib
import functools
import re
import ssl
from collections.abc import Iterator

from ..base import read_bounded
from ..contexts import Trust, default_paths_load
from ..errors import MaterialError
from ..identity import Authorities

#: Those in OpenSSL's own form say what they are trusted for, which no other library reads.
_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:X509 )?CERTIFICATE-----.*?-----END (?:X509 )?CERTIFICATE-----", re.DOTALL
)


def trust_anchors(pinned: Authorities | None, extra: Authorities | None) -> bytes:
    """Pinned CAs alone, or else default trust with the extra CAs of the settings.

    Raises :class:`~.errors.MaterialError` where there is none at all.
    """
    if pinned is not None:
        return pinned.pem.encode("ascii")
    found = _default_trust() + (extra.pem.encode("ascii") if extra else b"")
    if found:
        return found
    raise MaterialError(
        "there are no CAs to verify the server by: OpenSSL has no default file or directory here",
        "Name the CAs by `ca`, in the entry of the identity or beside it, or set SSL_CERT_FILE",
    )


def _default_trust() -> bytes:
    """What OpenSSL takes by default now: a file, directories, or the store of Windows."""
    load = default_paths_load()
    found = b"" if load is None else _read(Trust((load,)).as_of_now(), load.path)
    return found or "".join(map(ssl.DER_cert_to_PEM_cert, _of_the_system())).encode("ascii")


def _of_the_system() -> list[bytes]:
    return ssl.create_default_context().get_ca_certs(binary_form=True)


@functools.lru_cache(maxsize=4)
def _read(trust: Trust, file: str) -> bytes:
    """Each certificate once; the files of a directory are often those of the bundle."""
    found: dict[bytes, None] = {}
    for path in _paths(trust, file):
        # OpenSSL passes over what cannot be read too.
        with contextlib.suppress(OSError, ValueError):
            content = read_bounded(path).reveal()
            found.update((each[0], None) for each in _CERTIFICATE.finditer(content))
    return b"".join(each + b"\n" for each in found)


def _paths(trust: Trust, file: str) -> Iterator[str]:
    yield file
    with contextlib.suppress(OSError):
        yield from sorted(trust.files_in_directories())
