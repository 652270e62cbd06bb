"""The report of ``mxcert probe``, as text and as JSON of the schema ``mxcert-probe/2``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...base import SIGNATURE_SCHEMES
from ...connections import CertificateRequest
from ...identity import readable_name
from ..layout import Style, Styled
from ..terminal import Cell, Terminal
from .certificates import CertificateView
from .result import ProbeResult, Step
from .target import Target
from .verdict import Outcome, Verdict

SCHEMA = "mxcert-probe/2"
_MOST_ISSUERS = 8
_LONGEST_STEP = len("name resolution")

_KEYS = {"rsa": "RSA", "ecdsa": "ECDSA", "ed25519": "Ed25519", "ed448": "Ed448"}


def as_data(result: ProbeResult, verdict: Verdict, warnings: list[str]) -> dict[str, Any]:
    """Everything as plain data, for JSON."""
    target, tls, voucher = result.target, result.tls, result.voucher
    return {
        "schema": SCHEMA,
        "ok": verdict.is_good,
        "target": {
            "url": str(target),
            "host": target.host,
            "port": target.port,
            "protocol": target.protocol.name,
            "starttls": target.protocol.starttls,
            "proxy": result.proxy and str(result.proxy),
            "service": result.service,
        },
        "active": result.generation is not None,
        "decision": _decision_data(result),
        "steps": [_step_data(step) for step in result.steps],
        "tls": tls and {**vars(tls)},
        "server": {
            "trust": str(result.verification),
            "chain": [each.as_data() for each in result.chain],
            "vouched_for_by": voucher and {**vars(voucher)},
        },
        "request": _request_data(result),
        "presented": _presented_data(result),
        "answer": result.answer,
        "alert": _alert_data(result, verdict),
        "warnings": warnings,
        "verdict": {
            "outcome": verdict.outcome.value,
            "text": verdict.text,
            "remedy": verdict.remedy,
        },
    }


def _decision_data(result: ProbeResult) -> dict[str, Any]:
    decision = result.decision
    return {
        "choice": decision.choice.value,
        "identity": decision.identity and decision.identity.name,
        "candidates": [each.name for each in decision.candidates],
        "rule": decision.rule and decision.rule.name,
        "reason": decision.reason,
        "places": [
            {"place": place, "decision": None if found is None else str(found)}
            for place, found in result.places
        ],
    }


def _step_data(step: Step) -> dict[str, Any]:
    return {
        "step": step.name,
        "ok": step.error is None,
        "ms": round(step.milliseconds, 3),
        "detail": step.detail or None,
        "error": None if step.error is None else _text_of(step.error),
    }


def _text_of(error: Exception) -> str:
    return str(error) or type(error).__name__


def _request_data(result: ProbeResult) -> dict[str, Any] | None:
    request = result.observation.request
    if request is None:
        return None
    return {
        "issuers": [readable_name(each) for each in request.issuers],
        "signature_schemes": _scheme_names(request),
        "certificate_types": sorted(request.certificate_types),
        "identities": [
            {"name": identity.name, "fits": reason is None, "reason": reason}
            for identity, reason in result.misfits
        ],
    }


def _presented_data(result: ProbeResult) -> dict[str, Any] | None:
    leaf = result.presented
    if leaf is None:
        return None
    count = len(result.observation.presented or ())
    return {"identity": result.presented_name, "certificates": count, **leaf.as_data()}


def _alert_data(result: ProbeResult, verdict: Verdict) -> dict[str, Any] | None:
    alert = verdict.alert
    if alert is None:
        return None
    return {
        "kind": alert.kind.value,
        "name": alert.name,
        "number": alert.number,
        "meaning": alert.meaning,
    }


class ShownSteps:
    """Prints each step as it happens: of a server that hangs it is seen where."""

    def __init__(self, terminal: Terminal, target: Target) -> None:
        self._terminal = terminal
        terminal.heading(f"Probe of {target}")

    def begin(self, name: str) -> None:
        """The name, before anybody waits."""
        self._terminal.begin(f"  {name.ljust(_LONGEST_STEP)}  ")

    def end(self, step: Step) -> None:
        """How long it took, and what came of it."""
        took = f"{step.milliseconds:8.1f} ms  "
        if step.error is not None:
            self._terminal.end(Styled(f"{took}failed: {_text_of(step.error)}", Style.BAD))
        else:
            self._terminal.end(took + (step.detail or "interrupted"))


def print_report(
    terminal: Terminal, result: ProbeResult, verdict: Verdict, warnings: list[str]
) -> None:
    """Print what is known behind the steps, the verdict last."""
    terminal.heading("Server")
    terminal.facts(_server_facts(result, verdict))
    terminal.heading("Client certificate")
    terminal.facts(_client_facts(result))
    for warning in warnings:
        terminal.line(f"Warning: {warning}", Style.WARNING)
    terminal.heading("Verdict")
    style = Style.GOOD if verdict.is_good else Style.BAD
    terminal.line(f"{'OK' if verdict.is_good else 'ERROR'}: {verdict.text}.", style)
    if verdict.remedy:
        terminal.line(f"{verdict.remedy}.")


def _server_facts(result: ProbeResult, verdict: Verdict) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [("verified by", str(result.verification))]
    for number, each in enumerate(result.chain):
        facts.append(("certificate" if number == 0 else f"chain {number}", _describe(each)))
        if number == 0 and each.names:
            facts.append(("names", ", ".join(each.names)))
    voucher = result.voucher
    if voucher is not None:
        facts.append(("vouched for by", f"{voucher.authority}, of {voucher.trust}"))
    elif verdict.outcome is Outcome.SERVER_REFUSED:
        facts.append(("vouched for by", Styled("nobody; the chain was refused", Style.BAD)))
    return facts


def _describe(each: CertificateView) -> str:
    if each.issuer is None or each.not_after is None:
        return each.subject
    issuer = "itself" if each.issuer == each.subject else each.issuer
    return f"{each.subject}, issued by {issuer}, valid until {each.not_after:%Y-%m-%d}"


def _client_facts(result: ProbeResult) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = []
    if result.service is not None:
        facts.append(("service", result.service))
    facts.append(("decision", str(result.decision)))
    if result.places:
        facts.append(("rules looked at", "; ".join(_looked_at(result))))
    facts.extend(_request_facts(result))
    return facts


def _looked_at(result: ProbeResult) -> Iterator[str]:
    """The places of rules down to the one that decides."""
    for place, found in result.places:
        yield f"{place}: {'no rule' if found is None else 'decides'}"
        if found is not None:
            return


def _request_facts(result: ProbeResult) -> list[tuple[str, Cell]]:
    request = result.observation.request
    if request is None:
        asked = "no" if result.tls is not None else "not seen: the handshake did not get so far"
        return [("asked for", asked)]
    facts: list[tuple[str, Cell]] = [
        ("asked for", "yes"),
        ("accepted issuers", _issuers_of(request)),
        ("accepted keys", ", ".join(_accepted_keys(request)) or "any"),
    ]
    for identity, reason in result.misfits:
        fit = Styled("fits", Style.GOOD) if reason is None else Styled(reason, Style.WARNING)
        facts.append((f"identity {identity.name}", fit))
    return [*facts, ("presented", _presented_text(result))]


def _presented_text(result: ProbeResult) -> str:
    leaf = result.presented
    if leaf is None:
        return "nothing"
    return f"{result.presented_name}: {_describe(leaf)}"


def _issuers_of(request: CertificateRequest) -> str:
    names = [readable_name(each) for each in request.issuers]
    more = len(names) - _MOST_ISSUERS
    shown = "; ".join(names[:_MOST_ISSUERS]) or "any (the server names none)"
    return f"{shown}; and {more} more" if more > 0 else shown


def _scheme_names(request: CertificateRequest) -> list[str]:
    return [
        SIGNATURE_SCHEMES.get(each, f"0x{each:04x}") for each in sorted(request.signature_schemes)
    ]


def _accepted_keys(request: CertificateRequest) -> list[str]:
    prefixes = dict.fromkeys(name.partition("_")[0] for name in _scheme_names(request))
    return [_KEYS[each] for each in prefixes if each in _KEYS]
