"""What activation says in the log: what is in force, every warning, and what has expired."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate, is_active
from tests.start.activation.state import logged, settings_of
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, now

_DAY = datetime.timedelta(days=1)


def test_activation_is_told(alpha_settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """One line of information says how much is in force and what is hooked."""
    activate(alpha_settings)
    levels = logged(caplog)
    assert ["INFO"] == list(levels)
    assert all(word in levels["INFO"][0] for word in ("1 identities", "1 rules", "ssl"))


def test_a_service_that_nothing_maps(
    client_files: ClientFiles,
    alpha: Leaf,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rule that may never apply is one warning, with what to do; with its hosts it is none."""
    for module in ("zeep", "suds"):
        monkeypatch.setitem(sys.modules, module, None)
    entry = client_files.identity("alpha", alpha, services=["Billing.Invoices"])
    activate(settings_of(entry))
    (warning,) = logged(caplog)["WARNING"]
    assert "the service `Billing.Invoices` has no hosts" in warning
    assert "MXCERT_SERVICES" in warning
    caplog.clear()
    activate(settings_of(entry, services={"Billing.Invoices": ["invoices.example"]}))
    assert "WARNING" not in logged(caplog)


def _identity_valid(
    files: ClientFiles, authority: Authority, begin: datetime.timedelta, end: datetime.timedelta
) -> dict[str, Any]:
    leaf = authority.issue("dated", not_before=now() + begin, not_after=now() + end)
    return files.identity("dated", leaf, hosts=["localhost"])


DATES = [
    (-9 * _DAY, -2 * _DAY, "ERROR", "expired"),
    (2 * _DAY, 9 * _DAY, "ERROR", "not valid before"),
    (-9 * _DAY, 10 * _DAY, "WARNING", "expires in"),
    (-9 * _DAY, 29 * _DAY, "WARNING", "expires in"),
]


@pytest.mark.parametrize(("begin", "end", "level", "words"), DATES)
def test_dates_are_logged(
    client_files: ClientFiles,
    client_authority: Authority,
    caplog: pytest.LogCaptureFixture,
    begin: datetime.timedelta,
    end: datetime.timedelta,
    level: str,
    words: str,
) -> None:
    """Outside its validity an identity is an error in the log, and soon to expire a warning."""
    activate(settings_of(_identity_valid(client_files, client_authority, begin, end)))
    assert is_active()
    levels = logged(caplog)
    assert {"INFO", level} == set(levels)
    assert 1 == len(levels[level])
    date = (now() + (begin if begin > 0 * _DAY else end)).strftime("%Y-%m-%d")
    assert all(word in levels[level][0] for word in (words, "'dated'", date))


def test_a_date_far_off_is_not_logged(
    client_files: ClientFiles, client_authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """More than thirty days are no reason to warn."""
    activate(settings_of(_identity_valid(client_files, client_authority, -9 * _DAY, 31 * _DAY)))
    assert {"INFO"} == set(logged(caplog))


@pytest.mark.parametrize(("begin", "end", "level", "words"), DATES)
def test_expired_identities_can_be_refused(
    client_files: ClientFiles,
    client_authority: Authority,
    begin: datetime.timedelta,
    end: datetime.timedelta,
    level: str,
    words: str,
) -> None:
    """``expired_identities = "refuse"`` makes invalid ones a fault; those near their end serve."""
    entry = _identity_valid(client_files, client_authority, begin, end)
    settings = settings_of(entry, expired_identities="refuse")
    if level == "WARNING":
        activate(settings)
        assert is_active()
        return
    with pytest.raises(SettingsError, match=words) as caught:
        activate(settings)
    assert (1, False) == (len(caught.value.faults), is_active())


def test_what_stops_nothing_is_a_warning(
    client_files: ClientFiles, alpha: Leaf, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning about the settings has its origin, and stops nothing."""
    activate(settings_of(client_files.identity("alpha", alpha, hosts=["https://localhost/"])))
    levels = logged(caplog)
    assert (True, {"INFO", "WARNING"}) == (is_active(), set(levels))
    assert "settings argument" in levels["WARNING"][0]
    assert "https://localhost/" in levels["WARNING"][0]
