"""Names that were surely meant for a setting are told, and nobody else's are."""

from __future__ import annotations

import pytest

from mxcert_runtime.settings.presence import mentions_settings, near_misses
from tests.settings.readings import NO_FILE, only_warning, read
from tests.support.subprocesses import run_client

NEAR = {
    "CLIENTCERTIFICATES": "ClientCertificates",
    "clientCertificates": "ClientCertificates",
    "ClientCertificate": "ClientCertificates",
    "ClientCertifcates": "ClientCertificates",
    "ClientCretificates": "ClientCertificates",
    "Client-Certificates": None,
    "ClientCertificatesPassword": "ClientCertificatePasswords",
    "ClientCertificatePassword": "ClientCertificatePasswords",
    "CLIENT_CERTIFICATE_PASSWORDS": "ClientCertificatePasswords",
    "ClientCertificateUsage": "ClientCertificateUsages",
    "NoClientCertificatesUsage": "NoClientCertificateUsages",
    "NO_CLIENT_CERTIFICATE_USAGES": "NoClientCertificateUsages",
    "CACertificate": "CACertificates",
    "CaCertificates": "CACertificates",
    "MXRUNTIME_clientcertificates": "MXRUNTIME_ClientCertificates",
    "MXRUNTIME_CLIENT_CERTIFICATES": "MXRUNTIME_ClientCertificates",
    "MXRUNTIME_CACertificate": "MXRUNTIME_CACertificates",
    "mxruntime_ClientCertificates": "MXRUNTIME_ClientCertificates",
    "MX_RUNTIME_ClientCertificates": "MXRUNTIME_ClientCertificates",
    # read in the self-hosted file alone, as it is there
    "WebServiceClientCertificates": "ClientCertificateUsages",
    "ClientCertificatePasswords_FILE": "MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE",
    "MXRUNTIME_CACertificates_FILE": "MXCERT_CA_CERTIFICATES_FILE",
    "client_certificates": "CLIENT_CERTIFICATES",
    "certificate_authorities": "CERTIFICATE_AUTHORITIES",
    "CERTIFICATE_AUTHORITIES_BASE46": "CERTIFICATE_AUTHORITIES_BASE64",
    "mxcert_config": "MXCERT_CONFIG",
    "MXCERTCONFIG": "MXCERT_CONFIG",
    "MX_CERT_CLIENT_CERTIFICATES": "MXCERT_CLIENT_CERTIFICATES",
}
NEAR["Client-Certificates"] = "ClientCertificates"

#: names that programs have for what is their own
OTHERS = [
    *("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("CLIENT_CERTIFICATE", "CLIENT_CERT", "CA_CERTIFICATE", "CA_CERTIFICATES", "CA_CERT"),
    *("CERTIFICATE", "CERTIFICATES", "SERVER_CERTIFICATE", "CERTIFICATE_AUTHORITY"),
    *("AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    *("MYSQL_CA_CERTIFICATE", "CLIENT_CERTIFICATE_FILE", "CA_CERTIFICATES_FILE"),
    *("MXRUNTIME_DatabaseHost", "MXRUNTIME_com_mendix_core_StorageService", "RUNTIME"),
    *("MXRUNTIME_SourceDatabaseCertificate", "CUSTOM", "NODE_EXTRA_CA_CERTS"),
]


@pytest.mark.parametrize("name", NEAR)
def test_a_near_miss(name: str) -> None:
    """It counts as an attempt to set something, and is told with what was meant."""
    assert mentions_settings({name: "x"}, NO_FILE)
    warning = only_warning(read({name: "x"}))
    assert f"environment variable {name}" == warning.origin
    assert f"Write {NEAR[name]}, if that is meant" == warning.remedy


@pytest.mark.parametrize("name", NEAR)
def test_a_near_miss_that_is_set_to_nothing(name: str) -> None:
    """The twin: what is empty was not meant to set anything."""
    assert [] == near_misses({name: " "})


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_others(name: str) -> None:
    """An unrelated variable is neither a mention nor told."""
    assert not mentions_settings({name: "x"}, NO_FILE)
    assert () == read({name: "x"}).warnings


def test_where_names_have_no_case() -> None:
    """On Windows each name comes in upper case, and is found in any: that is no near miss."""
    assert [] == near_misses({"CLIENTCERTIFICATES": "a", "ClientCertificates": "a"})
    assert [] != near_misses({"CLIENTCERTIFICATES": "b", "ClientCertificates": "a"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"ClientCertificate": "a"}', True),
        ('{"clientcertificates": "a", "Other": 1}', True),
        ('{"WebServiceClientCertificates": "a"}', True),
        ('{"Other": "a"}', False),
        ('{"ClientCertificate": null}', False),
        ('{"certificate": broken', False),
    ],
)
def test_custom_runtime_settings(text: str, told: bool) -> None:
    """A key there that was meant for ours is told; the rest is for others, be it broken."""
    reading = read({"CUSTOM_RUNTIME_SETTINGS": text})
    assert () == reading.faults
    assert told == bool(reading.warnings)


def test_another_name_of_custom_runtime_settings() -> None:
    """That variable itself may be missed; one that holds nothing of ours is somebody else's."""
    ours = '{"ClientCertificates": "a"}'
    assert [] != near_misses({"custom_runtime_settings": ours})
    assert [] == near_misses({"custom_runtime_settings": '{"Other": 1}'})


_PROGRAM = """
import json, sys
import mxcert_runtime
active = "mxcert_runtime.start.activation" in sys.modules and mxcert_runtime.is_active()
print(json.dumps([active, "ssl" in sys.modules]))
"""


def test_a_program_that_is_meant_to_have_identities() -> None:
    """It starts without them, as it must, and says so."""
    done = run_client(_PROGRAM, environment={"ClientCertificate": "a.p12"}, host_patterns=())
    assert [False, True] == done.json()
    assert "environment variable ClientCertificate: is no setting" in done.stderr


def test_a_program_of_somebody_else() -> None:
    """The twin: where only others' names are set, nothing is said and nothing loaded."""
    environment = {name: "x" for name in OTHERS if not name.startswith(("PATH", "SSL"))}
    done = run_client(_PROGRAM, environment=environment, host_patterns=())
    assert ([False, False], "") == (done.json(), done.stderr)
