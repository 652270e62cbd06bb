"""What the two engines do differently, and why: whatever is not here is alike, and tested as one.

``docs/engines.md`` shows the table to users.
"""

from __future__ import annotations

from ..base import dataclass


@dataclass(frozen=True)
class Difference:
    """One thing that a connection does otherwise with one engine than with the other."""

    what: str
    ssl: str
    pyopenssl: str
    why: str
    #: the test that shows it, as ``path::name``, below ``tests/``
    shown_by: str


DIFFERENCES = (
    Difference(
        what="when a connection is counted, logged and warned of",
        ssl="when its object is made",
        pyopenssl="at the first step of its handshake",
        why="a `Connection` learns its host, and may learn another one, after it is made",
        shown_by="engines/test_differences.py::test_when_a_connection_counts",
    ),
    Difference(
        what="whose context a connection is on",
        ssl="an identity context from its beginning, where that can verify as well",
        pyopenssl="the program's, until its server has been verified and asks; with pinned CAs one "
        "of ours from its beginning",
        why="programs verify in callbacks of their `Context`, which are called for it alone",
        shown_by="clients/test_pyopenssl_moments.py::test_context_stays_until_the_request",
    ),
    Difference(
        what="how it is told whether the server is verified (`require_verified_server`)",
        ssl="by the verify mode of the program's context",
        pyopenssl="by the mode of the connection, and by a second look at the chain when it asks",
        why="a callback of the program may accept a server that its CAs do not verify",
        shown_by="connections/test_unverified.py::test_callback_and_pinned",
    ),
    Difference(
        what="what chooses among identities",
        ssl="issuers, certificate types and signature algorithms of the server's request",
        pyopenssl="its issuers",
        why="pyOpenSSL tells no more of the request",
        shown_by="engines/test_differences.py::test_what_chooses",
    ),
    Difference(
        what="what a note says of the server's request",
        ssl="all of it; at a first failure nothing, where no part of the connection needed it",
        pyopenssl="its issuers, at the first failure too",
        why="to hear the request costs `ssl` a call for each record of the handshake",
        shown_by="engines/test_differences.py::test_what_a_note_says_of_the_request",
    ),
    Difference(
        what="a key in a PKCS#11 token",
        ssl="signs there, by OpenSSL's provider",
        pyopenssl="is refused, but where cryptography is built against the OpenSSL of `ssl`",
        why="no provider can be loaded into the OpenSSL that cryptography's wheels bring",
        shown_by="tokens/test_material.py::test_pyopenssl_refuses_with_words",
    ),
    Difference(
        what="a name or a context that changes after the connection is made",
        ssl="decides nothing anew",
        pyopenssl="is decided anew, also where the name came past the hooks",
        why="of an `SSLSocket` the name never changes, and the `context` is for servers to set",
        shown_by="clients/test_pyopenssl_contexts.py::test_another_context",
    ),
    Difference(
        what="a certificate of the program's on the connection itself",
        ssl="there is no such thing",
        pyopenssl="wins, and is refused where the rule pins CAs",
        why="it would have to leave its context for the CAs, and could not take its chain along",
        shown_by="clients/test_pyopenssl_authorities.py::test_own_certificate_of_the_connection",
    ),
    Difference(
        what="what a program demands of the server's chain, where a rule pins CAs",
        ssl="holds: it is part of the connection",
        pyopenssl="holds where it can be measured and copied, else the connection is refused",
        why="OpenSSL reads a time, a purpose or a policy of the store from the store",
        shown_by="clients/test_pyopenssl_attributes.py::test_like_the_plain_program",
    ),
    Difference(
        what="the security level of an older context, where a rule pins CAs",
        ssl="is known; with Python 3.9 it is not, and the connection is refused",
        pyopenssl="is measured",
        why="Python 3.9 does not tell it, and a certificate for each level can be shown to a "
        "`Context` only",
        shown_by="clients/test_pyopenssl_stores.py::test_security_level",
    ),
    Difference(
        what="extra CAs that later settings take out",
        ssl="count no more",
        pyopenssl="go on counting for a `Context` that has had them",
        why="they join its store, which OpenSSL lets grow and never shrink",
        shown_by="engines/test_differences.py::test_extra_cas_that_are_taken_out",
    ),
    Difference(
        what="a CA bundle that the process has loaded before",
        ssl="is not parsed again",
        pyopenssl="is parsed again, as without the plugin",
        why="the program's own store verifies",
        shown_by="contexts/test_trust_once.py::test_loads",
    ),
    Difference(
        what="a session that is asked for after `deactivate()`, of a connection that is still open",
        ssl="is given, and a `ValueError` of CPython on a new connection",
        pyopenssl="is not given: `None`",
        why="CPython ties a session to the context that its connection is on",
        shown_by="engines/test_differences.py::test_session_after_deactivation",
    ),
    Difference(
        what="what the server said before a write failed (TLS 1.3)",
        ssl="is told, on Linux",
        pyopenssl="is told, on Linux and before OpenSSL 4.0",
        why="from 4.0 on OpenSSL reads no more once a write has failed",
        shown_by="engines/test_after_a_write.py::test_alert",
    ),
    Difference(
        what="DTLS",
        ssl="there is none",
        pyopenssl="has identities, and no pinned CAs",
        why="its SRTP profiles are read from the context, and nothing tells them",
        shown_by="clients/test_pyopenssl_contexts.py::test_authorities",
    ),
)
