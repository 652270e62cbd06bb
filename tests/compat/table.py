"""The table, for a terminal and for docs/compatibility.md."""

from __future__ import annotations

import datetime
import platform
import ssl
from collections.abc import Sequence

from mxcert_runtime.hooks.unreached import UNREACHED
from tests.support.subprocesses import ROOT

from .values import LATE, NOT_THERE, Column, Measured, Verdict

_DOCUMENT = ROOT / "docs" / "compatibility.md"


def as_text(measured: Sequence[Measured]) -> str:
    """Aligned columns."""
    head = ["client", "version", *(column.value for column in Column), "control"]
    rows = [[each.row.name, each.version, *_words(each)] for each in measured]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ("  ".join(f"{word:{w}}" for word, w in zip(row, widths)) for row in (head, *rows))
    return "\n".join(line.rstrip() for line in lines)


def _words(each: Measured) -> list[str]:
    cells = [each.cells.get(column, NOT_THERE) for column in Column]
    return [cell.verdict.value for cell in (*cells, each.control)]


def write_document(measured: Sequence[Measured]) -> None:
    """Write the document anew from what was measured."""
    _DOCUMENT.parent.mkdir(exist_ok=True)
    _DOCUMENT.write_text(as_document(measured), encoding="utf-8")


def as_document(measured: Sequence[Measured]) -> str:
    """Markdown: the table, and a line for all that is not simply right."""
    return (
        "\n".join((*_introduction(), *_table(measured), "", *_remarks(measured), *_own_tls()))
        + "\n"
    )


def _introduction() -> tuple[str, ...]:
    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return (
        "# Compatibility",
        "",
        "<!-- Written by `python -m tests.compat --write`; edit tests/compat instead. -->",
        "",
        f"Measured on {day} with CPython {platform.python_version()} and {ssl.OPENSSL_VERSION} on"
        f" {platform.system()}. Each row is an ordinary program of its client, without any setting"
        " of client certificates, in a process of its own; what it is judged by is what a server on"
        " loopback saw. The servers are the tests' own: all of HTTP that is needed, and of other"
        " protocols the handshake and the first bytes.",
        "",
        "- **pinned**, **other host**: the identity of a rule, with pinned CAs and without.",
        "- **unlisted**: the default, where one of several identities has expired.",
        "- **none**: a host that never gets a certificate.",
        "- **port**: a rule for one port of a host.",
        "- **bad server**: a CA that the client trusts and the rule does not pin is refused.",
        "- **wrong name**: a certificate for another name is refused. *late*: " + LATE + ".",
        "- **import order**: the same where the client is imported before the plugin.",
        "- **service**: inside `with mxcert_runtime.service(...)`; **kept connections**: outside of"
        " it again, and inside, with the same client object.",
        "- **control**: the same program without the plugin shows no certificate.",
        "",
    )


def _table(measured: Sequence[Measured]) -> list[str]:
    head = ["client", "version", "server", *(column.value for column in Column), "control"]
    rows = [
        [each.row.name, each.version, each.row.server.value, *_words(each)] for each in measured
    ]
    return [_line(head), _line(["---"] * len(head)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _remarks(measured: Sequence[Measured]) -> list[str]:
    """What is not right, and what to do."""
    told = [
        f"- {each.row.name}, {column.value}: {cell.words}."
        for each in measured
        for column, cell in each.cells.items()
        if cell.verdict in (Verdict.KNOWN, Verdict.WRONG)
    ]
    return ["## What is not reached, and what to do", "", *told]


def _own_tls() -> list[str]:
    """What no hook reaches at all."""
    told = [f"- `{each.module}` ({each.engine}): {each.remedy}." for each in UNREACHED]
    return ["", "## TLS of their own", "", "They present no identity, and are told of:", "", *told]
