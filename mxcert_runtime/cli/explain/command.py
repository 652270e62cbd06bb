"""``mxcert explain``: which certificate a connection would present, and which rule says so.

It shows what :func:`mxcert_runtime.explain` gives, for the settings of this environment.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ...base.printable import printable
from ...decisions import Explanation, Generation, build_generation, explain_in
from ...errors import SettingsError
from ...hooks import LIBRARIES
from ...hooks.unreached import unreached_client
from ...settings import read_process_settings
from ..invalid_settings import report_invalid_settings
from ..terminal import open_terminal
from .text import print_explanation

_SCHEMA_NAME = "mxcert-explain/2"


def run(arguments: argparse.Namespace) -> int:
    """Explain and print it. Gives the exit status."""
    try:
        generation = build_generation(read_process_settings())
    except SettingsError as error:
        return report_invalid_settings("explain", _SCHEMA_NAME, error, as_json=arguments.json)
    host, port = arguments.endpoint
    explanation = explain_in(generation, host, port, arguments.service or None)
    if arguments.json:
        data = {"schema": _SCHEMA_NAME, "ok": True, **explanation.as_data()}
        if arguments.client:
            data["client"] = _describe_client(arguments.client)
        print(json.dumps(data, indent=2))
    else:
        print_explanation(open_terminal(), explanation, generation)
        if arguments.client and _describe_client(arguments.client)["reached"]:
            print(f"\n{_describe_client(arguments.client)['words']}")
    for warning in (*_warnings(explanation, generation), *_client_warnings(arguments.client)):
        print(f"mxcert explain: {warning}", file=sys.stderr)
    return 0


def _warnings(explanation: Explanation, generation: Generation) -> list[str]:
    warnings = list(explanation.warnings)
    if not generation.settings:
        warnings.append("there are no settings here, so nothing would be presented anywhere")
    return list(map(printable, warnings))


def _describe_client(module: str) -> dict[str, Any]:
    """Whether hooks reach the connections of a library; ``None``: nothing is known of it."""
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
