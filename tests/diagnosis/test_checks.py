"""What is wrong, or may be, with settings that can be used is told by its code; all else is not."""

from __future__ import annotations

import base64
import datetime
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.decisions.generation import Generation
from mxcert_runtime.diagnosis.checks.certificates import (
    Expectation,
    check_identity,
    is_chain_complete,
    trust_anchor_of,
)
from mxcert_runtime.diagnosis.checks.diagnostic import Diagnostic, DiagnosticCode
from mxcert_runtime.diagnosis.checks.files import check_files
from mxcert_runtime.diagnosis.checks.rules import check_rules, check_service_prefixes
from mxcert_runtime.diagnosis.checks.services import check_services
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.settings.loading import read_settings, settings_from
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.odd_certificates import ODD_CERTIFICATES, odd_leaf
from tests.support.pki import Authority, Leaf, now, openssl, private_key

DAY = datetime.timedelta(days=1)
MONTH = 30 * DAY

Build = Callable[..., Generation]


@pytest.fixture(scope="module")
def intermediate(client_authority: Authority) -> Authority:
    """What a sound leaf is issued by."""
    return client_authority.intermediate("Intermediate")


@pytest.fixture
def build(client_files: ClientFiles) -> Build:
    """Builds a generation of these leaves, without rules and named one, two, three."""

    def build(*leaves: Leaf, **settings: Any) -> Generation:
        names = ("one", "two", "three")
        identities = [client_files.identity(*pair) for pair in zip(names, leaves)]
        return build_generation(settings_from({"identity": identities, **settings}))

    return build


def about_certificates(
    generation: Generation,
    window: datetime.timedelta = MONTH,
    authorities: tuple[x509.Certificate, ...] = (),
) -> list[Diagnostic]:
    """The diagnostics of the first identity."""
    expected = Expectation(now(), window, tuple(map(Certificate.of, authorities)))
    return list(check_identity(generation.identities[0], expected))


def codes(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """The codes alone."""
    return [each.code.value for each in diagnostics]


def test_a_sound_identity(build: Build, intermediate: Authority) -> None:
    """The twin of all below: of a sound certificate with its chain nothing is told."""
    generation = build(intermediate.issue("sound", server=False))
    assert [] == about_certificates(generation)
    assert "CN=Client root,O=mxcert tests" == trust_anchor_of(generation.identities[0])


@pytest.mark.parametrize("name", ["negative serial", "serial 0", "UTCTime without seconds"])
def test_what_strict_servers_refuse(tmp_path: Path, client_authority: Authority, name: str) -> None:
    """What OpenSSL takes and RFC 5280 forbids is told, for the servers that are not OpenSSL."""
    leaf = odd_leaf(client_authority, ODD_CERTIFICATES[name])
    settings = {"identity": [leaf.write(tmp_path)], "unlisted_hosts": "none"}
    generation = build_generation(settings_from(settings))
    expected = "unusual-certificate"
    (diagnostic,) = (each for each in about_certificates(generation) if each.code.value == expected)
    assert "refuse it" in diagnostic.problem
    assert not diagnostic.is_error


DATES = [
    ({"not_after": now() - DAY}, MONTH, ["expired"]),
    ({"not_before": now() + DAY}, MONTH, ["not-yet-valid"]),
    ({"not_after": now() + 29 * DAY}, MONTH, ["expires-soon"]),
    ({"not_after": now() + 31 * DAY}, MONTH, []),
    ({"not_after": now() + 31 * DAY}, 60 * DAY, ["expires-soon"]),
    ({"not_after": now() + 29 * DAY}, DAY, []),
    # One that lives for three days cannot last a month: the last third of its life counts.
    ({"not_after": now() + 1.1 * DAY}, MONTH, []),
    ({"not_after": now() + 0.9 * DAY}, MONTH, ["expires-soon"]),
    ({"not_after": now() + 0.9 * DAY}, 0.1 * DAY, []),
]


@pytest.mark.parametrize(("dates", "window", "expected"), DATES)
def test_dates(
    build: Build,
    intermediate: Authority,
    dates: dict[str, datetime.datetime],
    window: datetime.timedelta,
    expected: list[str],
) -> None:
    """Outside its validity, or sooner at its end than asked for: a problem, with the date."""
    period = {"not_before": now() - 2 * DAY, **dates}
    diagnostics = about_certificates(build(intermediate.issue("dated", **period)), window)
    assert expected == codes(diagnostics)
    assert all(each.is_error for each in diagnostics)
    shown = f"{next(iter(dates.values())):%Y-%m-%d %H:%M} UTC"
    assert all(shown in each.problem and "'one'" in each.problem for each in diagnostics)


def test_an_expired_intermediate(build: Build, client_authority: Authority) -> None:
    """An intermediate that has expired breaks the chain as well as a leaf does."""
    period = {"not_before": now() - 2 * DAY, "not_after": now() - DAY}
    expired = Authority("Old intermediate", "ec", client_authority, **period)
    (diagnostic,) = about_certificates(build(expired.issue("sound")))
    assert DiagnosticCode.EXPIRED is diagnostic.code
    assert "CN=Old intermediate" in diagnostic.problem


def test_a_missing_intermediate(build: Build, intermediate: Authority) -> None:
    """The issuer is not in the file, and nothing here says that it is a root."""
    issued = intermediate.issue("chainless", server=False)
    generation = build(Leaf(issued.certificate, issued.key))
    (diagnostic,) = about_certificates(generation)
    assert ("incomplete-chain", False) == (diagnostic.code.value, diagnostic.is_error)
    assert "CN=Intermediate" in diagnostic.problem
    assert None is is_chain_complete(generation.identities[0], ())


def test_a_root_that_is_known_here(
    build: Build, client_authority: Authority, authority: Authority
) -> None:
    """The twin: the issuer is found to be a root among the authorities of the settings."""
    generation = build(client_authority.issue("of a root", server=False))
    root, other = client_authority.certificate, authority.certificate
    assert [] == about_certificates(generation, authorities=(other, root))
    assert ["incomplete-chain"] == codes(about_certificates(generation, authorities=(other,)))


def test_an_authority_of_the_same_name_is_no_root(
    build: Build, client_authority: Authority
) -> None:
    """A root is found by its signature: one that was made anew under its name has another key."""
    generation = build(client_authority.issue("of a root", server=False))
    namesake = Authority("Client root").certificate
    assert ["incomplete-chain"] == codes(about_certificates(generation, authorities=(namesake,)))


def _key(kind: str) -> Any:
    if kind == "rsa-1024":
        return rsa.generate_private_key(65537, 1024)  # noqa: S505
    return ec.generate_private_key(ec.SECP192R1()) if kind == "ec-192" else private_key(kind)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("rsa-1024", ["weak-key"]), ("ec-192", ["weak-key"]), ("rsa", []), ("ed25519", [])],
)
def test_keys(build: Build, intermediate: Authority, kind: str, expected: list[str]) -> None:
    """A key that OpenSSL refuses at its default security level is weak."""
    assert expected == codes(
        about_certificates(build(intermediate.issue("k", signing_key=_key(kind))))
    )


@pytest.mark.parametrize(("digest", "expected"), [("sha1", ["weak-signature"]), ("sha256", [])])
def test_signatures(client_files: ClientFiles, digest: str, expected: list[str]) -> None:
    """A signature by SHA-1 is weak."""
    path = client_files.folder / "both.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    extension = ["-addext", "keyUsage=digitalSignature"]
    out = ["-keyout", str(path.with_suffix(".key")), "-subj", "/CN=self"]
    content = openssl("req", "-x509", f"-{digest}", *curve, *extension, *out)
    path.write_bytes(content + path.with_suffix(".key").read_bytes())
    generation = build_generation(settings_from({"identity": [{"certificate": str(path)}]}))
    # Self-signed, so that its chain is complete.
    assert expected == codes(about_certificates(generation, window=DAY))


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        ({"client": False, "server": True}, ["no-client-authentication"]),
        ({"client": True, "server": True}, []),
        ({"client": False, "server": False}, []),
    ],
)
def test_extended_key_usage(
    build: Build, intermediate: Authority, usages: dict[str, bool], expected: list[str]
) -> None:
    """Where a certificate says what it is for, TLS clients must be among it."""
    assert expected == codes(about_certificates(build(intermediate.issue("usage", **usages))))


def test_key_usage(build: Build, client_authority: Authority) -> None:
    """A key that is not for signatures cannot identify a client; an authority's is for them."""
    generation = build(client_authority.intermediate().issue("sound"))
    (identity,) = generation.identities
    key = private_key("ec")
    builder = x509.CertificateBuilder(
        identity.certificate.issuer,
        identity.certificate.subject,
        key.public_key(),
        1,
        now() - DAY,
        now() + 60 * DAY,
    )
    usage = x509.KeyUsage(False, False, False, False, True, False, False, False, False)
    certificate = builder.add_extension(usage, True).sign(key, _sha256())
    diagnostics = about_certificates(build(Leaf(certificate, key)))
    assert "no-digital-signature" in codes(diagnostics)


def _sha256() -> Any:
    from cryptography.hazmat.primitives.hashes import SHA256

    return SHA256()


def about_rules(generation: Generation) -> list[tuple[str, str | None]]:
    """Code and identity of each diagnostic of rules."""
    return [(each.code.value, each.identity) for each in check_rules(generation, now())]


def test_an_identity_that_nothing_uses(build: Build, alpha: Leaf, beta: Leaf) -> None:
    """Without a rule an identity is used by the default alone, which the settings can turn off."""
    assert [("unused-identity", "one")] == about_rules(build(alpha, unlisted_hosts="none"))
    assert [] == about_rules(build(alpha))


def test_an_identity_that_an_earlier_one_shadows(
    build: Build, alpha: Leaf, beta: Leaf, intermediate: Authority
) -> None:
    """No request chooses an identity whose issuers and kind of key an earlier one has too."""
    assert [("shadowed-identity", "two")] == about_rules(build(alpha, beta))
    # One below the other's issuer fits wherever that fits, and not the other way round.
    below = intermediate.issue("below", server=False)
    assert [("shadowed-identity", "two")] == about_rules(build(below, alpha))
    assert [] == about_rules(build(alpha, below))


def test_what_shadows_nothing(build: Build, alpha: Leaf, client_authority: Authority) -> None:
    """The twins: another kind of key, another issuer, an earlier one that has expired."""
    expired = client_authority.issue("x", not_before=now() - 2 * DAY, not_after=now() - DAY)
    assert [] == about_rules(build(alpha, client_authority.issue("key", key="ed25519")))
    assert [] == about_rules(build(alpha, Authority("Other root").issue("issuer")))
    assert [] == about_rules(build(expired, alpha))


def _with_hosts(files: ClientFiles, alpha: Leaf, beta: Leaf, *hosts: list[str]) -> Generation:
    first = files.identity("one", alpha, hosts=hosts[0])
    second = files.identity("two", beta, hosts=hosts[1])
    return build_generation(settings_from({"identity": [first, second]}))


def test_a_rule_that_another_one_hides(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> None:
    """A wildcard with a port does not count for a host that has a rule of its own without one."""
    hosts = (["*.pay.example:8443"], ["api.pay.example"])
    generation = _with_hosts(client_files, alpha, beta, *hosts)
    (diagnostic,) = check_rules(generation, now())
    assert DiagnosticCode.HIDDEN_RULE is diagnostic.code
    assert "`*.pay.example:8443` does not count for `api.pay.example:8443`" in diagnostic.problem
    assert "`api.pay.example:8443`" in diagnostic.remedy
    # What it says is so.
    assert "two" == generation.policy.select("api.pay.example", 8443).identity.name  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "hosts",
    [
        (["*.pay.example:8443"], ["api.pay.example", "api.pay.example:8443"]),
        (["*.pay.example:8443"], ["api.pay.example:444"]),
        (["*.pay.example"], ["api.pay.example"]),
        (["*.pay.example:8443", "api.pay.example"], ["other.example"]),
        (["*.pay.example:8443"], ["pay.example", "*.example", "a.b.pay.example"]),
    ],
)
def test_rules_that_hide_nothing(
    client_files: ClientFiles, alpha: Leaf, beta: Leaf, hosts: tuple[list[str], list[str]]
) -> None:
    """The twins: what is meant is said, or both give the same, or the names are others."""
    assert [] == about_rules(_with_hosts(client_files, alpha, beta, *hosts))


def test_a_service_prefix_without_a_service(client_files: ClientFiles, alpha: Leaf) -> None:
    """A prefix that is in front of no service's name is told, with where it stands."""
    identity = client_files.identity("one", alpha, services=["Billing.Invoices"])
    reading = settings_from({"identity": [identity], "service_prefixes": ["Billing", "Biling"]})
    (diagnostic,) = check_service_prefixes(reading)
    assert "unused-service-prefix" == diagnostic.code.value
    assert "'Biling'" in diagnostic.problem
    assert "settings argument, service_prefixes" == diagnostic.origin


@pytest.fixture
def without_soap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither zeep nor suds can be imported."""
    for module in ("zeep", "suds"):
        monkeypatch.setitem(sys.modules, module, None)


def _about_services(source: dict[str, Any]) -> list[Diagnostic]:
    return list(check_services(build_generation(settings_from(source))))


@pytest.mark.usefixtures("without_soap")
@pytest.mark.parametrize(
    "services", [["Billing.Invoices"], ["A.B", "My Service"], [f"A.B{n}" for n in range(7)]]
)
def test_services_that_nothing_maps(
    client_files: ClientFiles, alpha: Leaf, services: list[str]
) -> None:
    """Rules by service without hosts are told, all of one place together."""
    (diagnostic,) = _about_services(
        {"identity": [client_files.identity("one", alpha, services=services)]}
    )
    assert ("service-not-mapped", False) == (diagnostic.code.value, diagnostic.is_error)
    assert "settings argument, identity 1 (one), services" == diagnostic.origin
    assert f"`{services[0]}`" in diagnostic.problem
    assert "does not name" in diagnostic.problem
    assert "mxcert_runtime.service(...)" in diagnostic.problem
    assert ("and 2 more" in diagnostic.problem) == (len(services) > 5)
    assert f'"{services[0]}": ["host"]' in diagnostic.remedy


@pytest.mark.usefixtures("without_soap")
@pytest.mark.parametrize("hosts", [["invoices.example"], []])
def test_services_that_have_hosts(client_files: ClientFiles, alpha: Leaf, hosts: list[str]) -> None:
    """The twin: with hosts the rule applies, and with none somebody says that the code names it."""
    identity = client_files.identity("one", alpha, services=["Billing.Invoices"])
    assert [] == _about_services({"identity": [identity], "services": {"Billing.Invoices": hosts}})


@pytest.mark.usefixtures("without_soap")
def test_a_service_that_must_get_no_certificate(client_files: ClientFiles, alpha: Leaf) -> None:
    """The rule *none* of a service is told as well: the default would be presented."""
    identity = client_files.identity("one", alpha)
    source = {"identity": [identity], "no_certificate": {"services": ["A.B"]}}
    assert ["settings argument, no_certificate, services"] == [
        each.origin for each in _about_services(source)
    ]


SOAP_LIBRARIES = ("zeep", "suds")


@pytest.mark.parametrize("library", SOAP_LIBRARIES)
def test_a_library_that_names_services(
    client_files: ClientFiles, alpha: Leaf, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: one of them is enough, and is not imported to be found."""
    for module in SOAP_LIBRARIES:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, library)
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"there is no {library}")
    identity = client_files.identity("one", alpha, services=["A.B"])
    assert [] == _about_services({"identity": [identity]})
    assert library not in sys.modules


@pytest.mark.usefixtures("without_soap")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Module.WebService1", True),
        ("Billing.Invoices", True),
        ("WebService", True),
        ("MyModule.ABC", True),
        (f"module.{'x' * 64}", True),
        ("www.server-to-contact.com", False),
        ("Www.Example.com", False),
        ("WWW.EXAMPLE.COM", False),
        ("localhost", False),
        ("Api.Example.Test:443", False),
        ("*.Example.Test", False),
        ("192.0.2.7", False),
        ("B\u00fccher.example", False),
    ],
)
def test_names_that_can_be_either(
    client_files: ClientFiles, alpha: Leaf, name: str, expected: bool
) -> None:
    """Where hosts and services share one namespace, how a name is written tells them apart."""
    variables = client_files.variables(alpha, usages={name: None})
    generation = build_generation(read_settings(variables, default_file="/nonexistent"))
    assert expected == bool(list(check_services(generation)))


posix_only = pytest.mark.skipif(os.name != "posix", reason="mode bits are POSIX")


@pytest.fixture
def secret_files(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> dict[str, Path]:
    """A settings file with every kind of file that holds a secret; all are the user's alone."""
    folder = client_files.folder
    certificate, key = beta.write_pem(folder)
    password = folder / "alpha.pw"
    password.write_text(PASSWORD)
    settings = folder / "mxcert.toml"
    settings.write_text(
        f"""
        [[identity]]
        pkcs12 = '{client_files.pkcs12(alpha)}'
        password_file = '{password}'
        [[identity]]
        certificate = '{certificate}'
        key = '{key}'
        """
    )
    files = {
        "pkcs12": client_files.pkcs12(alpha),
        "key": key,
        "password": password,
        "settings": settings,
        "certificate": certificate,
    }
    for path in files.values():
        path.chmod(0o600)
    return files


def about_files(environ: dict[str, str]) -> list[Diagnostic]:
    """The diagnostics of the files of an environment's settings, which have no fault."""
    reading = read_settings(environ)
    build_generation(reading)
    return list(check_files(reading))


@posix_only
def test_files_of_the_user_alone(secret_files: dict[str, Path]) -> None:
    """The twin of all below: nobody else may read anything, and nothing is told."""
    assert [] == about_files({"MXCERT_CONFIG": str(secret_files["settings"])})


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
@pytest.mark.parametrize("kind", ["pkcs12", "key", "password"])
def test_files_that_others_may_read(secret_files: dict[str, Path], kind: str, mode: int) -> None:
    """A key or a password that the group or every user may read is told, with who may."""
    secret_files[kind].chmod(mode)
    (diagnostic,) = about_files({"MXCERT_CONFIG": str(secret_files["settings"])})
    assert DiagnosticCode.READABLE_BY_OTHERS is diagnostic.code
    assert f"`{secret_files[kind]}`" in diagnostic.problem
    assert ("every user" if mode & 0o004 else "its group") in diagnostic.problem


@posix_only
@pytest.mark.parametrize("kind", ["settings", "certificate"])
def test_files_without_a_secret(secret_files: dict[str, Path], kind: str) -> None:
    """The twin: settings that only say where the password is, and certificates, may be read."""
    secret_files[kind].chmod(0o644)
    assert [] == about_files({"MXCERT_CONFIG": str(secret_files["settings"])})


@posix_only
@pytest.mark.parametrize(("mode", "expected"), [(0o644, 1), (0o600, 0)])
def test_a_settings_file_with_a_password(
    secret_files: dict[str, Path], mode: int, expected: int
) -> None:
    """A settings file is secret once it holds a password itself."""
    settings = secret_files["settings"]
    where = f"password_file = '{secret_files['password']}'"
    settings.write_text(settings.read_text().replace(where, f"password = '{PASSWORD}'"))
    settings.chmod(mode)
    texts = [str(each) for each in about_files({"MXCERT_CONFIG": str(settings)})]
    assert expected == len(texts)
    assert all("holds a password" in text and PASSWORD not in text for text in texts)


@posix_only
@pytest.mark.parametrize(("mode", "expected"), [(0o644, 1), (0o600, 0)])
def test_a_file_of_passwords(secret_files: dict[str, Path], mode: int, expected: int) -> None:
    """The file of a variable's passwords is secret; that of its paths is not."""
    paths = secret_files["pkcs12"].with_suffix(".paths")
    paths.write_text(str(secret_files["pkcs12"]))
    paths.chmod(0o644)
    secret_files["password"].chmod(mode)
    environ = {
        "MXCERT_CLIENT_CERTIFICATES_FILE": str(paths),
        "MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE": str(secret_files["password"]),
    }
    assert expected == len(about_files(environ))


@posix_only
@pytest.mark.parametrize(("mode", "expected"), [(0o644, 1), (0o600, 0)])
def test_a_file_that_holds_the_certificates(
    tmp_path: Path, alpha: Leaf, mode: int, expected: int
) -> None:
    """A Kubernetes resource is secret: keys stand in it, even under an empty password."""
    encoded = base64.b64encode(alpha.pkcs12(None, encryption="none")).decode()
    entry = {"key": encoded, "password": "", "pinTo": ["api.example"]}
    path = tmp_path / "runtime.json"
    path.write_text(json.dumps({"runtime": {"clientCertificates": [entry]}}))
    path.chmod(mode)
    assert expected == len(about_files({"MXCERT_CONFIG": str(path)}))


def test_data_of_a_diagnostic() -> None:
    """As data a diagnostic has its code; as text what is wrong and what to do."""
    diagnostic = Diagnostic(DiagnosticCode.EXPIRED, "here", "it has expired", "Replace it", "one")
    expected = {
        "code": "expired",
        "identity": "one",
        "origin": "here",
        "problem": "it has expired",
        "remedy": "Replace it",
    }
    assert expected == diagnostic.as_data()
    assert "here: it has expired. Replace it." == str(diagnostic)
