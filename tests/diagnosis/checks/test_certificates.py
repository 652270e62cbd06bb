"""What is wrong, or may be, with the certificates of an identity is told by its code."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterable
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
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.settings.loading import settings_from
from tests.support.client_files import ClientFiles
from tests.support.odd_certificates import ODD_CERTIFICATES, odd_leaf
from tests.support.pki import Authority, Leaf, now, openssl, private_key

from .conftest import Build

DAY = datetime.timedelta(days=1)
MONTH = 30 * DAY


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


_WITHOUT_SECONDS = pytest.param(
    "UTCTime without seconds",
    marks=pytest.mark.skipif(
        ssl.OPENSSL_VERSION_INFO >= (3, 5), reason="OpenSSL 3.5 and later do not take it themselves"
    ),
)


@pytest.mark.parametrize("name", ["negative serial", "serial 0", _WITHOUT_SECONDS])
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
    assert "Add the certificate of the issuer to the file" in diagnostic.remedy
    assert None is is_chain_complete(generation.identities[0], ())


def test_a_root_that_is_known_here(
    build: Build, client_authority: Authority, authority: Authority
) -> None:
    """The twin: the issuer is found to be a root among the authorities of the settings."""
    generation = build(client_authority.issue("of a root", server=False))
    root, other = client_authority.certificate, authority.certificate
    assert [] == about_certificates(generation, authorities=(other, root))
    assert ["incomplete-chain"] == codes(about_certificates(generation, authorities=(other,)))


def test_a_root_in_the_file(build: Build, client_authority: Authority) -> None:
    """The twin: it came with the leaf, and so is known although nobody presents it."""
    issued = client_authority.issue("of a root", server=False)
    generation = build(Leaf(issued.certificate, issued.key, (client_authority.certificate,)))
    (identity,) = generation.identities
    assert [] == about_certificates(generation)
    assert is_chain_complete(identity, ()) is True
    assert identity.intermediates == ()


def test_a_namesake_of_the_root_in_the_file(build: Build, client_authority: Authority) -> None:
    """Its name alone says nothing."""
    issued = client_authority.issue("of a root", server=False)
    namesake = Authority("Client root").certificate
    generation = build(Leaf(issued.certificate, issued.key, (namesake,)))
    assert ["incomplete-chain"] == codes(about_certificates(generation))


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
