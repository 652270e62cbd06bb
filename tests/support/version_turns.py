"""The marker ``versions_in_turns``: pairs of parameters instead of all combinations.

For tests in which the protocol version is one dimension among others, and not the one that the
rule is about. Of each combination of the other parameters one version is left, in turns: with two
or more other parameters each of their values meets both versions, with one other parameter it does
so in the next test of the module. A test whose only parameter is the version keeps both.
"""

from __future__ import annotations

from typing import Any

import pytest

from .server_tls import TlsVersion

MARKER = "versions_in_turns"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", f"{MARKER}: one protocol version for each combination")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the combinations whose turn it is not."""
    turns = _Turns()
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        (kept if _is_asked_for(item) or turns.includes(item) else dropped).append(item)
    if dropped:
        items[:] = kept
        config.hook.pytest_deselected(items=dropped)


def _is_asked_for(item: pytest.Item) -> bool:
    """Whether the command line names this very combination, or the test is not marked."""
    if item.get_closest_marker(MARKER) is None or not hasattr(item, "callspec"):
        return True
    return any(argument.endswith(item.name) for argument in item.config.args if "[" in argument)


class _Turns:
    """Numbers the marked tests, and the values of each of their parameters, as they come."""

    def __init__(self) -> None:
        self._functions: dict[str, dict[str, list[Any]]] = {}
        self._numbers: dict[str, int] = {}

    def includes(self, item: Any) -> bool:
        function = item.nodeid.partition("[")[0]
        values = self._functions.setdefault(function, {})
        number = self._numbers.setdefault(function, len(self._numbers))
        places = {
            name: _place_of(value, values.setdefault(name, []))
            for name, value in item.callspec.params.items()
        }
        versions = [name for name in places if isinstance(item.callspec.params[name], TlsVersion)]
        if not versions or len(places) == len(versions):
            return True
        return (number + sum(places.values())) % 2 == 0


def _place_of(value: Any, seen: list[Any]) -> int:
    # Values are told apart as objects: some of them cannot be compared.
    for place, each in enumerate(seen):
        if each is value:
            return place
    seen.append(value)
    return len(seen) - 1
