"""What of the report of ``mxcert check`` is shown: some sections, or what is of one identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: in the order of the report
SECTIONS = ("settings", "identities", "rules", "extra_authorities", "errors", "warnings")


class UnknownIdentityError(LookupError):
    """The settings have no identity of that name."""


def select(
    report: Mapping[str, Any], sections: Sequence[str], identity: str | None
) -> dict[str, Any]:
    """The report with the lists that are not asked for empty; what it comes to stays.

    Raises :class:`UnknownIdentityError`.
    """
    selected = dict(report)
    if identity is not None:
        selected.update(_of_identity(report, identity))
    if sections:
        selected.update((each, []) for each in SECTIONS if each not in sections)
    return {**selected, "shown": list(dict.fromkeys(sections or SECTIONS))}


def _of_identity(report: Mapping[str, Any], name: str) -> dict[str, Any]:
    names = [each["name"] for each in report["identities"]]
    is_named = any(each["name"] == f"identity {name}" for each in report["settings"])
    if name not in names and not is_named:
        from ...base import NearWords  # late: `mxcert --help` has no use for it

        near = NearWords().nearest(name, names)
        hint = f"; did you mean `{near}`?" if near else ""
        raise UnknownIdentityError(f"there is no identity `{name}`{hint}")
    # Why one cannot be loaded is an error of the settings as a whole.
    is_of_it = _names(name) if name in names else _stops
    # Another name may begin like this one, whatever stands between.
    own = {f"identity {name}{part}" for part in ("", ", password", ", ca")}
    return {
        "settings": [each for each in report["settings"] if each["name"] in own],
        "identities": [each for each in report["identities"] if each["name"] == name],
        "rules": [
            each
            for each in report["rules"]
            if name == each["identity"] or name in each["candidates"]
        ],
        "extra_authorities": [],
        "errors": list(filter(is_of_it, report["errors"])),
        "warnings": list(filter(_names(name), report["warnings"])),
    }


def _names(identity: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda diagnostic: diagnostic["identity"] == identity


def _stops(diagnostic: Mapping[str, Any]) -> bool:
    from ...diagnosis import DiagnosticCode  # late: `mxcert --help` has no use for it

    return bool(diagnostic["code"] == DiagnosticCode.INVALID_SETTINGS.value)
