"""pyOpenSSL, and through it ``urllib3.contrib.pyopenssl``: its connections get their identity.

A connection learns its host in ``set_tlsext_host_name``. For an address there is no SNI (RFC 6066,
section 3), so ``connect`` and ``set_connect_state`` take the leg that the running code states, or
what is certain of the socket; a name that is set later decides anew.
"""

from __future__ import annotations

from typing import Any

from ...connections import Asked, asked_so_far
from ..known_versions import KNOWN
from ..patching import Library, Patch, Wrapper, attribute_of, wrapping
from . import sessions, trust
from .contexts import UnenforceableAuthoritiesError, callers_contexts, note_flags
from .presenting import is_moved_by_us, present, present_again, withdraw
from .sessions import session_patches
from .steps import step_patches
from .trust import WRAPPERS as TRUST_WRAPPERS, note_unseen_loads

__all__ = ["LIBRARY", "UnenforceableAuthoritiesError"]

#: Where a connection keeps the host that SNI named.
_HOST = "_mxcert_host"
#: Where a store keeps the Context that it was taken from.
_OWNER = "_mxcert_owner"


def _asked_by(connection: Any, address: object = None) -> Asked:
    return asked_so_far(connection.__dict__.get(_HOST), connection, address)


def _set_tlsext_host_name(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    name = args[0] if args else kwargs["name"]
    setattr(instance, _HOST, name.decode("ascii", "replace"))
    present(instance, _asked_by(instance))
    return result


def _set_connect_state(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    present(instance, _asked_by(instance))
    return result


def _connect(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    present(instance, _asked_by(instance, args[0] if args else kwargs["addr"]))
    return wrapped(*args, **kwargs)


def _set_context(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    if not is_moved_by_us(instance):
        present_again(instance)
    return result


def _use_credentials(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    # The caller's own certificate wins, so ours has to go before it comes.
    withdraw(instance)
    return wrapped(*args, **kwargs)


def _change_context(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """A call that changes how a Context negotiates."""
    result = wrapped(*args, **kwargs)
    callers_contexts.drop(instance)
    return result


def _get_cert_store(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    store = wrapped(*args, **kwargs)
    if store is not None:
        setattr(store, _OWNER, instance)
        note_unseen_loads(instance)
    return store


def _set_flags(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    owner = getattr(instance, _OWNER, None)
    if owner is not None:
        note_flags(owner, args[0] if args else kwargs["flags"])
    _forget_demands(owner)
    return result


def _set_time(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    _forget_demands(getattr(instance, _OWNER, None))
    return result


def _forget_demands(owner: Any) -> None:
    """Forget what was made for a Context whose store has changed; for all where none is known."""
    if owner is None:
        callers_contexts.drop_all()
    else:
        callers_contexts.drop(owner)


#: Methods, by the class that has them; where a version has no such method, nobody can call it.
_WRAPPERS: dict[tuple[str, str], dict[str, Wrapper]] = {
    ("OpenSSL.SSL", "Connection"): {
        "set_tlsext_host_name": _set_tlsext_host_name,
        "set_connect_state": _set_connect_state,
        "connect": _connect,
        "connect_ex": _connect,
        "set_context": _set_context,
        "use_certificate": _use_credentials,
        "use_privatekey": _use_credentials,
    },
    ("OpenSSL.SSL", "Context"): {
        "set_cipher_list": _change_context,
        "set_tls13_ciphersuites": _change_context,
        "get_cert_store": _get_cert_store,
        **TRUST_WRAPPERS,
    },
    ("OpenSSL.crypto", "X509Store"): {"set_flags": _set_flags, "set_time": _set_time},
}


def _patches() -> tuple[Patch, ...]:
    patches = [
        Patch(attribute_of(*owner), name, wrapping(wrapper))
        for owner, wrappers in _WRAPPERS.items()
        for name, wrapper in wrappers.items()
        if hasattr(attribute_of(*owner)(), name)
    ]
    return (*patches, *session_patches(), *step_patches())


def _forget() -> None:
    callers_contexts.forget_all()
    trust.forget_all()
    sessions.forget_all()


LIBRARY = Library(
    module="OpenSSL.SSL",
    patches=_patches,
    version_module="OpenSSL",
    versions=KNOWN["OpenSSL"].versions,
    keep_only=callers_contexts.keep_only,
    forget=_forget,
)
