"""``mxcert check``: what is an error, what a warning, and what each does to the exit status."""

from __future__ import annotations

import sys

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.diagnosis.checks.diagnostic import DiagnosticCode
from tests.cli.check.settings import Check, Report, codes, use
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf


def test_no_settings(report: Report, check: Check) -> None:
    """No settings at all is an error: whoever checks expects some."""
    status, data = report()
    assert (1, ["no-settings"]) == (status, codes(data))
    assert "no certificate is presented" in check()[1]


def test_disabled(
    report: Report, client_files: ClientFiles, sound: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is MXCERT_DISABLE=1, whatever else is set."""
    use(monkeypatch, client_files, MXCERT_DISABLE="1", **client_files.variables(sound))
    status, data = report()
    assert (1, ["disabled"], []) == (status, codes(data), data["identities"])


def test_faults(
    report: Report,
    check: Check,
    client_files: ClientFiles,
    sound: Leaf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All faults are told, each with its origin, and what could be loaded is told all the same."""
    variables = client_files.variables(sound)
    variables["ClientCertificates"] += ", /nonexistent/other.p12"
    variables["ClientCertificatePasswords"] += ", x"
    variables["ClientCertificateUsages"] = '{"a.example": "/nonexistent/third.p12"}'
    use(monkeypatch, client_files, **variables)
    status, data = report()
    assert 1 == status
    assert [
        "environment variable ClientCertificateUsages, identifier a.example",
        "environment variable ClientCertificates, entry 2",
    ] == [each["origin"] for each in data["errors"]]
    assert [sound.fingerprint] == [each["fingerprint"] for each in data["identities"]]
    assert None is data["default"]
    status, printed = check()
    assert 1 == status
    assert "/nonexistent/other.p12" in printed
    assert "Not OK: 2 errors, 0 warnings; with such settings a program does not start." in printed


def test_warnings_count_with_strict_alone(
    report: Report,
    check: Check,
    client_files: ClientFiles,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A warning is told and fails nothing, unless --strict says so."""
    use(monkeypatch, client_files, **client_files.variables(alpha), MXCERT_TYPO="x")
    for arguments, expected in (([], (0, True)), (["--strict"], (1, False))):
        status, data = report(*arguments)
        assert expected == (status, data["ok"])
        assert ["incomplete-chain", "settings-warning"] == codes(data)
    assert "\nOK: 0 errors, 2 warnings." in check()[1]
    assert "\nNot OK: 0 errors, 2 warnings." in check("--strict")[1]


def test_what_is_ignored_counts_for_nothing(
    report: Report,
    check: Check,
    client_files: ClientFiles,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A code that is known and accepted is left out, in the verdict too; all else stays."""
    use(monkeypatch, client_files, **client_files.variables(alpha), MXCERT_TYPO="x")
    one = ["--strict", "--ignore", "incomplete-chain"]
    assert (1, ["settings-warning"]) == (lambda status, data: (status, codes(data)))(*report(*one))
    both = [*one, "--ignore", "settings-warning"]
    status, data = report(*both)
    assert (0, [], ["incomplete-chain", "settings-warning"]) == (
        status,
        codes(data),
        data["ignored"],
    )
    assert "0 warnings (without incomplete-chain, settings-warning)" in check(*both)[1]


def test_an_identity_that_goes_to_everyone(
    report: Report, client_files: ClientFiles, sound: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning, which counts with --strict, can be ignored, and ends once it is said."""
    use(monkeypatch, client_files, **client_files.variables(usages={"api.example": sound}))
    monkeypatch.delenv("MXCERT_UNLISTED_HOSTS")
    told = []
    for arguments in ([], ["--strict"], ["--strict", "--ignore", "offered-to-everyone"]):
        status, data = report(*arguments)
        told.append((status, codes(data)))
    assert told == [(0, ["offered-to-everyone"]), (1, ["offered-to-everyone"]), (0, [])]
    for word in ("offer", "none"):
        monkeypatch.setenv("MXCERT_UNLISTED_HOSTS", word)
        status, data = report("--strict")
        assert (status, codes(data)) == (0, [])


@pytest.mark.parametrize("code", ["incomplete-chian", "invalid-settings"])
def test_a_code_that_cannot_be_ignored(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody overlooks a misspelt code, nor settings with which a program does not start."""
    with pytest.raises(SystemExit) as raised:
        main(["check", "--ignore", code])
    assert 2 == raised.value.code
    expected = "did you mean `incomplete-chain`?" if "chian" in code else "no code that can be ign"
    assert expected in capsys.readouterr().err


def test_codes_are_stable() -> None:
    """Monitoring goes by the codes: none may change its name."""
    expected = """
        invalid-settings disabled no-settings expired not-yet-valid expires-soon
        settings-warning unused-identity shadowed-identity hidden-rule unused-service-prefix
        incomplete-chain weak-key weak-signature no-client-authentication no-digital-signature
        readable-by-others token-does-not-sign offered-to-everyone
    """
    assert set(expected.split()) <= {each.value for each in DiagnosticCode}


def test_rules_that_never_apply(
    report: Report, client_files: ClientFiles, sound: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that nothing maps to a host, and a variable whose name is nearly one of ours."""
    for module in ("zeep", "suds"):
        monkeypatch.setitem(sys.modules, module, None)
    variables = client_files.variables(usages={"Billing.Invoices": sound})
    use(monkeypatch, client_files, **variables, CACertificate="/run/ca.pem")
    status, data = report()
    assert (0, ["service-not-mapped", "settings-warning"]) == (status, codes(data))
    assert [] == data["errors"]
    assert "environment variable CACertificate" == data["warnings"][1]["origin"]
    assert 1 == report("--strict")[0]


def test_no_settings_but_nearly(
    report: Report, client_files: ClientFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only a misspelt name is set, both are told: that there are none, and why."""
    use(monkeypatch, client_files, CLIENTCERTIFICATES="/run/a.p12")
    status, data = report()
    assert (1, ["no-settings", "settings-warning"]) == (status, codes(data))
