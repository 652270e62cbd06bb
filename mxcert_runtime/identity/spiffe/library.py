"""The `spiffe` package, which speaks to the agent, and what it gives as values of this package.

Of it the client alone is used, one for each attempt. Its own source (``X509Source``) ends for good
where an agent closes a stream in order, or sends one update that cannot be read, and the channel
that it keeps may wait for two minutes before it sees that an agent is back.
"""

from __future__ import annotations

from typing import Any

from ...base import Secret, loaded_module
from ...base.printable import printable
from ...errors import IdentityError, IdentityProblem
from ..material.pem import pem_text
from .update import Svid, Update

_REMEDY = "Install it: `pip install spiffe`, on Python 3.10 or later"
_LONGEST_REASON = 600

_serves_gevent = False


def client_class() -> Any:
    """``spiffe.WorkloadApiClient``.

    Raises :class:`~.errors.IdentityError` with ``UNSUPPORTED`` where the package is missing.
    """
    reason = None
    try:
        from spiffe import WorkloadApiClient
    except (ImportError, RuntimeError) as error:  # of versions that do not go together
        reason = reason_of(error)
    if reason is not None:
        problem = f"the package `spiffe` cannot be imported ({reason})"
        raise IdentityError(IdentityProblem.UNSUPPORTED, problem, _REMEDY)
    _serve_gevent()
    return WorkloadApiClient


def _serve_gevent() -> None:
    """Let gRPC wait as gevent's programs do; without that the first answer never comes there."""
    global _serves_gevent
    monkey = loaded_module("gevent.monkey")
    if _serves_gevent or monkey is None or not monkey.is_module_patched("threading"):
        return
    from grpc.experimental.gevent import init_gevent

    init_gevent()
    _serves_gevent = True


def client_for(address: str) -> tuple[Any, str]:
    """A client on a channel of its own, or why there is none; raises as :func:`client_class`."""
    make = client_class()
    from spiffe.errors import PySpiffeError

    try:
        return make(address), ""
    except PySpiffeError as error:  # the socket is not there
        return None, reason_of(error)


def reason_of(error: Exception) -> str:
    """What an error of the package says, in short; there is no secret in it."""
    return printable(str(error) or type(error).__name__)[:_LONGEST_REASON]


def update_of(context: Any) -> Update:
    """What a ``spiffe.X509Context`` holds."""
    from cryptography.hazmat.primitives.serialization import Encoding

    bundles = {}
    for bundle in context.x509_bundle_set.bundles:
        # A set: in one order, equal bundles are equal texts.
        pems = sorted(each.public_bytes(Encoding.PEM) for each in bundle.x509_authorities)
        bundles[bundle.trust_domain.name] = b"".join(pems)
    return Update(tuple(map(_svid_of, context.x509_svids)), bundles)


def _svid_of(svid: Any) -> Svid:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = Secret(svid.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    return Svid(
        spiffe_id=str(svid.spiffe_id),
        trust_domain=svid.spiffe_id.trust_domain.name,
        key=pem_text("PRIVATE KEY", key),
        certificates=b"".join(each.public_bytes(Encoding.PEM) for each in svid.cert_chain),
    )
