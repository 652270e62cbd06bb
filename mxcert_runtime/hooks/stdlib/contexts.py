"""Patches of ``ssl.SSLContext`` that write down what callers do to their contexts.

None of them changes what the call does, as far as anybody can see: a load that this process has
done before may wait until somebody looks.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any, cast

from ...base import UnknownEnvironmentError, genuine_context, openssl_variable
from ...contexts import Load, default_paths_load, described_loads, set_callers_own
from ...contexts.ledger import ledger
from ..patching import Build, Patch, Switch, Wrapper, attribute_of, wrapping
from .failures import load_before_fork

#: by what a context is told what it offers, beside ciphers; from Python 3.15 on
_OFFERS = ("set_ciphersuites", "set_client_sigalgs", "set_server_sigalgs")


def _begin_record(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    context = wrapped(*args, **kwargs)
    ledger.begin(context)
    return context


def _load_verify_locations(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    def describe() -> tuple[Load, ...]:
        try:
            return described_loads(*args, **kwargs)
        except (TypeError, ValueError):
            return ()  # CPython says it in its own words

    return ledger.load(functools.partial(wrapped, *args, **kwargs), instance, describe)


def _set_default_verify_paths(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    def describe() -> tuple[Load, ...]:
        load = None if args or kwargs else default_paths_load()
        return () if load is None else (load,)

    return ledger.load(functools.partial(wrapped, *args, **kwargs), instance, describe)


def _look(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    ledger.finish_loads(instance)
    return wrapped(*args, **kwargs)


def _set_ciphers(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    ciphers = args[0] if args else kwargs.get("cipherlist")
    return ledger.set_ciphers(functools.partial(wrapped, *args, **kwargs), instance, ciphers)


def _setting_offer(method: str) -> Wrapper:
    def set_offer(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        call = functools.partial(wrapped, *args, **kwargs)
        # They take one argument, by its position.
        return ledger.set_offer(call, instance, method, args[0] if args else None)

    return set_offer


def _load_credentials(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return ledger.load_credentials(functools.partial(wrapped, *args, **kwargs), instance)


def _set_shared_key(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    is_given = (args[0] if args else kwargs.get("callback")) is not None
    call = functools.partial(wrapped, *args, **kwargs)
    return ledger.set_shared_key(call, instance, is_given=is_given)


def _create_default_context(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    context = wrapped(*args, **kwargs)
    names_authorities = any(kwargs.get(name) for name in ("cafile", "capath", "cadata"))
    if not names_authorities and isinstance(context, genuine_context()):
        ledger.note_default_trust(context)
    return context


def method_patches() -> tuple[Patch, ...]:
    """The patches of the methods of ``SSLContext``."""
    wrappers: dict[str, Wrapper] = {
        "__new__": _begin_record,
        "load_verify_locations": _load_verify_locations,
        "set_default_verify_paths": _set_default_verify_paths,
        "get_ca_certs": _look,
        "cert_store_stats": _look,
        "set_ciphers": _set_ciphers,
        "load_cert_chain": _load_credentials,
        "set_psk_client_callback": _set_shared_key,  # from Python 3.13 on
        **{method: _setting_offer(method) for method in _OFFERS},
    }
    return (
        *(
            Patch(genuine_context, name, wrapping(wrapper))
            for name, wrapper in wrappers.items()
            if hasattr(genuine_context(), name)
        ),
        Patch(genuine_context, "_msg_callback", _noting_message_callback),
    )


def _noting_message_callback(original: property, switch: Switch) -> property:
    give = cast("Callable[[Any, Any], None]", original.fset)

    def set_message_callback(self: Any, callback: Any) -> None:
        def call() -> None:
            set_callers_own(self, lambda: give(self, callback))

        if switch.on:
            ledger.set_message_callback(call, self)
        else:
            call()

    return property(original.fget, set_message_callback, original.fdel, original.__doc__)


def factory_patches() -> tuple[Patch, ...]:
    """The patches of the functions of ``ssl`` that make contexts with default trust."""
    names = ("create_default_context", "_create_default_https_context")
    build = _wrapping_genuine_factory(wrapping(_create_default_context))
    return tuple(Patch(attribute_of("ssl"), name, build) for name in names)


def _wrapping_genuine_factory(build: Build) -> Build:
    def build_unless_replaced(original: Any, switch: Switch) -> Any:
        # `_create_unverified_context` in its place is a choice that we have no part in.
        is_default = getattr(original, "__name__", "") == "create_default_context"
        return build(original, switch) if is_default else original

    return build_unless_replaced


def _load_environment() -> None:
    """What tells of default trust is loaded by the first context that has it, in any thread."""
    with contextlib.suppress(UnknownEnvironmentError):
        openssl_variable("SSL_CERT_FILE")


load_before_fork(_load_environment)
