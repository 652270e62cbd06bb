"""The report of ``mxcert check`` for people: what is in effect first, what is wrong last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...diagnosis.checks.diagnostic import DiagnosticCode
from ..layout import Style, Styled
from ..terminal import Cell, Terminal, shown_moment

_NO_CERTIFICATE = "no certificate"
_INVALID = DiagnosticCode.INVALID_SETTINGS.value
_VALIDITY_STYLES = {"valid": Style.GOOD}


def print_report(terminal: Terminal, report: Mapping[str, Any]) -> None:
    """Print all that the report holds."""
    _print_settings(terminal, report["settings"])
    for identity in report["identities"]:
        terminal.heading(f"Identity {identity['name']}")
        terminal.facts(_facts(identity))
    _print_rules(terminal, report)
    _print_authorities(terminal, report["extra_authorities"])
    _print_diagnostics(terminal, "Errors", report["errors"], Style.BAD)
    _print_diagnostics(terminal, "Warnings", report["warnings"], Style.WARNING)
    terminal.heading("Result")
    _print_result(terminal, report)


def _print_settings(terminal: Terminal, settings: Iterable[Mapping[str, str]]) -> None:
    terminal.heading("Settings in effect")
    headers = ("name", "value", "origin")
    terminal.table(headers, [[each[header] for header in headers] for each in settings])


def _facts(identity: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    style = _VALIDITY_STYLES.get(identity["validity"], Style.BAD)
    key = identity["key_type"]
    return [
        ("subject", identity["subject"]),
        ("issuer", identity["issuer"]),
        ("names", ", ".join(identity["alternative_names"]) or "(none)"),
        ("key", key if identity["key_bits"] is None else f"{key} ({identity['key_bits']} bits)"),
        *_token_facts(identity["token"]),
        ("signature", identity["signature_algorithm"]),
        ("serial", identity["serial"]),
        ("SHA-256", identity["fingerprint"]),
        (
            "valid",
            f"{shown_moment(identity['not_before'])} to {shown_moment(identity['not_after'])}",
        ),
        ("today", Styled(f"{identity['validity']}, {_days_to(identity['days_left'])}", style)),
        ("chain", _chain(identity)),
        ("origin", identity["origin"]),
    ]


def _token_facts(token: Mapping[str, Any] | None) -> list[tuple[str, Cell]]:
    if token is None:
        return []
    kind = " ".join(filter(None, (token["manufacturer"], token["model"], token["serial"])))
    return [
        ("in token", f"{token['label']} ({kind}), by {token['module']}"),
        ("URI", token["uri"]),
        ("signs by", ", ".join(token["mechanisms"]) or "nothing that TLS asks for"),
    ]


def _days_to(days_left: int) -> str:
    return f"{_counted(abs(days_left), 'day')} {'since' if days_left < 0 else 'to'} its end"


def _chain(identity: Mapping[str, Any]) -> str:
    steps = " < ".join(["leaf", *identity["chain"]])
    if identity["chain_complete"]:
        return f"{steps}; complete, below `{identity['trust_anchor']}`"
    return f"{steps}; servers have to trust `{identity['trust_anchor']}`"


def _print_rules(terminal: Terminal, report: Mapping[str, Any]) -> None:
    default = report["default"]
    if default is None:
        return
    terminal.heading("Rules, most specific first")
    if report["rules"]:
        headers = ("for", "kind", "presents", "pinned CAs", "origin")
        terminal.table(headers, map(_rule_row, report["rules"]))
    order = ", ".join(default["candidates"])
    facts = [("default", default["reason"]), *([("in this order", order)] if order else [])]
    terminal.facts(facts)


def _rule_row(rule: Mapping[str, Any]) -> list[Cell]:
    origin = f"{rule['origin']} (of {rule['service']})" if rule["service"] else rule["origin"]
    own = ", ".join(rule["pinned_authorities"] or ())
    presented = " or ".join(rule["candidates"]) or rule["identity"] or _NO_CERTIFICATE
    return [rule["pattern"], rule["kind"], presented, own, origin]


def _print_authorities(terminal: Terminal, authorities: list[Mapping[str, Any]]) -> None:
    if authorities:
        terminal.heading("CAs that join default trust")
        headers = ("subject", "valid until", "SHA-256")
        terminal.table(headers, map(_authority_row, authorities))


def _authority_row(authority: Mapping[str, Any]) -> list[Cell]:
    end = authority["not_after"]
    return [authority["subject"], shown_moment(end) if end else "?", authority["fingerprint"]]


def _print_diagnostics(
    terminal: Terminal, title: str, diagnostics: list[Mapping[str, str]], style: Style
) -> None:
    if not diagnostics:
        return
    terminal.heading(title)
    for each in diagnostics:
        terminal.line(f"- {each['origin']}: {each['problem']}.", style)
        terminal.line(f"  {each['remedy']}.")


def _print_result(terminal: Terminal, report: Mapping[str, Any]) -> None:
    errors, warnings = report["errors"], report["warnings"]
    counts = f"{_counted(len(errors), 'error')}, {_counted(len(warnings), 'warning')}"
    if report["ignored"]:
        counts += f" (without {', '.join(report['ignored'])})"
    if report["ok"]:
        terminal.line(f"OK: {counts}.", Style.WARNING if warnings else Style.GOOD)
        return
    is_unusable = any(each["code"] == _INVALID for each in errors)
    note = "; with such settings a program does not start" if is_unusable else ""
    terminal.line(f"Not OK: {counts}{note}.", Style.BAD)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
