"""pyOpenSSL: whatever a program sets on its Context holds for a connection with an identity.

One row for each attribute of ``openssl_attributes.ATTRIBUTES``: the program without the plugin, its
certificate loaded by itself, and the same program with the plugin do and see the same.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("OpenSSL")

import mxcert_runtime
from mxcert_runtime.hooks.pyopenssl.attributes import ATTRIBUTES, Fate
from mxcert_runtime.hooks.pyopenssl.contexts import UnenforceableAuthoritiesError
from tests.clients.openssl_calls import give_certificate
from tests.clients.openssl_dialogue import client_context, converse, server_context
from tests.clients.openssl_rows import REFUSED, ROWS, UNENFORCEABLE, Ground, Row
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, rsa_key
from tests.support.server_tls import TlsVersion

HOST = "alpha.test"

#: Attributes with tests of their own, in this folder, unless they are rows, ...
ELSEWHERE = {
    "certificate, key and chain": "test_chain_goes_along",
    "certificate store, for pinned CAs": "test_pyopenssl_stores",
    "demands of a store that no flag makes, for pinned CAs": "_another_time",
    "SRTP profiles, for pinned CAs": "TestDatagrams",
    "DTLS or TLS": "TestDatagrams",
    "session id context": "test_sessions",
    "session cache mode, timeout and callbacks": "test_sessions",
    "passphrase callback": "test_passphrase_callback",
    "purpose, trust, names and flags of the context": "test_names_of_the_context",
    "modes, automatic chain included": "test_modes",
}
#: ... and those that no function of pyOpenSSL sets, although its `lib` may have one.
UNTESTED = {
    "PSK callbacks",
    "message callback",
    "read-ahead, early data, post-handshake authentication",
}


def test_every_attribute_has_a_row() -> None:
    """What is read in a client's connection, and can be set, is compared with the plain program."""
    left_out = (Fate.SERVER_ONLY, Fate.OUT_OF_REACH)
    names = {each.name for each in ATTRIBUTES if each.fate not in left_out}
    assert names == {row.name for row in ROWS} | set(ELSEWHERE) | UNTESTED


MODES = ("none", "one", "several", "pinned")


def _activate(
    mode: str, files: ClientFiles, leaves: tuple[Leaf, Leaf], authority: Authority
) -> None:
    pinned = [authority] if mode == "pinned" else []
    hosts = [] if mode == "several" else [HOST if mode != "none" else "other.test"]
    identities = [files.identity("alpha", leaves[0], hosts=hosts, authorities=pinned)]
    if mode == "several":
        identities.append(files.identity("beta", leaves[1]))
    offered = "offer" if mode == "several" else "none"
    mxcert_runtime.activate(settings={"unlisted_hosts": offered, "identity": identities})


def _run(row: Row, ground: Ground, own: Leaf | None, *, bare: bool = False) -> tuple[Any, ...]:
    """What a program sees: the verdict, what it presented, and the effect of the row."""
    ground.notes = []
    context = client_context(ground.authority)
    server = server_context(ground.leaf, ground.version)
    row.server(server, ground)
    if not bare:
        row.client(context, ground)
    if own is not None:
        give_certificate(context, own)

    def arrange(connection: Any) -> None:
        if not bare:
            row.connection(connection, ground)

    dialogue = converse(context, server, HOST, arrange)
    return dialogue.verdict, dialogue.presented, row.see(dialogue, ground)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row", [row for row in ROWS if row.is_there], ids=str)
def test_like_the_plain_program(
    row: Row,
    mode: str,
    tls_version: TlsVersion,
    authority: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
) -> None:
    """Verdict, certificate and effect are those of the program that loads the certificate."""
    signing_key = rsa_key() if row.key == "rsa" else None
    leaf = authority.intermediate().issue("server", hosts=[HOST], signing_key=signing_key)
    if "crl" in str(row):
        leaf = authority.issue("server", hosts=[HOST])
    ground = Ground(authority, leaf, tls_version)
    own = None if mode == "none" else alpha
    plain = _run(row, ground, own)
    if tls_version in row.versions:
        assert _run(row, ground, own, bare=True) != plain
    _activate(mode, client_files, (alpha, beta), authority)
    if mode == "pinned" and row.pinned == UNENFORCEABLE:
        with pytest.raises(UnenforceableAuthoritiesError, match="or `ca` out of the rule"):
            _run(row, ground, None)
    elif mode == "pinned" and row.pinned == REFUSED:
        assert ("certificate verify failed", None) == _run(row, ground, None)[:2]
    else:
        assert plain == _run(row, ground, None)
