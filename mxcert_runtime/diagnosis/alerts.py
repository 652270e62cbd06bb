"""What a failed handshake says about certificates: from an exception to plain words and a remedy.

Pure, and for the exceptions of ``ssl`` as well as those of pyOpenSSL, which it does not import. The
alerts are those of TLS (RFC 8446, section 6.2; RFC 5246, section 7.2.2). OpenSSL names a received
alert in its reason: ``TLSV13_ALERT_CERTIFICATE_REQUIRED`` in ``ssl``, ``tlsv13 alert certificate
required`` in pyOpenSSL; which version stands in front says nothing about the connection's.
"""

from __future__ import annotations

import re
import ssl
from typing import Any

from .alert_table import ALERTS, CLOSED, LOCAL_FAILURES, VERIFY_FAILED, Alert, server_refused

#: more than an alert's name can be long; what is longer is not searched
_LONGEST_TEXT = 4000

_RECEIVED = re.compile(r"(?:(?:sslv3|tlsv1|tlsv13|ssl/tls)_(?:alert_)?|tls_alert_)(\w+)")

#: the reason by which a library of OpenSSL says that another one failed
_CRYPTOGRAPHY_FAILED = "evp_lib"


def alert_of(error: BaseException) -> Alert | None:
    """What ``error`` itself says (not its causes); ``None`` where it is no matter of TLS.

    A closed or reset connection is told as one, whenever it happened: only the caller knows that
    a handshake was under way.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return server_refused(getattr(error, "verify_code", None))
    if _is_closed(error):
        return CLOSED
    names = _reasons_of(error)
    return next((alert for alert in map(_alert_named, names) if alert is not None), None)


def lacks_signature(error: BaseException) -> bool:
    """Whether OpenSSL's own cryptography failed, as it does where a token does not sign."""
    return any(_CRYPTOGRAPHY_FAILED in reason for reason in _reasons_of(error))


def _is_closed(error: BaseException) -> bool:
    if isinstance(error, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
        return True
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return True
    return _is_of_pyopenssl(error, "SysCallError") or _is_of_pyopenssl(error, "ZeroReturnError")


def _is_of_pyopenssl(error: BaseException, name: str) -> bool:
    return any(
        (each.__module__, each.__name__) == ("OpenSSL.SSL", name) for each in type(error).__mro__
    )


def _reasons_of(error: BaseException) -> list[str]:
    """The reasons of OpenSSL, the first of its queue first, in small letters and with ``_``."""
    if isinstance(error, ssl.SSLError):
        # An error that Python code makes has no reason, and a Python that is older than its OpenSSL
        # does not know every one: then there is only the text.
        return [_normalize(getattr(error, "reason", None) or error.strerror or str(error))]
    if _is_of_pyopenssl(error, "Error") and error.args and isinstance(error.args[0], (list, tuple)):
        return [_normalize(entry[-1]) for entry in error.args[0] if _is_entry(entry)]
    return []


def _is_entry(entry: Any) -> bool:
    """Whether it is (library, function, reason)."""
    return isinstance(entry, tuple) and bool(entry) and isinstance(entry[-1], str)


def _normalize(reason: str) -> str:
    return reason[:_LONGEST_TEXT].lower().replace(" ", "_")


def _alert_named(reason: str) -> Alert | None:
    if VERIFY_FAILED in reason:
        return server_refused(None)
    if "unexpected_eof_while_reading" in reason:
        return CLOSED
    found = _RECEIVED.search(reason)
    if found:
        return ALERTS.get(found[1].rstrip("_"))
    return next((alert for name, alert in LOCAL_FAILURES.items() if name in reason), None)
