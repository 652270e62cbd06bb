"""Channel credentials of grpcio, made anew with an identity, for a channel whose target is known.

A program makes them before it knows where they go. What they hold of TLS can be asked of them, so
nothing is remembered, and those that are older than the plugin are like any others.
"""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import Any

from ..base import process_environ
from ..connections import Attempt
from ..decisions import Generation
from ..errors import MxcertError
from ..identity import Authorities, Identity, exportable

_ROOTS_VARIABLE = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"


def tls_of(credentials: Any) -> Any:
    """The TLS part of a channel's credentials; ``None`` where they are of another kind."""
    from grpc._cython import cygrpc

    if type(credentials) is cygrpc.CompositeChannelCredentials:
        return tls_of(credentials._channel_credentials)
    return credentials if type(credentials) is cygrpc.SSLChannelCredentials else None


def presents_own(tls: Any) -> bool:
    """Whether the program has put a key of its own into them."""
    signer = getattr(tls, "_private_key_signer", None)  # newer versions
    return any(each is not None for each in (tls._private_key, tls._certificate_chain, signer))


def with_decision(credentials: Any, attempt: Attempt) -> Any:
    """The credentials with what was decided; the very same where that changes nothing.

    Raises :class:`~.errors.MxcertError` where they cannot hold it.
    """
    from grpc._cython import cygrpc

    if type(credentials) is cygrpc.CompositeChannelCredentials:
        inner = with_decision(credentials._channel_credentials, attempt)
        if inner is credentials._channel_credentials:
            return credentials
        return cygrpc.CompositeChannelCredentials(credentials._call_credentialses, inner)
    if presents_own(credentials):
        return _with_own_key(credentials, attempt.decision.authorities)
    return _with_identity(credentials, attempt)


def _with_own_key(tls: Any, pinned: Authorities | None) -> Any:
    if pinned is None:
        return tls
    if getattr(tls, "_private_key_signer", None) is not None:
        raise MxcertError(
            f"the CAs {', '.join(pinned.sources)} are pinned for this host, and cannot be put into "
            "credentials with a signer of the program's own. Pass them as `root_certificates`, and "
            "take the host out of the rule"
        )
    return type(tls)(pinned.pem.encode("ascii"), tls._private_key, tls._certificate_chain)


def _with_identity(tls: Any, attempt: Attempt) -> Any:
    identity, pinned = attempt.decision.identity, attempt.decision.authorities
    extra = attempt.generation.extra_authorities if tls._pem_root_certificates is None else None
    if identity is None and pinned is None and extra is None:
        return tls
    return _make(type(tls), _roots(tls, pinned, attempt.generation), identity)


def _make(kind: Any, roots: bytes | None, identity: Identity | None) -> Any:
    if identity is None:
        return kind(roots, None, None)
    return kind(roots, exportable(identity).as_pem().reveal(), identity.certificates_pem())


def _roots(tls: Any, pinned: Authorities | None, generation: Generation) -> bytes | None:
    """What verifies: pinned CAs alone; else the program's, or with default trust the extra too."""
    if pinned is not None:
        return pinned.pem.encode("ascii")
    given: bytes | None = tls._pem_root_certificates
    extra = generation.extra_authorities
    if given is not None or extra is None:
        return given
    return _default_roots() + b"\n" + extra.pem.encode("ascii")


def _default_roots() -> bytes:
    """Those that gRPC takes by default: a file that the environment names, or what it ships."""
    path = process_environ().get(_ROOTS_VARIABLE)
    if path:
        try:
            return Path(path).read_bytes()
        except OSError:
            pass  # as gRPC does it
    return pkgutil.get_data("grpc._cython", "_credentials/roots.pem") or b""
