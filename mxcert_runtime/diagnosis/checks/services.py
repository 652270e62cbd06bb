"""Checks of rules by service that may never apply: no host has them, no library names them.

Such a deployment sends what hosts without a rule get. Whether its code names the service cannot be
known from outside, so this is a warning, and an empty list of hosts says that the code does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...decisions import Generation
from ...settings import RuleKind, RuleSettings

if TYPE_CHECKING:
    from .diagnostic import Diagnostic

#: what names the service of an operation by itself; see the hooks of that name
_SOAP_LIBRARIES = ("zeep", "suds")
#: names in one text; the rest are counted
_MOST_SHOWN = 5


def check_services(generation: Generation) -> Iterator[Diagnostic]:
    """Rules by service without hosts, in a program that has no SOAP library; one for each origin.

    Nothing is imported to find that out.
    """
    mapped = {service for service, _ in generation.settings.services}
    by_origin: dict[str, list[str]] = {}
    for rule in generation.settings.rules:
        if rule.identifier not in mapped and _names_service(rule):
            by_origin.setdefault(str(rule.origin), []).append(rule.identifier)
    if by_origin and not any(map(_is_installed, _SOAP_LIBRARIES)):
        for origin, services in by_origin.items():
            yield _not_mapped(origin, services)


def _names_service(rule: RuleSettings) -> bool:
    """Whether a rule is for a service and hardly for a host, where a name can be either.

    Hosts are written in lower case, or all in upper case; the last part of a service's name begins
    with a capital letter.
    """
    if rule.kind is not RuleKind.HOST_OR_SERVICE:
        return rule.kind is RuleKind.SERVICE
    parts = rule.identifier.split(".")
    if any(len(part) > 63 for part in parts):  # RFC 1035: no host has such a part
        return True
    is_name = all(part.isascii() and part.isidentifier() for part in parts)
    return is_name and not parts[-1].islower() and not rule.identifier.isupper()


def _is_installed(module: str) -> bool:
    if sys.modules.get(module) is not None:
        return True
    import importlib.util  # late: most settings name no service

    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _not_mapped(origin: str, services: list[str]) -> Diagnostic:
    from .diagnostic import Diagnostic, DiagnosticCode  # late: most settings have none

    shown = ", ".join(f"`{each}`" for each in services[:_MOST_SHOWN])
    shown += f" and {len(services) - _MOST_SHOWN} more" if len(services) > _MOST_SHOWN else ""
    one = len(services) == 1
    problem = (
        f"the service{'' if one else 's'} {shown} {'has' if one else 'have'} no hosts, and neither"
        " zeep nor suds is installed: if your code does not name"
        f" {'it' if one else 'them'} by mxcert_runtime.service(...), the rule never applies, and"
        " the connections get what hosts without a rule get"
    )
    remedy = (
        f'Give the hosts in MXCERT_SERVICES or [services], as in `"{services[0]}": ["host"]`;'
        " an empty list says that the code names the service"
    )
    return Diagnostic(
        code=DiagnosticCode.SERVICE_NOT_MAPPED, origin=origin, problem=problem, remedy=remedy
    )
