"""``mxcert check`` shows what is in effect and what is wrong with it, and never a secret."""

from __future__ import annotations

import base64
import datetime
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import mxcert_runtime
from mxcert_runtime.cli import main
from mxcert_runtime.cli.check.schema import SCHEMA
from mxcert_runtime.cli.durations import parse_duration
from mxcert_runtime.diagnosis.checks.diagnostic import DiagnosticCode
from tests.cli.json_schema import violations
from tests.cli.processes import run_command
from tests.support import pki
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.pki import Authority, Leaf, now, private_key

DAY = datetime.timedelta(days=1)

#: runs the command with these arguments; gives its exit status and stdout
Check = Callable[..., "tuple[int, str]"]
Report = Callable[..., "tuple[int, dict[str, Any]]"]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs ``mxcert check`` in this process."""

    def check(*arguments: str) -> tuple[int, str]:
        status = main(["check", *arguments])
        printed = capsys.readouterr()
        assert "" == printed.err
        return status, printed.out

    return check


@pytest.fixture
def report(check: Check) -> Report:
    """Runs ``mxcert check --json``, whose output is as the schema says."""

    def report(*arguments: str) -> tuple[int, dict[str, Any]]:
        status, printed = check("--json", *arguments)
        data = json.loads(printed)
        assert [] == list(violations(SCHEMA, data))
        assert data["ok"] == (0 == status)
        return status, data

    return report


@pytest.fixture(scope="module")
def sound(client_authority: Authority) -> Leaf:
    """A leaf with which nothing is wrong."""
    return client_authority.intermediate("Intermediate").issue(
        "sound", hosts=["client.example", "192.0.2.7"], server=False
    )


def use(monkeypatch: pytest.MonkeyPatch, files: ClientFiles, **variables: str) -> None:
    """Put settings in the environment, with the default said; every file is the user's alone."""
    for path in files.folder.iterdir():
        path.chmod(0o600)
    said = {"MXCERT_UNLISTED_HOSTS": "offer"} if "ClientCertificates" in variables else {}
    for name, value in {**said, **variables}.items():
        monkeypatch.setenv(name, value)


def codes(data: dict[str, Any]) -> list[str]:
    """The codes of all errors and warnings."""
    return [each["code"] for each in (*data["errors"], *data["warnings"])]


def test_sound_settings(
    report: Report, client_files: ClientFiles, sound: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is wrong: status 0, also with --strict, and all of the identity is told."""
    use(monkeypatch, client_files, **client_files.variables(usages={"api.example": sound}))
    status, data = report("--strict")
    assert (0, True, [], []) == (status, data["ok"], data["errors"], data["warnings"])
    (identity,) = data["identities"]
    certificate = sound.certificate
    expected = {
        "name": str(client_files.pkcs12(sound)),
        "origin": "environment variable ClientCertificates, entry 1",
        "subject": sound.subject,
        "issuer": "CN=Intermediate,O=mxcert tests",
        "alternative_names": ["client.example", "192.0.2.7"],
        "key_type": "EC-secp256r1",
        "key_bits": 256,
        "signature_algorithm": "ECDSA_WITH_SHA256",
        "serial": f"{certificate.serial_number:x}",
        "fingerprint": sound.fingerprint,
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "days_left": 364,
        "validity": "valid",
        "chain": ["CN=Intermediate,O=mxcert tests"],
        "trust_anchor": "CN=Client root,O=mxcert tests",
        "chain_complete": None,
        "token": None,
    }
    assert expected == identity


def test_nothing_is_put_in_force(
    report: Report, client_files: ClientFiles, sound: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checking hooks nothing."""
    use(monkeypatch, client_files, **client_files.variables(sound))
    assert 0 == report()[0]
    assert not mxcert_runtime.is_active()


NATIVE = """
unlisted_hosts = "none"
service_prefixes = ["Billing"]
ca = ['{root}']

[[identity]]
name = "billing"
pkcs12 = '{first}'
password_file = '{password}'
hosts = ["*.pay.example", "api.example", "*.pay.example:8443", "api.example:8443"]
services = ["Billing.Invoices"]
ca = ['{root}']

[[identity]]
name = "orders"
pkcs12 = '{second}'
password = "{literal}"
hosts = ["orders.example"]

[no_certificate]
hosts = ["public.example"]

[services]
"Billing.Invoices" = ["invoices.example"]
"""


@pytest.fixture
def native(
    client_files: ClientFiles,
    sound: Leaf,
    gamma: Leaf,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A settings file with everything in it, which ``MXCERT_CONFIG`` names."""
    folder = client_files.folder
    (folder / "billing.pw").write_text(PASSWORD)
    settings = folder / "mxcert.toml"
    settings.write_text(
        NATIVE.format(
            root=client_files.authority(client_authority),
            first=client_files.pkcs12(sound),
            second=client_files.pkcs12(gamma),
            password=folder / "billing.pw",
            literal=PASSWORD,
        )
    )
    use(monkeypatch, client_files, MXCERT_CONFIG=str(settings), MXCERT_EXPIRED_IDENTITIES="refuse")
    return settings


def test_rules_in_order_of_precedence(
    report: Report, native: Path, client_files: ClientFiles
) -> None:
    """Services, host:port, host, *.domain:port, *.domain; each with its origin."""
    data = report()[1]
    own = [str(client_files.folder / "authority-0.pem")]
    first, second = f"{native}, identity 1 (billing)", f"{native}, identity 2 (orders)"
    expected = [
        ("service", "Billing.Invoices", "billing", own, None, f"{first}, services"),
        ("host", "api.example:8443", "billing", own, None, f"{first}, hosts"),
        ("host", "api.example", "billing", own, None, f"{first}, hosts"),
        ("host", "orders.example", "orders", None, None, f"{second}, hosts"),
        ("host", "public.example", None, None, None, f"{native}, no_certificate, hosts"),
        ("host", "invoices.example", "billing", own, "Billing.Invoices", f"{first}, services"),
        ("host", "*.pay.example:8443", "billing", own, None, f"{first}, hosts"),
        ("host", "*.pay.example", "billing", own, None, f"{first}, hosts"),
    ]
    keys = ("kind", "pattern", "identity", "pinned_authorities", "service", "origin")
    assert expected == [tuple(rule[key] for key in keys) for rule in data["rules"]]
    assert ("none", None, []) == tuple(
        data["default"][key] for key in ("choice", "identity", "candidates")
    )
    assert ["CN=Client root,O=mxcert tests"] == [
        each["subject"] for each in data["extra_authorities"]
    ]


def test_settings_with_their_origins(
    report: Report, native: Path, client_files: ClientFiles
) -> None:
    """Each setting in effect stands there with its origin, defaults included."""
    folder = client_files.folder
    rows = {(each["name"], each["value"], each["origin"]) for each in report()[1]["settings"]}
    first = f"{native}, identity 1 (billing)"
    expected = {
        ("file", str(native), "environment variable MXCERT_CONFIG"),
        ("file", str(folder / "billing.pw"), f"{first}, password_file"),
        ("identity billing, password", "(set)", f"{first}, password_file"),
        ("identity billing, ca", str(folder / "authority-0.pem"), f"{first}, ca"),
        ("ca", str(folder / "authority-0.pem"), f"{native}, ca"),
        ("unlisted_hosts", "none", f"{native}, unlisted_hosts"),
        ("expired_identities", "refuse", "environment variable MXCERT_EXPIRED_IDENTITIES"),
        ("services", "Billing.Invoices: invoices.example", f"{native}, services"),
        ("service_prefixes", "Billing", f"{native}, service_prefixes"),
        ("trust_cache", "on", "default"),
    }
    assert set() == expected - rows


def test_a_host_or_service_stands_once(
    report: Report, client_files: ClientFiles, sound: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the ClientCertificates family a name can be both; one rule is one row."""
    usages = {"api.example": sound, "Module.Service": None, "Module_.Service_s": sound}
    use(monkeypatch, client_files, **client_files.variables(usages=usages))
    rules = report()[1]["rules"]
    assert sorted(usages) == sorted(rule["pattern"] for rule in rules)
    assert {"host or service"} == {rule["kind"] for rule in rules}


def test_text_says_the_same(check: Check, native: Path, sound: Leaf) -> None:
    """The text has identities, rules, the default, authorities and the result."""
    status, printed = check()
    assert 0 == status
    for part in (
        sound.subject,
        sound.fingerprint,
        "client.example, 192.0.2.7",
        "leaf < CN=Intermediate,O=mxcert tests; complete, below `CN=Client root,O=mxcert tests`",
        "*.pay.example:8443",
        "(of Billing.Invoices)",
        'no rule, and unlisted_hosts = "none"',
        "(set)",
        "\nOK: 0 errors, 0 warnings.",
    ):
        assert part in printed


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_secrets_are_not_shown(
    check: Check, native: Path, client_files: ClientFiles, arguments: list[str]
) -> None:
    """Neither a literal password nor that of a file is in the output."""
    assert PASSWORD not in check(*arguments)[1]


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_inline_secrets_are_not_shown(
    check: Check, sound: Leaf, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Neither password nor content of the cloud's inline certificates is in the output."""
    content = base64.b64encode(sound.pkcs12(PASSWORD)).decode()
    entry = {"pfx": content, "password": PASSWORD, "pin_to": ["api.example"]}
    monkeypatch.setenv("CLIENT_CERTIFICATES", json.dumps([entry]))
    status, printed = check(*arguments)
    assert 0 == status
    assert "(in the settings)" in printed
    assert PASSWORD not in printed
    assert content[:40] not in printed


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_swapped_variables(
    check: Check, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """A password where a path belongs is not listed, by name or by value; a path is."""
    values = {
        "ClientCertificates": f"{PASSWORD},/nowhere/a.pfx",
        "ClientCertificatePasswords": "b.pfx,c.pfx",
        "CACertificates": PASSWORD,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    status, printed = check(*arguments)
    assert 1 == status
    assert PASSWORD not in printed
    assert "not shown, since it leads nowhere" in printed
    assert "/nowhere/a.pfx" in printed


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


@pytest.mark.parametrize(
    ("left", "arguments", "expected"),
    [
        (29 * DAY, [], ["expires-soon"]),
        (31 * DAY, [], []),
        (31 * DAY, ["--expires-within", "6w"], ["expires-soon"]),
        (29 * DAY, ["--expires-within", "12h"], []),
        (-DAY, ["--expires-within", "0"], ["expired"]),
    ],
)
def test_expiry(
    report: Report,
    client_files: ClientFiles,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    left: datetime.timedelta,
    arguments: Sequence[str],
    expected: list[str],
) -> None:
    """What has expired, or will before long, is an error."""
    intermediate = client_authority.intermediate()
    leaf = intermediate.issue("dated", not_before=now() - 2 * DAY, not_after=now() + left)
    use(monkeypatch, client_files, **client_files.variables(leaf))
    status, data = report(*arguments)
    assert (bool(expected), expected) == (bool(status), codes(data))


def test_refused_expiry_is_told_once(
    report: Report,
    client_files: ClientFiles,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the settings refuse expired identities, an expired one is one error and not two."""
    leaf = client_authority.intermediate().issue(
        "old", not_before=now() - 2 * DAY, not_after=now() - DAY
    )
    variables = client_files.variables(leaf)
    use(monkeypatch, client_files, MXCERT_EXPIRED_IDENTITIES="refuse", **variables)
    status, data = report()
    assert (1, ["invalid-settings"]) == (status, codes(data))


DURATIONS = [("30d", 30 * DAY), ("12h", DAY / 2), ("2w", 14 * DAY), ("30", 30 * DAY), (" 1D ", DAY)]


@pytest.mark.parametrize(("text", "expected"), DURATIONS)
def test_durations(text: str, expected: datetime.timedelta) -> None:
    """Hours, days, weeks; a plain number is days."""
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "30x", "1.5d", "999999d", "30 days", "\x1b[31m"]
)
def test_wrong_durations(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong duration is wrong use, and the message says how to write one."""
    with pytest.raises(SystemExit) as raised:
        main(["check", f"--expires-within={text}"])
    printed = capsys.readouterr()
    assert (2, "") == (raised.value.code, printed.out)
    assert f"{text!r} is no duration" in printed.err
    assert "30d" in printed.err
    assert "\x1b" not in printed.err


def test_the_schema_is_printed(check: Check) -> None:
    """--schema prints the JSON Schema and checks nothing."""
    status, printed = check("--schema")
    assert (0, SCHEMA) == (status, json.loads(printed))


def test_the_schema_has_teeth(report: Report) -> None:
    """The twin of every report above: another structure is not as the schema says."""
    data = report()[1]
    wrong: list[dict[str, Any]] = [
        {**data, "schema": "mxcert-check/1"},
        {**data, "warnings": [{}]},
        {**data, "ok": "fine"},
        {**data, "more": 1},
        {name: value for name, value in data.items() if name != "errors"},
    ]
    assert all(list(violations(SCHEMA, each)) for each in wrong)


def test_codes_are_stable() -> None:
    """Monitoring goes by the codes: none may change its name."""
    expected = """
        invalid-settings disabled no-settings expired not-yet-valid expires-soon
        settings-warning unused-identity shadowed-identity hidden-rule unused-service-prefix
        incomplete-chain weak-key weak-signature no-client-authentication no-digital-signature
        readable-by-others token-does-not-sign offered-to-everyone
    """
    assert set(expected.split()) <= {each.value for each in DiagnosticCode}


@pytest.fixture
def unusual(client_files: ClientFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two identities, one from PEM files with alternative names of every kind; a service."""
    key = private_key("ed25519")
    names = [
        x509.RFC822Name("ops@client.example"),
        x509.UniformResourceIdentifier("spiffe://client.example/billing"),
        x509.DirectoryName(pki.name("directory")),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        x509.OtherName(x509.ObjectIdentifier("1.2.4"), b"\x0c\x01x"),
    ]
    subject, number = pki.name("unusual"), x509.random_serial_number()
    builder = x509.CertificateBuilder(
        subject, subject, key.public_key(), number, now() - DAY, now() + 90 * DAY
    )
    builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    leaf = Leaf(builder.sign(key, None), key)
    certificate, key_path = leaf.write_pem(client_files.folder)
    first = {"certificate": str(certificate), "key": str(key_path), "services": ["My Service"]}
    second = client_files.identity("second", Authority("Elsewhere").intermediate().issue("second"))
    path = client_files.folder / "mxcert.json"
    path.write_text(json.dumps({"identity": [{"name": "first", **first}, second]}))
    use(monkeypatch, client_files, MXCERT_CONFIG=str(path), MXCERT_LOG="debug")


@pytest.mark.usefixtures("unusual")
def test_unusual_settings(report: Report, check: Check, client_files: ClientFiles) -> None:
    """Names of every kind, PEM files, candidates, services, and what is set beside the settings."""
    status, data = report("--strict")
    assert (0, []) == (status, data["warnings"])
    assert [
        "ops@client.example",
        "spiffe://client.example/billing",
        "CN=directory,O=mxcert tests",
        "1.2.3",
        "otherName 1.2.4",
    ] == data["identities"][0]["alternative_names"]
    # Ed25519 has neither a size nor a hash, and what signs itself has no chain that could end.
    facts = ("key_type", "key_bits", "signature_algorithm", "chain", "chain_complete")
    expected = ["Ed25519", None, "ED25519", [], True]
    assert expected == [data["identities"][0][fact] for fact in facts]
    assert ("service", "My Service") == tuple(data["rules"][0][key] for key in ("kind", "pattern"))
    assert ["first", "second"] == data["default"]["candidates"]
    rows = {each["name"]: each["value"] for each in data["settings"]}
    folder = client_files.folder
    assert f"{folder / 'leaf.crt'}, {folder / 'leaf.key'}" == rows["identity first"]
    assert ("(none)", "debug") == (rows["identity first, password"], rows["MXCERT_LOG"])
    assert "  in this order:  first, second\n" in check()[1]


def test_certificates_cannot_write_to_the_terminal(
    check: Check,
    client_files: ClientFiles,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A subject's control characters are shown as escapes."""
    leaf = client_authority.issue("\x1b[31mevil", server=False)
    use(monkeypatch, client_files, **client_files.variables(leaf))
    printed = check()[1]
    assert "\x1b" not in printed
    assert "CN=\\x1b[31mevil" in printed


def test_the_console_script(tmp_path: Path, client_files: ClientFiles, alpha: Leaf) -> None:
    """The installed command checks settings that would end a program at its import."""
    script = tmp_path / "mxcert"
    script.write_text("import sys\nfrom mxcert_runtime.cli import main\nsys.exit(main())\n")
    broken = {**client_files.variables(alpha), "ClientCertificatePasswords": "wrong"}
    program = (sys.executable, "-W", "error", str(script))
    done = run_command(tmp_path, "check", "--json", settings=broken, program=program)
    assert (1, "") == (done.returncode, done.stderr)
    (fault,) = json.loads(done.stdout)["errors"]
    assert "environment variable ClientCertificatePasswords" in fault["origin"]


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
