"""The environment variables that steer what is tested, so that none leaks in from outside."""

from __future__ import annotations

from collections.abc import Mapping

_PREFIXES = ("MXCERT_", "MXRUNTIME_")
_FAMILY = frozenset(
    {
        "ClientCertificates",
        "ClientCertificatePasswords",
        "ClientCertificateUsages",
        "WebServiceClientCertificates",
        "NoClientCertificateUsages",
        "CACertificates",
        "CUSTOM_RUNTIME_SETTINGS",
        "CLIENT_CERTIFICATES",
        "CERTIFICATE_AUTHORITIES",
        "CERTIFICATE_AUTHORITIES_BASE64",
    }
)
#: what TLS and HTTP clients themselves read, in lower case
_CLIENTS = frozenset(
    {
        "all_proxy",
        "ftp_proxy",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "ssl_cert_dir",
        "ssl_cert_file",
        "sslkeylogfile",
        "requests_ca_bundle",
        "curl_ca_bundle",
        "aws_ca_bundle",
        "httplib2_ca_certs",
        "netrc",
        "openssl_conf",
    }
)


def steers(variable: str) -> bool:
    """Whether this variable changes which certificate, trust or way a client takes."""
    return variable.startswith(_PREFIXES) or variable in _FAMILY or variable.lower() in _CLIENTS


def cleaned(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that steer."""
    return {name: value for name, value in environ.items() if not steers(name)}
