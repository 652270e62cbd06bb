"""The service of a SOAP operation: the WSDL names it, and settings know it by one of three ways."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..decisions import in_force, service
from ..decisions.current_service import current_service


def soap_scope(service_name: str, port_name: str) -> AbstractContextManager[Any]:
    """The scope for an operation of a WSDL service, as far as the settings know the service.

    Tried as ``Module.Service`` with each prefix of the settings, as ``Service`` and as
    ``Service.Port``. A service that the program itself has named, and that is known, goes first.
    """
    generation = in_force.current
    if generation is None or current_service.get() in generation.policy.services:
        return nullcontext()
    prefixes = generation.settings.service_prefixes
    names = [f"{prefix}.{service_name}" for prefix in prefixes]
    names += [service_name, f"{service_name}.{port_name}"]
    known = [name for name in names if name in generation.policy.services]
    return service(known[0]) if known else nullcontext()
