"""The identifiers of rules: hosts and service names, checked before they become part of a rule."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..endpoint import parse_pattern
from ..errors import HostNameError
from .draft import Findings
from .model import Origin, RuleKind, RuleSettings
from .values import Record, texts_of

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
# A text with one of these was meant as a host, a pattern or an URL; as the name of a service it
# would be a rule that never applies, and nobody would be told.
_NO_SERVICE = re.compile(r"[\s/\\@?*:\[\]\x00-\x1f]|^\.|\.$|[^\x00-\x7f]")


def rules_of(
    identifiers: Iterable[str],
    kind: RuleKind,
    identity: str | None,
    origin: Origin,
    findings: Findings,
) -> list[RuleSettings]:
    """A rule for each identifier that can be one; the others are faults."""
    checked = [checked_identifier(text, kind, origin, findings) for text in identifiers]
    return [RuleSettings(name, kind, identity, origin) for name in checked if name is not None]


def checked_identifier(text: str, kind: RuleKind, origin: Origin, findings: Findings) -> str | None:
    """The identifier without what does not belong to it, or ``None`` and a fault."""
    if not text.strip():
        findings.fault(origin, "has an empty identifier", "Write a host or a service name")
        return None
    if kind is RuleKind.SERVICE:
        return text.strip()
    name = _without_url_parts(text.strip(), origin, findings)
    try:
        parse_pattern(name)
    except HostNameError as error:
        if kind is RuleKind.HOST or not name or _NO_SERVICE.search(name):
            problem = f"has the identifier `{shown(text)}`, which {error.problem}"
            findings.fault(origin, problem, error.remedy)
            return None
    return name


def _without_url_parts(text: str, origin: Origin, findings: Findings) -> str:
    name = _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text
    name = name[:-1] if name.endswith("/") else name
    if name != text:
        problem = f"has `{shown(text)}`, which is read as `{shown(name)}`"
        findings.notice(origin, problem, "Write the host alone, without `https://` and `/`")
    return name


def shown(text: str) -> str:
    """An identifier as faults show it: what stands in front of an @ may be a password."""
    before, at, after = text.rpartition("@")
    return f"...{at}{after}" if before else text


def services_of(
    record: Record, origin: Origin, findings: Findings
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Which hosts a service is, from a mapping of service names to a host or a list of hosts."""
    for name in record.repeated:
        findings.fault(
            origin, f"names the service `{shown(name)}` twice", "Keep one list of its hosts"
        )
    services = []
    for name, value in record.items():
        at = origin.at(shown(name))
        service = checked_identifier(name, RuleKind.SERVICE, at, findings)
        given = texts_of(value if isinstance(value, list) else [value], at, findings) or ()
        hosts = [checked_identifier(host, RuleKind.HOST, at, findings) for host in given]
        if service:
            services.append((service, tuple(host for host in hosts if host)))
    return tuple(services)
