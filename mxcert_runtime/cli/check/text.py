"""The report of ``mxcert check`` for people: what is in effect first, what is wrong last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...diagnosis import DiagnosticCode
from ..layout import Style, Styled
from ..terminal import Cell, Terminal, shown_moment
from .summary import alike

_NO_CERTIFICATE = "no certificate"
_INVALID = DiagnosticCode.INVALID_SETTINGS.value
#: more of them are a table
_TOLD_AT_LENGTH = 20
_VALIDITY_STYLES = {"valid": Style.GOOD}


def print_report(terminal: Terminal, report: Mapping[str, Any]) -> None:
    """Print all that the report holds: what it comes to, then everything, then that again."""
    print_summary(terminal, report)
    if report["settings"]:
        _print_settings(terminal, report["settings"])
    _print_identities(terminal, report["identities"])
    _print_rules(terminal, report)
    _print_authorities(terminal, report["extra_authorities"])
    _print_diagnostics(terminal, "Errors", report["errors"], Style.BAD)
    _print_diagnostics(terminal, "Warnings", report["warnings"], Style.WARNING)
    terminal.heading("Result")
    _print_result(terminal, report)


def print_summary(terminal: Terminal, report: Mapping[str, Any]) -> None:
    """Print how much there is of everything, and how it stands."""
    summary = report["summary"]
    terminal.heading("Summary")
    first = summary["first_to_end"]
    ends = first and (
        f"`{first['name']}`, {shown_moment(first['not_after'])} ({_expiry(first['days_left'])})"
    )
    facts = [
        ("identities", f"{summary['identities']:,}"),
        ("expires first", ends),
        ("rules", f"{summary['rules']:,}"),
        ("errors", _told_counts(summary["errors"])),
        ("warnings", _told_counts(summary["warnings"])),
    ]
    terminal.facts([(name, value) for name, value in facts if value])
    _print_result(terminal, report)


def _told_counts(counts: list[Mapping[str, Any]]) -> str:
    each = ", ".join(f"{each['count']:,} {each['code']}" for each in counts)
    return f"{_total(counts):,} ({each})" if counts else "0"


def _total(counts: Iterable[Mapping[str, Any]]) -> int:
    return sum(each["count"] for each in counts)


def _print_identities(terminal: Terminal, identities: list[Mapping[str, Any]]) -> None:
    if len(identities) <= _TOLD_AT_LENGTH:
        for identity in identities:
            terminal.heading(f"Identity {identity['name']}")
            terminal.facts(_facts(identity))
        return
    terminal.heading("Identities (`--identity NAME` tells all of one)")
    headers = ("name", "subject", "key", "valid until", "today")
    terminal.table(headers, map(_identity_row, identities))


def _identity_row(identity: Mapping[str, Any]) -> list[Cell]:
    style = _VALIDITY_STYLES.get(identity["validity"], Style.BAD)
    today = Styled(identity["validity"], style)
    end = shown_moment(identity["not_after"])
    return [identity["name"], identity["subject"], identity["key_type"], end, today]


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
        ("today", Styled(f"{identity['validity']}, {_expiry(identity['days_left'])}", style)),
        ("chain", describe_chain(identity)),
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


def _expiry(days_left: int) -> str:
    days = _counted(abs(days_left), "day")
    return f"expired {days} ago" if days_left < 0 else f"expires in {days}"


def describe_chain(identity: Mapping[str, Any]) -> str:
    """From the leaf to what servers have to trust."""
    steps = " < ".join(["leaf", *identity["chain"]])
    if identity["chain_complete"]:
        return f"{steps}; complete, below `{identity['trust_anchor']}`"
    return f"{steps}; servers have to trust `{identity['trust_anchor']}`"


def _print_rules(terminal: Terminal, report: Mapping[str, Any]) -> None:
    default = report["default"]
    if default is None or "rules" not in report["shown"]:
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
    for each, more, origins in alike(diagnostics):
        terminal.line(f"- {each['origin']}: {each['problem']}.", style)
        if more:
            others = f"{', '.join(origins)}{', ...' * (more > len(origins))}"
            terminal.line(f"  The same of {more:,} more: {others} (--json has all).", style)
        terminal.line(f"  {each['remedy']}.")


def _print_result(terminal: Terminal, report: Mapping[str, Any]) -> None:
    errors, warnings = report["summary"]["errors"], _total(report["summary"]["warnings"])
    counts = f"{_counted(_total(errors), 'error')}, {_counted(warnings, 'warning')}"
    if report["ignored"]:
        counts += f" (without {', '.join(report['ignored'])})"
    if report["ok"]:
        terminal.line(f"OK: {counts}.", Style.WARNING if warnings else Style.GOOD)
        return
    is_unusable = any(each["code"] == _INVALID for each in errors)
    note = "; with such settings a program does not start" if is_unusable else ""
    terminal.line(f"Not OK: {counts}{note}.", Style.BAD)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
