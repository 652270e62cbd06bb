"""What only an SSL context itself can tell: a certificate, ciphers, how much is in its store.

It is asked each time that it matters, since callers have ways past every hook: the methods of
``_ssl`` on which those of ``ssl`` stand, called by a subclass, or kept from before the hooks.
"""

from __future__ import annotations

import contextlib
import ssl

from ..base import NativeContext, genuine_context
from .load_cache import known_loads
from .own_certificate import presents_certificate
from .record import ContextRecord
from .trust import Trust, TrustChangedError

#: Methods of ``ssl`` by which a context is given what a plan goes by.
_CHANGING = {
    *("load_cert_chain", "load_verify_locations", "set_ciphers", "set_default_verify_paths"),
    *("set_ciphersuites", "set_client_sigalgs", "set_server_sigalgs"),
}


def may_change_unseen(context: ssl.SSLContext) -> bool:
    """Whether its class has such a method of its own, which may go past the hooks at any time."""
    for each in type(context).__mro__:
        if each is genuine_context():
            return False
        if not _CHANGING.isdisjoint(vars(each)):
            return True
    return True


def examine(context: ssl.SSLContext, record: ContextRecord) -> ContextRecord:
    """The record with what the context shows now; nothing is believed that is being changed."""
    ciphers, knows_level = _ciphers_of(context, record)
    store = store_of(context)
    return record.changed(
        credentials=(record.credentials or record.has_shared_key or presents_certificate(context)),
        complete=record.complete and not record.changes and _holds_loads(context, record, store),
        store=store,
        ciphers=ciphers,
        offers=_offers_of(context, record),
        knows_security_level=knows_level,
    )


def store_of(context: ssl.SSLContext) -> tuple[int, ...]:
    """How many certificates, CRLs and authorities the context itself holds."""
    stats = NativeContext.cert_store_stats(context)
    return stats["x509"], stats["crl"], stats["x509_ca"]


def _holds_loads(context: ssl.SSLContext, record: ContextRecord, now: tuple[int, ...]) -> bool:
    """Whether nothing shows that was loaded past the hooks; ``now`` is the state of the store."""
    then = record.store
    if now == then:
        return True
    # OpenSSL keeps the authorities that it finds in directories.
    is_alike = now[1] == then[1] and now[0] - now[2] == then[0] - then[2]
    return is_alike and record.trust.has_directories and _may_hold(context, record.trust)


def _may_hold(context: ssl.SSLContext, trust: Trust) -> bool:
    """Whether all authorities of a context are of a trust, or in a directory of it."""
    fresh = genuine_context()(ssl.PROTOCOL_TLS_CLIENT)
    try:
        known_loads.load_trust(trust, fresh)
        for path in trust.files_in_directories():
            with contextlib.suppress(ssl.SSLError, FileNotFoundError):
                NativeContext.load_verify_locations(fresh, cafile=path)
    except (OSError, TrustChangedError):
        return False
    return set(_authorities_in(context)) <= set(_authorities_in(fresh))


def tells_security_level(context: ssl.SSLContext) -> bool:
    """Whether this Python tells the security level of a context; 3.9 does not."""
    return hasattr(context, "security_level")


def _ciphers_of(context: ssl.SSLContext, record: ContextRecord) -> tuple[tuple[str, ...], bool]:
    """What gives another context the ciphers and the security level, and whether it does."""
    names = ":".join(cipher["name"] for cipher in context.get_ciphers())
    if tells_security_level(context):
        return (f"{names}:@SECLEVEL={context.security_level}",), True
    return (*record.ciphers, names), record.knows_security_level and not record.changes


def _offers_of(context: ssl.SSLContext, record: ContextRecord) -> tuple[tuple[str, str], ...]:
    """What gives another context the suites of TLS 1.3, and the signature algorithms.

    Before Python 3.15 nobody can choose them. The algorithms that were chosen no look tells.
    """
    names = (cipher["name"] for cipher in context.get_ciphers())
    suites = ":".join(name for name in names if name.startswith("TLS_"))
    is_chosen = suites and hasattr(NativeContext, "set_ciphersuites")
    return record.offering("set_ciphersuites", suites) if is_chosen else record.offers


def holds_exactly(context: ssl.SSLContext, trust: Trust) -> bool:
    """Whether it is certain that a context holds a trust, and nothing else."""
    fresh = genuine_context()(ssl.PROTOCOL_TLS_CLIENT)
    try:
        known_loads.load_trust(trust, fresh)
    except (OSError, TrustChangedError):
        return False
    certificates, crls, authorities = store_of(context)
    # Of anything else than authorities nothing is shown.
    is_shown = certificates == authorities and not crls
    return is_shown and _authorities_in(context) == _authorities_in(fresh)


def _authorities_in(context: ssl.SSLContext) -> list[bytes]:
    shown: list[bytes] = NativeContext.get_ca_certs(context, True)
    return sorted(shown)
