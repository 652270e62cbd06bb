"""The demo's result: a row for each call, judged against the rules, as a table or as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from ...base import dataclass
from ...decisions import Decision
from ..layout import Style
from ..terminal import Terminal
from .servers import Asks
from .world import CLIENT_SCRIPT, SERVERS

#: How OpenSSL tells a client that the server ended the handshake for want of a certificate: TLS
#: 1.3 has an alert for it, in TLS 1.2 it is handshake_failure (RFC 8446 and RFC 5246, 6.2 and 7.2).
_REFUSALS = ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE")
_NO_CERTIFICATE = "no certificate"
_TITLES = ("host", "the server", "rule that decided", "what the server saw", "without plugin")


@dataclass(frozen=True)
class Outcome:
    """How one call ended; without an ``error`` it was answered."""

    subject: str | None = None
    fingerprint: str | None = None
    error: str | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether the server ended the handshake because there was no client certificate."""
        return self.error in _REFUSALS

    def __str__(self) -> str:
        if self.error is None:
            return self.subject or _NO_CERTIFICATE
        return "refused" if self.is_refusal else self.error

    def as_data(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        result = "answered" if self.error is None else "refused" if self.is_refusal else "failed"
        return {"result": result, "subject": self.subject, "error": self.error}


@dataclass(frozen=True)
class Row:
    """One call to one host by one library, with the plugin and without."""

    host: str
    library: str
    asks: Asks
    decision: Decision
    with_plugin: Outcome
    without_plugin: Outcome

    @property
    def is_as_expected(self) -> bool:
        """Whether the server saw what the rules say, and without the plugin no certificate."""
        identity = None if self.asks is Asks.NEVER else self.decision.identity
        expected = Outcome(identity.subject, identity.fingerprint) if identity else Outcome()
        return self.with_plugin == expected and self._is_bare(self.without_plugin)

    def _is_bare(self, outcome: Outcome) -> bool:
        return outcome.is_refusal if self.asks is Asks.DEMANDS else outcome == Outcome()

    @property
    def rule(self) -> str:
        """The rule that decided and what it gives, in short."""
        name = self.decision.rule.name if self.decision.rule else "no rule"
        identity = self.decision.identity
        return f"{name} -> {identity.subject if identity else _NO_CERTIFICATE}"

    def as_data(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "host": self.host,
            "library": self.library,
            "server": self.asks.value,
            "rule": self.decision.rule.name if self.decision.rule else None,
            "reason": self.decision.reason,
            "identity": self.decision.identity.subject if self.decision.identity else None,
            "with_plugin": self.with_plugin.as_data(),
            "without_plugin": self.without_plugin.as_data(),
            "as_expected": self.is_as_expected,
        }


def make_rows(
    decisions: Mapping[str, Decision],
    with_plugin: Iterable[Mapping[str, Any]],
    without_plugin: Iterable[Mapping[str, Any]],
) -> list[Row]:
    """A row for each call, from the lines that the client printed in its two runs."""
    plain = {(each["url"], each["library"]): _outcome(each) for each in without_plugin}
    rows = []
    for line in with_plugin:
        host = urlsplit(line["url"]).hostname or ""
        other = plain[line["url"], line["library"]]
        decision = decisions[host]
        rows.append(
            Row(
                host=host,
                library=line["library"],
                asks=SERVERS[host],
                decision=decision,
                with_plugin=_outcome(line),
                without_plugin=other,
            )
        )
    return rows


def _outcome(line: Mapping[str, Any]) -> Outcome:
    if "answer" in line:
        return Outcome(**line["answer"])
    reason = re.search(r"\[SSL: (\w+)\]", line["error"])
    return Outcome(error=reason[1] if reason else line["error"])


def as_json(rows: Sequence[Row]) -> str:
    """The rows as a JSON list."""
    return json.dumps([row.as_data() for row in rows], indent=2)


def hints(rows: Sequence[Row]) -> list[str]:
    """What is left out on this machine, and how to have it."""
    if "requests" in _libraries(rows):
        return []
    remedy = "`pip install requests` adds its rows"
    return [f"requests is not installed here; {remedy}"]


def print_report(terminal: Terminal, rows: Sequence[Row]) -> None:
    """Print what the demo did, the table and the verdict."""
    for line in _introduction(rows):
        terminal.line(line)
    terminal.line()
    terminal.table(_TITLES, _lines(rows))
    terminal.line()
    is_good = all(row.is_as_expected for row in rows)
    for line in _verdict(rows):
        terminal.line(line, Style.GOOD if is_good else Style.BAD)


def _libraries(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.library for row in rows))


def _introduction(rows: Sequence[Row]) -> list[str]:
    libraries = _libraries(rows)
    return [
        f"An ordinary client script called {len(SERVERS)} TLS servers on loopback by "
        f"{' and '.join([', '.join(libraries[:-1]), libraries[-1]])}.",
        "It has no TLS setting in it but `import mxcert_runtime`; the rules came from its",
        "environment: ClientCertificates, ClientCertificatePasswords, ClientCertificateUsages",
        "and CACertificates. A sitecustomize stood in for DNS. The script:",
        str(CLIENT_SCRIPT),
    ]


def _lines(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """One line for each host where all libraries fared alike, else one for each call."""
    lines = []
    for host, group in groupby(rows, lambda row: row.host):
        calls = list(group)
        alike = len({(row.with_plugin, row.without_plugin) for row in calls}) == 1
        for row in calls[:1] if alike else calls:
            lines.append(_line(host if alike else f"{host} by {row.library}", row))
    return lines


def _line(label: str, row: Row) -> tuple[str, ...]:
    return label, row.asks.value, row.rule, str(row.with_plugin), str(row.without_plugin)


def _verdict(rows: Sequence[Row]) -> list[str]:
    wrong = [f"{row.host} by {row.library}" for row in rows if not row.is_as_expected]
    if wrong:
        return [f"Not as the rules say: {', '.join(wrong)}."]
    refused = sum(row.without_plugin.is_refusal for row in rows)
    return [
        f"All {len(rows)} calls went as the rules say; without the plugin the servers refused",
        f"{refused} of them for want of a client certificate.",
    ]
