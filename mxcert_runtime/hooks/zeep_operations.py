"""zeep: a SOAP operation runs in the scope of its WSDL service."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping
from .soap import soap_scope


def _scope_of(operation: Any) -> AbstractContextManager[Any]:
    return soap_scope(*_find_service(operation._proxy))


def _find_service(proxy: Any) -> tuple[str, str]:
    """The names of service and port that a service proxy is for.

    The proxy keeps the binding only, and services may share one: then the address decides.
    """
    ports = [
        (service.name, port.name, port.binding_options)
        for service in proxy._client.wsdl.services.values()
        for port in service.ports.values()
        if port.binding is proxy._binding
    ]
    exact = [port for port in ports if port[2] == proxy._binding_options]
    found = (exact or ports or [("", "", None)])[0]
    return found[0], found[1]


def _call(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with _scope_of(instance):
        return wrapped(*args, **kwargs)


async def _call_async(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with _scope_of(instance):
        return await wrapped(*args, **kwargs)


def _patches() -> tuple[Patch, ...]:
    return (
        Patch(attribute_of("zeep.proxy", "OperationProxy"), "__call__", wrapping(_call)),
        Patch(attribute_of("zeep.proxy", "AsyncOperationProxy"), "__call__", wrapping(_call_async)),
    )


LIBRARY = Library(
    module="zeep.proxy", patches=_patches, version_module="zeep", versions=KNOWN["zeep"].versions
)
