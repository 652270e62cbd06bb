"""The example rules and the dashboard name only what a real scrape shows, with labels it has."""

from __future__ import annotations

import datetime
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("prometheus_client", reason="prometheus_client is not installed")
pytest.importorskip("yaml", reason="PyYAML is not installed")

import yaml
from prometheus_client import CollectorRegistry

import mxcert_runtime
from mxcert_runtime import prometheus
from mxcert_runtime.monitoring import counters
from mxcert_runtime.monitoring.reloads import note_reload
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, now
from tests.support.subprocesses import client_environment

from .scraping import scrape

DOCS = Path(__file__).resolve().parents[2] / "docs"
RULES, DASHBOARD = DOCS / "monitoring/alerts.yml", DOCS / "monitoring/dashboard.json"
PAGE = DOCS / "monitoring.md"

_DAY = datetime.timedelta(days=1)

#: what Prometheus adds to every sample
_OWN_LABELS = {"job", "instance"}
_NAME = re.compile(r"\bmxcert_\w+")
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
_GROUPING = re.compile(r"\bby \(([^)]*)\)")
_TEMPLATE = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, client_files: ClientFiles, alpha: Leaf
) -> dict[str, set[str]]:
    """The labels of each name in a scrape of a process in which everything has happened."""
    for name in ("_connections", "_refusals", "_failures", "_reloads"):
        monkeypatch.setattr(counters, name, {})
    mxcert_runtime.activate({"identity": [client_files.identity("alpha", alpha)]})
    counters.connection_tally("alpha", "good.example").add()
    counters.count_refusal("unknown_ca")
    counters.count_failure("connection-closed")
    note_reload("applied")
    registry = CollectorRegistry()
    prometheus.register(registry)
    return {name: {label for label, _ in labels} for name, labels in scrape(registry)}


def rules() -> list[dict[str, Any]]:
    """Every alerting rule of the example."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Every panel of the dashboard."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> Iterator[str]:
    """Every expression of both."""
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])
    variables = json.loads(DASHBOARD.read_text(encoding="utf-8"))["templating"]["list"]
    yield from (each["query"]["query"] for each in variables if each["type"] == "query")


def labels_in(expression: str) -> set[str]:
    """The labels that an expression matches or groups by."""
    grouped = [each.split(", ") for each in _GROUPING.findall(expression)]
    return {*_MATCHER.findall(expression), *(each for labels in grouped for each in labels)}


def misnamed(expression: str, shown: dict[str, set[str]]) -> set[str]:
    """The names and labels of an expression that no scrape shows."""
    names = set(_NAME.findall(expression))
    known = set().union(_OWN_LABELS, *(shown.get(name, set()) for name in names))
    return (names - set(shown)) | (labels_in(expression) - known)


def test_every_expression_names_what_is_shown(shown: dict[str, set[str]]) -> None:
    """A renamed metric or label would leave an alert that never comes."""
    checked = list(expressions())
    assert {each: set() for each in checked} == {each: misnamed(each, shown) for each in checked}
    assert len(rules()) + len(panels()) <= len(checked)
    assert all(map(_NAME.search, checked))


def test_the_search_finds_what_is_not_there(shown: dict[str, set[str]]) -> None:
    """The test above would see a name that is gone, and a label."""
    wrong = 'sum by (identity, colour) (mxcert_certificates_left{kindness="ca"}) + mxcert_active'
    assert {"mxcert_certificates_left", "identity", "colour", "kindness"} == misnamed(wrong, shown)


def test_every_label_of_a_text_is_left_by_its_expression() -> None:
    """An annotation or legend that names a label which the expression sums away would be empty."""
    texts = [(rule["expr"], " ".join(rule["annotations"].values())) for rule in rules()]
    texts += [(t["expr"], t["legendFormat"]) for panel in panels() for t in panel["targets"]]
    for expression, text in texts:
        grouped = _GROUPING.search(expression)
        if grouped:
            left = set(grouped[1].split(", ")) | {"value"}
            assert set() == set(_TEMPLATE.findall(text)) - left, expression


def test_rules_have_what_prometheus_demands() -> None:
    """Names that are unique, an expression, a severity and a summary."""
    names = [rule["alert"] for rule in rules()]
    assert sorted(set(names)) == sorted(names)
    for rule in rules():
        assert {"alert", "expr", "labels", "annotations"} <= set(rule)
        assert set(rule) <= {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_rules() -> None:
    """Prometheus' own check, where it is at hand."""
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_dashboard_has_what_grafana_demands() -> None:
    """Panels with an id of their own and a place on the grid of 24 columns, none over another."""
    taken: set[tuple[int, int]] = set()
    identifiers = [panel["id"] for panel in panels()]
    assert sorted(set(identifiers)) == sorted(identifiers)
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_the_page_names_every_metric(shown: dict[str, set[str]]) -> None:
    """Each metric of a scrape stands in the page's table with its labels, and no other does."""
    rows = re.findall(r"^\| `(mxcert_\w+)` \| ([^|]*)\|", PAGE.read_text("utf-8"), re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert shown == told


def commands() -> list[list[str]]:
    """The commands of the page's probes and init containers."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    loaded = [yaml.safe_load(block) for block in blocks]
    [init] = [each["initContainers"][0] for each in loaded if "initContainers" in each]
    [probe] = [each["readinessProbe"] for each in loaded if "readinessProbe" in each]
    return [init["command"], probe["exec"]["command"]]


def test_the_commands_of_the_page(
    client_files: ClientFiles, alpha: Leaf, client_authority: Authority
) -> None:
    """0 for what is valid, although it expires soon; 1 for what is broken or has expired."""
    soon = client_authority.issue("soon", not_after=now() + 2 * _DAY)
    old = client_authority.issue("old", not_before=now() - 9 * _DAY, not_after=now() - _DAY)
    for command in commands():
        assert "mxcert" == command[0]
        for leaf, expected in [(soon, 0), (alpha, 0), (old, 1)]:
            assert expected == status_of(command[1:], client_files.variables(leaf))
        broken = client_files.variables(alpha)
        broken["ClientCertificatePasswords"] = "wrong"
        assert 1 == status_of(command[1:], broken)


def status_of(arguments: list[str], variables: dict[str, str]) -> int:
    """How the command ends in an environment of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mxcert_runtime", *arguments],
        env=client_environment(variables, host_patterns=()),
        stdout=subprocess.DEVNULL,
        timeout=60,
        check=False,
    ).returncode
