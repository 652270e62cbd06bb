"""An explanation as text."""

from __future__ import annotations

from typing import Any

from ...decisions import Explanation, Generation
from ...identity import Authorities
from ..layout import Style, Styled
from ..terminal import Cell, Terminal, shown_moment

_WITHOUT_IDENTITY = {
    "none": "no certificate",
    "server-request": "what the server's request chooses",
}


def print_explanation(terminal: Terminal, explanation: Explanation, generation: Generation) -> None:
    """Decision, candidates, and each place where a rule was looked for."""
    data, extra = explanation.as_data(), generation.extra_authorities
    terminal.heading("Decision")
    terminal.facts(
        [
            *_facts(data),
            ("trusts", _trusted(data, extra)),
            *([("unverified server", _unverified(data, generation))] if _presents(data) else []),
        ]
    )
    if data["candidates"]:
        terminal.heading("The server's request chooses the first of these that fits and is valid")
        headers = ("identity", "subject", "issuer", "valid until")
        terminal.table(headers, map(_candidate_row, data["candidates"]))
    terminal.heading("Where a rule was looked for, most specific first")
    terminal.table(("place", "what stands there"), map(_place_row, data["places"]))


def _candidate_row(identity: dict[str, str]) -> list[Cell]:
    end = shown_moment(identity["not_after"])
    return [identity["name"], identity["subject"], identity["issuer"], end]


def _facts(data: dict[str, Any]) -> list[tuple[str, Cell]]:
    presented = data["identity"]
    return [
        ("host", data["host"]),
        ("port", "(not given)" if data["port"] is None else str(data["port"])),
        ("service", data["service"] or "(none)"),
        ("presents", presented["name"] if presented else _WITHOUT_IDENTITY[data["choice"]]),
        *([("subject", presented["subject"])] if presented else []),
        *([("valid until", shown_moment(presented["not_after"]))] if presented else []),
        ("because of", data["reason"]),
    ]


def _trusted(data: dict[str, Any], extra: Authorities | None) -> str:
    pinned = data["pinned_authorities"]
    if pinned:
        return f"{', '.join(pinned)}, and nothing else"
    joining = f"; {', '.join(extra.sources)} where that is default trust" if extra else ""
    return f"what the program trusts{joining}"


def _presents(data: dict[str, Any]) -> bool:
    return data["identity"] is not None or bool(data["candidates"])


def _unverified(data: dict[str, Any], generation: Generation) -> str:
    """What a client that does not verify the server, as by ``verify=False``, presents to it."""
    required = generation.settings.require_verified_server
    said = f"require_verified_server is `{required.value}`"
    if data["requires_verified_server"]:
        return f"gets nothing: {said}"
    pinned = ", and no CAs are pinned here" if required.value == "pinned" else ""
    return f"gets it too: {said}{pinned}"


def _place_row(place: dict[str, Any]) -> list[Cell]:
    if place["decided"]:
        return [place["place"], Styled(f"{place['reason']}: decides", Style.GOOD)]
    return [place["place"], Styled("no rule", Style.QUIET)]
