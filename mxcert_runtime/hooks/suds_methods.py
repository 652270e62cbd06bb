"""suds-community: a SOAP method runs in the scope of its WSDL service."""

from __future__ import annotations

from typing import Any

from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping
from .soap import soap_scope


def _call(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with soap_scope(*_find_service(instance)):
        return wrapped(*args, **kwargs)


def _find_service(method: Any) -> tuple[str, str]:
    """The names of service and port that have this very method in the WSDL."""
    for service in method.client.wsdl.services:
        for port in service.ports:
            if any(each is method.method for each in port.methods.values()):
                return str(service.name), str(port.name)
    return "", ""


def _patches() -> tuple[Patch, ...]:
    return (Patch(attribute_of("suds.client", "Method"), "__call__", wrapping(_call)),)


LIBRARY = Library(
    module="suds.client", patches=_patches, version_module="suds", versions=KNOWN["suds"].versions
)
