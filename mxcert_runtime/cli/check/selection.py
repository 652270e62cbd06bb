"""What of the report of ``mxcert check`` is shown: some sections, or what is of one identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    return {**selected, "shown": list(sections) or list(SECTIONS)}


def _of_identity(report: Mapping[str, Any], name: str) -> dict[str, Any]:
    names = [each["name"] for each in report["identities"]]
    if name not in names:
        from ...base import NearWords  # late: `mxcert --help` has no use for it

        near = NearWords().nearest(name, names)
        hint = f"; did you mean `{near}`?" if near else ""
        raise UnknownIdentityError(f"there is no identity `{name}` that can be loaded{hint}")
    entry = f"identity {name}"
    return {
        "settings": [
            each
            for each in report["settings"]
            if each["name"] == entry or each["name"].startswith(f"{entry}, ")
        ],
        "identities": [each for each in report["identities"] if each["name"] == name],
        "rules": [
            each
            for each in report["rules"]
            if name == each["identity"] or name in each["candidates"]
        ],
        "extra_authorities": [],
        **{
            kind: [each for each in report[kind] if each["identity"] == name]
            for kind in ("errors", "warnings")
        },
    }
