"""A name that no setting knows is warned of once, and its connections go by their hosts."""

from __future__ import annotations

from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime import explain, service


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]


def _enter(*names: str) -> None:
    for name in names:
        with service(name):
            pass


@pytest.mark.usefixtures("active")
class TestWarning:
    def test_near_matches(self, caplog: pytest.LogCaptureFixture) -> None:
        """The warning has the name, what follows, and the known name that is nearest."""
        _enter("Billing.Invoice")
        (warning,) = _warnings(caplog)
        assert "'Billing.Invoice'" in warning
        assert "did you mean 'Billing.Invoices'" in warning
        assert "go by their hosts" in warning

    def test_case_counts(self, caplog: pytest.LogCaptureFixture) -> None:
        """A service name is compared exactly, and the warning knows the right spelling."""
        _enter("billing.invoices")
        (warning,) = _warnings(caplog)
        assert "'Billing.Invoices'" in warning

    def test_nothing_near(self, caplog: pytest.LogCaptureFixture) -> None:
        """A name that is like no other gets no guess."""
        _enter("Xyzzy")
        (warning,) = _warnings(caplog)
        assert "'Xyzzy'" in warning
        assert "did you mean" not in warning

    def test_once(self, caplog: pytest.LogCaptureFixture) -> None:
        """Each name is warned of once, however often and by which object it is entered."""
        _enter("Wrong", "Other", "Wrong", "Other", "Wrong")
        assert 2 == len(_warnings(caplog))

    def test_decorated(self, caplog: pytest.LogCaptureFixture) -> None:
        """A decorator warns at the first call, not where it is written: settings may come later."""

        @service("Wrong")
        def call() -> None:
            return None

        assert [] == _warnings(caplog)
        call()
        call()
        assert 1 == len(_warnings(caplog))

    @pytest.mark.parametrize("name", ["Billing.Invoices", "Billing.Orders", "Billing.Open"])
    def test_known_name(self, caplog: pytest.LogCaptureFixture, name: str) -> None:
        """A known name, one whose rule says none included, is no warning."""
        _enter(name)
        assert [] == _warnings(caplog)

    def test_next_generation(
        self, caplog: pytest.LogCaptureFixture, settings: dict[str, Any]
    ) -> None:
        """The next generation warns again, once."""
        _enter("Wrong", "Wrong")
        mxcert_runtime.activate(settings)
        _enter("Wrong", "Wrong")
        assert 2 == len(_warnings(caplog))


def test_not_activated(caplog: pytest.LogCaptureFixture) -> None:
    """While nothing is in force every name is as good, and silent."""
    _enter("Wrong")
    assert [] == _warnings(caplog)


@pytest.mark.usefixtures("active")
def test_goes_by_the_host() -> None:
    """In the scope of an unknown service the host's rule decides."""
    with service("Wrong"):
        decision = explain("https://a.test/")
    assert decision.identity is not None
    assert "alpha" == decision.identity.name
