"""The tests of CPython that must end otherwise with the plugin, each with the reason."""

from __future__ import annotations

from tests.support.expected_differences import Expected

#: The server's alert races with the end of its connection.
_REFUSED = ("TLSV1_ALERT_UNKNOWN_CA", "SSLEOFError", "ConnectionResetError", "BrokenPipeError")

EXPECTED = (
    Expected(
        "test.test_ssl.SimpleBackgroundTests.test_context_setget",
        ("self.assertIs(ss._sslobj.context, ctx1)",),
        "It looks at the private connection object, which holds the identity context; "
        "`SSLSocket.context` answers with the caller's, as before.",
    ),
    Expected(
        "test.test_ssl.TestPostHandshakeAuth.test_pha_optional_nocert",
        _REFUSED,
        "Its client has no certificate when the server asks; with the plugin it has one, and "
        "the server does not know who issued it.",
        races=True,
    ),
    Expected(
        "test.test_ssl.TestPostHandshakeAuth.test_pha_required_nocert",
        _REFUSED,
        "As above: the server complains of an unknown issuer instead of a missing certificate.",
        races=True,
    ),
)
