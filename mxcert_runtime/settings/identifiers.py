"""The identifiers of rules: hosts and service names, checked before they become part of a rule."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..base import late_pattern, parse_pattern, refuse_separators
from ..errors import HostNameError
from .draft import Place
from .model import RuleKind, RuleSettings
from .values import Record, texts_of

_SCHEME = late_pattern(r"\Ahttps?://", re.IGNORECASE)
#: The reference platform's form, `Module.Service`. Nearly each such name can be a host too; this
#: is for those that cannot, having a part that is too long for one.
_PLATFORM_SERVICE = late_pattern(r"(?!\d)\w(?:[\w-]*\w)?(?:\.(?!\d)\w(?:[\w-]*\w)?)*", re.ASCII)
#: What no name has that code gives to a call, in a format where such names stand by themselves:
#: with one of these it was meant as an URL or a pattern, which would never apply.
_NO_SERVICE = late_pattern(r"[?*\[\]]|//|^\.|\.$")
_PRINTED_KEY = late_pattern(r"[\w.@/*-]*")
_LONGEST_SHOWN = 200
#: of a PKCS12 in base64 these say no more than that it is one
_LONGEST_KEY = 40


def rules_of(
    identifiers: Iterable[str],
    kind: RuleKind,
    identity: str | None,
    place: Place,
) -> list[RuleSettings]:
    """A rule for each identifier that can be one; the others are faults."""
    checked = [checked_identifier(text, kind, place) for text in identifiers]
    return [
        RuleSettings(identifier=name, kind=kind, identity=identity, origin=place.origin)
        for name in checked
        if name is not None
    ]


def checked_identifier(text: str, kind: RuleKind, place: Place) -> str | None:
    """The identifier without what does not belong to it, or ``None`` and a fault."""
    if not text.strip():
        place.fault("has an empty identifier", "Write a host or a service name")
        return None
    if kind is RuleKind.SERVICE:
        return _checked_service(text.strip(), place)
    name = _without_url_parts(text.strip(), place)
    try:
        parse_pattern(name)
    except HostNameError as error:
        if kind is RuleKind.HOST or not _PLATFORM_SERVICE.fullmatch(name):
            _refuse(text, kind, error, place)
            return None
    return name


def _refuse(text: str, kind: RuleKind, error: HostNameError, place: Place) -> None:
    is_either = kind is RuleKind.HOST_OR_SERVICE
    neither = "is neither a host nor a service name: it " if is_either else ""
    problem = f"has the identifier `{shown(text)}`, which {neither}{error.problem}"
    place.fault(problem, error.remedy)


def _checked_service(name: str, place: Place) -> str | None:
    """A name of a service that stands by itself, and may be freer than the platform's.

    Code gives it to a call, where any text will do: a blank, or a letter of any script, is not
    refused. What a list, an URL or a pattern looks like is, since it was meant as one.
    """
    wrong = _service_problem(name.replace(" ", ""))
    if wrong is None:
        return name
    place.fault(f"has the service `{shown(name)}`, which {wrong[0]}", wrong[1])
    return None


def prefixes_of(texts: Iterable[str], place: Place) -> tuple[str, ...]:
    """The modules in front of service names, of those that can be one; the others are faults."""
    kept = []
    for text in texts:
        wrong = _service_problem(text.strip())
        if wrong is None:
            kept.append(text.strip())
        else:
            place.fault(f"has the prefix `{shown(text)}`, which {wrong[0]}", wrong[1])
    return tuple(kept)


def _service_problem(name: str) -> tuple[str, str] | None:
    """Why code can have no service of that name, and what to do about it."""
    try:
        refuse_separators(name)
    except HostNameError as error:
        return error.problem, error.remedy
    if name.isprintable() and not _NO_SERVICE.search(name):
        return None
    remedy = "Write a name such as `Module.Service`; a host belongs to `hosts`"
    return "is no name that code gives to a service", remedy


def _without_url_parts(text: str, place: Place) -> str:
    name = _SCHEME.sub("", text, count=1) if "://" in text else text
    name = name[:-1] if name.endswith("/") else name
    if name != text:
        problem = f"has `{shown(text)}`, which is read as `{shown(name)}`"
        place.warn(problem, "Write the host alone, without `https://` and `/`")
    return name


def shown(text: str) -> str:
    """An identifier as faults show it: what stands in front of an @ may be a password."""
    before, at, after = text.rpartition("@")
    text = f"...{at}{after}" if before else text
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def shown_key(key: str) -> str:
    """A key as faults show it: behind a colon without a blank YAML takes the value for the key.

    One that is longer than any name may be a certificate with its key, in the place of the value.
    """
    name = shown(key)
    name = name if len(name) <= _LONGEST_KEY else f"{name[:_LONGEST_KEY]}..."
    begin = _PRINTED_KEY.match(name)
    return f"`{name}`" if begin is None or begin[0] == name else f"`{begin[0]}...`"


def services_of(record: Record, place: Place) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Which hosts a service is, from a mapping of service names to a host or a list of hosts."""
    for name in record.repeated:
        place.fault(f"names the service `{shown(name)}` twice", "Keep one list of its hosts")
    services = []
    for name, value in record.items():
        at = place.at(shown(name))
        service = checked_identifier(name, RuleKind.SERVICE, at)
        given = texts_of(value if isinstance(value, list) else [value], at) or ()
        hosts = [checked_identifier(host, RuleKind.HOST, at) for host in given]
        if service:
            services.append((service, tuple(host for host in hosts if host)))
    return tuple(services)
