"""``mxcert check`` shows all that is in effect, with its origin, as its schema says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import mxcert_runtime
from mxcert_runtime.cli.check.schema import SCHEMA
from tests.cli.check.settings import DAY, Check, Report, use
from tests.cli.json_schema import violations
from tests.cli.processes import run_command
from tests.support import pki
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, now, private_key


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
