"""The tests of CPython that must end otherwise with the plugin, each with the reason.

An entry stands for one failure only: its traceback must hold one of the fragments. An entry whose
test ends the same in every mode is out of date, and that fails the run too, unless two ends of a
connection race in it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .comparison import Difference
from .suites import Run


@dataclass(frozen=True)
class Expected:
    """A test, what its failure says, and why that is right."""

    test: str
    fragments: tuple[str, ...]
    reason: str
    races: bool = False

    def explains(self, difference: Difference) -> bool:
        text = difference.with_plugin.text
        return self.test == difference.test and any(each in text for each in self.fragments)


#: The server's alert races with the end of its connection.
_REFUSED = ("TLSV1_ALERT_UNKNOWN_CA", "SSLEOFError", "ConnectionResetError", "BrokenPipeError")

EXPECTED = (
    Expected(
        "test.test_ssl.SimpleBackgroundTests.test_context_setget",
        ("self.assertIs(ss._sslobj.context, ctx1)",),
        "It looks at the private connection object, which holds the identity context; "
        "`SSLSocket.context` answers with the caller's, as before.",
    ),
    Expected(
        "test.test_ssl.TestPostHandshakeAuth.test_pha_optional_nocert",
        _REFUSED,
        "Its client has no certificate when the server asks; with the plugin it has one, and "
        "the server does not know who issued it.",
        races=True,
    ),
    Expected(
        "test.test_ssl.TestPostHandshakeAuth.test_pha_required_nocert",
        _REFUSED,
        "As above: the server complains of an unknown issuer instead of a missing certificate.",
        races=True,
    ),
)


def explanation(difference: Difference) -> Expected | None:
    """The entry that this difference was expected by."""
    return next((each for each in EXPECTED if each.explains(difference)), None)


def outdated(runs: Sequence[Run], found: Collection[Difference]) -> list[Expected]:
    """The entries whose test was run with the plugin and differs nowhere."""
    differing = {difference.test for difference in found}
    ran = {
        test
        for each in runs
        if each.mode.plugin
        for test, outcome in each.outcomes.items()
        if outcome.name != "skip"
    }
    return [each for each in EXPECTED if each.test in ran - differing and not each.races]
