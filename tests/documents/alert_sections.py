"""The sections of docs/troubleshooting.md on alerts and verification, made from the code's table.

``python -m tests.documents.alert_sections`` writes them between their marks.
"""

from __future__ import annotations

from collections.abc import Iterator

from mxcert_runtime.diagnosis.alert_table import (
    ALERTS,
    CLOSED,
    LOCAL_FAILURES,
    Alert,
    server_refused,
)

from .pages import DOCS

PAGE = DOCS / "troubleshooting.md"
BEGIN, END = "<!-- alerts: generated, begin -->\n", "<!-- alerts: generated, end -->\n"

#: OpenSSL's words for an alert, as they stand in an ``ssl.SSLError``
WORDS = {
    "certificate_required": "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "handshake_failure": "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "bad_certificate": "SSLV3_ALERT_BAD_CERTIFICATE",
    "unsupported_certificate": "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "certificate_revoked": "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "certificate_expired": "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "certificate_unknown": "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "unknown_ca": "TLSV1_ALERT_UNKNOWN_CA",
    "access_denied": "TLSV1_ALERT_ACCESS_DENIED",
    "decrypt_error": "TLSV1_ALERT_DECRYPT_ERROR",
    "protocol_version": "TLSV1_ALERT_PROTOCOL_VERSION",
    "insufficient_security": "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    "internal_error": "TLSV1_ALERT_INTERNAL_ERROR",
    "unrecognized_name": "TLSV1_UNRECOGNIZED_NAME",
    "no_application_protocol": "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
    "wrong_version_number": "WRONG_VERSION_NUMBER",
    "unsupported_protocol": "UNSUPPORTED_PROTOCOL",
    "dh_key_too_small": "DH_KEY_TOO_SMALL",
}
#: what OpenSSL says behind `certificate verify failed:`, by its code
VERIFICATION = {
    9: "certificate is not yet valid",
    10: "certificate has expired",
    18: "self-signed certificate",
    19: "self-signed certificate in certificate chain",
    20: "unable to get local issuer certificate",
    21: "unable to verify the first certificate",
    23: "certificate revoked",
    26: "unsuitable certificate purpose",
    62: "Hostname mismatch",
    64: "IP address mismatch",
    66: "EE certificate key too weak",
    67: "CA certificate key too weak",
    68: "CA signature digest algorithm too weak",
}


def with_sections(document: str) -> str:
    """A document with the sections of today between the marks."""
    before, _, rest = document.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError("the document has not both marks")
    return f"{before}{BEGIN}{_sections()}{END}{after}"


def _sections() -> str:
    alerts = "\n".join(map(_section, ALERTS.values()))
    local = "\n".join(map(_section, [*LOCAL_FAILURES.values(), CLOSED]))
    return (
        f"\n## Alerts of the server\n\n{alerts}\n## Other failures of the handshake\n\n{local}"
        f"\n## certificate verify failed\n\n{''.join(_verification())}\n"
    )


def _section(alert: Alert) -> str:
    lines = [f"### {_title(alert)}", "", f"{_words(alert)}: {alert.meaning}.", *_remedies(alert)]
    return "\n".join(lines)


def _title(alert: Alert) -> str:
    return alert.name if alert.number is None else f"{alert.name} ({alert.number})"


def _words(alert: Alert) -> str:
    if alert is CLOSED:
        return "`EOF occurred in violation of protocol`, `Connection reset by peer` and their like"
    return f"`{WORDS[alert.name]}`"


def _remedies(alert: Alert) -> Iterator[str]:
    presented, none = alert.remedy("billing"), alert.remedy(None)
    yield ""
    if presented == none:
        yield f"- {_sentence(presented)}"
    else:
        yield f"- Your certificate (`billing`) was presented: {_sentence(presented)}"
        yield f"- No certificate was presented: {_sentence(none)}"
    yield ""


def _verification() -> Iterator[str]:
    yield "| OpenSSL says | Meaning | What to do |\n| --- | --- | --- |\n"
    for code, words in VERIFICATION.items():
        alert = server_refused(code)
        yield f"| `{words}` | {_sentence(alert.meaning)} | {_sentence(alert.remedy(None))} |\n"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    PAGE.write_text(with_sections(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
