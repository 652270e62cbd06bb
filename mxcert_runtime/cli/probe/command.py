"""``mxcert probe``: one real handshake with a server, told step by step, and a verdict."""

from __future__ import annotations

import argparse
import json
import sys

from ...errors import SettingsError
from ...start.activation import activate, deactivate
from ..invalid_settings import report_invalid_settings
from ..terminal import Terminal, open_terminal
from .certificates import warnings_of
from .report import SCHEMA, ShownSteps, as_data, print_report
from .result import ProbeResult
from .steps import probe, warnings_of_log
from .target import WrongUseError, parse_proxy, parse_target
from .verdict import judge


def run(arguments: argparse.Namespace) -> int:
    """Probe and print. Gives the exit status."""
    terminal = None if arguments.json else open_terminal()
    with warnings_of_log() as warnings:
        try:
            return _report(_probe(arguments, terminal), terminal, warnings)
        except WrongUseError as error:
            print(f"mxcert probe: {error}", file=sys.stderr)
            return 2
        except SettingsError as error:
            return report_invalid_settings("probe", SCHEMA, error, as_json=arguments.json)


def _probe(arguments: argparse.Namespace, terminal: Terminal | None) -> ProbeResult:
    target = parse_target(arguments.url, arguments.starttls)
    proxy = parse_proxy(arguments.proxy) if arguments.proxy else None
    activate()
    try:
        progress = ShownSteps(terminal, target) if terminal else None
        return probe(target, proxy, arguments.service, arguments.timeout, progress)
    finally:
        deactivate()


def _report(result: ProbeResult, terminal: Terminal | None, warnings: list[str]) -> int:
    verdict = judge(result)
    if result.tls is not None:
        warnings = [*warnings, *warnings_of(result.chain)]
    if terminal is None:
        print(json.dumps(as_data(result, verdict, warnings), indent=2))
    else:
        print_report(terminal, result, verdict, warnings)
    return 0 if verdict.is_good else 1
