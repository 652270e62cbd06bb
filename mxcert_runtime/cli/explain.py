"""``mxcert explain``: which certificate a connection would present, and which rule says so.

It shows what :func:`mxcert_runtime.explain` gives, for the settings of this environment.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from ..base.printable import printable
from .layout import Style, Styled
from .settings_file import add_config
from .terminal import Cell, Terminal, open_terminal, shown_moment

if TYPE_CHECKING:
    from ..decisions import Explanation, Generation
    from ..identity import Authorities

_SCHEMA_NAME = "mxcert-explain/2"
_DESCRIPTION = """\
Shows what the settings of this environment decide for a connection to URL: each place where a rule
could stand, most specific first, the rule that decided, the identity that it gives, and the
pinned CAs there, if there are such. No I/O but reading the settings; nothing is connected to."""
_EPILOG = """\
URL is https://host:port/, smtp://host:25, host:port or host. Where neither it nor its scheme has
a port, rules with a port do not count.

exit status: 0 explained, 1 the settings have faults, 2 wrong use"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "explain",
        help="show which certificate a host would see, and why",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("endpoint", type=_endpoint, metavar="URL", help="what is connected to")
    add_config(parser)
    parser.add_argument(
        "--service", metavar="NAME", help="the service that the code has named, if it names one"
    )
    parser.add_argument(
        "--client", metavar="MODULE", help="the library that connects, by the name of its import"
    )
    return parser


def _endpoint(text: str) -> tuple[str, int | None]:
    from ..decisions import endpoint_of
    from ..errors import HostNameError

    try:
        return endpoint_of(text)
    except HostNameError as error:
        problem = str(error)
    raise argparse.ArgumentTypeError(problem)


def run(arguments: argparse.Namespace) -> int:
    """Explain and print it. Gives the exit status."""
    # What these import is heavy, and `mxcert --help` has no use for it.
    from ..decisions import explain_in
    from ..errors import SettingsError

    try:
        generation = _generation()
    except SettingsError as error:
        from .invalid_settings import report_invalid_settings

        return report_invalid_settings("explain", _SCHEMA_NAME, error, as_json=arguments.json)
    host, port = arguments.endpoint
    explanation = explain_in(generation, host, port, arguments.service or None)
    if arguments.json:
        data = {"schema": _SCHEMA_NAME, "ok": True, **explanation.as_data()}
        if arguments.client:
            data["client"] = _describe_client(arguments.client)
        print(json.dumps(data, indent=2))
    else:
        _print(open_terminal(), explanation, generation)
        if arguments.client and _describe_client(arguments.client)["reached"]:
            print(f"\n{_describe_client(arguments.client)['words']}")
    for warning in (*_warnings(explanation, generation), *_client_warnings(arguments.client)):
        print(f"mxcert explain: {warning}", file=sys.stderr)
    return 0


def _generation() -> Generation:
    from ..decisions import build_generation
    from ..settings import read_process_settings

    return build_generation(read_process_settings())


def _warnings(explanation: Explanation, generation: Generation) -> list[str]:
    warnings = list(explanation.warnings)
    if not generation.settings:
        warnings.append("there are no settings here, so nothing would be presented anywhere")
    return list(map(printable, warnings))


def _describe_client(module: str) -> dict[str, Any]:
    """Whether hooks reach the connections of a library; ``None``: nothing is known of it."""
    from ..hooks import LIBRARIES
    from ..hooks.unreached import unreached_client

    module = printable(module)
    unreached = unreached_client(module)
    if unreached is not None:
        return {"module": module, "reached": False, "words": str(unreached)}
    if module in {each.module.partition(".")[0] for each in LIBRARIES}:
        words = f"`{module}` is hooked, so its connections go by this."
        return {"module": module, "reached": True, "words": words}
    words = (
        f"nothing is known of `{module}`: what connects through `ssl` or pyOpenSSL goes by this, "
        "what has TLS of its own does not; docs/compatibility.md has the clients that are measured"
    )
    return {"module": module, "reached": None, "words": words}


def _client_warnings(module: str | None) -> list[str]:
    described = _describe_client(module) if module else {"reached": True}
    return [] if described["reached"] else [str(described["words"])]


def _print(terminal: Terminal, explanation: Explanation, generation: Generation) -> None:
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


_WITHOUT_IDENTITY = {
    "none": "no certificate",
    "server-request": "what the server's request chooses",
}


def _place_row(place: dict[str, Any]) -> list[Cell]:
    if place["decided"]:
        return [place["place"], Styled(f"{place['reason']}: decides", Style.GOOD)]
    return [place["place"], Styled("no rule", Style.QUIET)]
