"""CAs of the settings: the extra ones join default trust alone, a rule's verify alone."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mxcert_runtime.connections.planner import UnknownSecurityLevelError
from tests.contexts.ground import FOREIGN, GOOD, HOSTS, RSA, Activation, Ground
from tests.contexts.trust_modes import assert_presented, judge_all, new_context
from tests.contexts.verdicts import attempt, connect
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


def _created_default(ground: Ground) -> ssl.SSLContext:
    ground.default_paths(ground.file(ground.realm.foreign.pem))
    return ssl.create_default_context()


def _created_with_cafile(ground: Ground) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ground.file(ground.realm.foreign.pem)))


def _created_with_cadata(ground: Ground) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ground.realm.foreign.der)


def _loaded_default(ground: Ground) -> ssl.SSLContext:
    ground.default_paths(ground.file(ground.realm.foreign.pem))
    context = new_context()
    context.load_default_certs()
    return context


def _loaded_explicitly(ground: Ground) -> ssl.SSLContext:
    context = new_context()
    context.load_verify_locations(ground.file(ground.realm.foreign.pem))
    return context


@pytest.mark.parametrize(
    ("create", "joined"),
    [
        (_created_default, True),
        (_loaded_default, True),
        (_created_with_cafile, False),
        (_created_with_cadata, False),
        (_loaded_explicitly, False),
    ],
)
@pytest.mark.parametrize("hosts", [["*.test"], ["elsewhere.example"]], ids=["identity", "none"])
def test_extra_authorities_join_default_trust_only(
    create: Callable[[Ground], ssl.SSLContext],
    joined: bool,
    hosts: list[str],
    ground: Ground,
    server: TlsServer,
    activate: Activation,
) -> None:
    """Extra authorities add to default trust, with and without an identity, and to no other."""
    activate(*hosts, ca=[activate.path(ground.realm.authority)])
    context = create(ground)
    accepted = {host for host in HOSTS if attempt(context, server.port, host).accepted}
    assert FOREIGN in accepted
    assert joined == (GOOD in accepted)
    assert {"wrong.test", "expired.test"}.isdisjoint(accepted)


@pytest.mark.parametrize("created", ["before", "after"])
@pytest.mark.parametrize("own_certificate", [False, True])
def test_pinned_cas_verify_alone(
    created: str,
    own_certificate: bool,
    ground: Ground,
    server: TlsServer,
    activate: Activation,
    alpha: Leaf,
    beta: Leaf,
    tmp_path: Path,
) -> None:
    """With `ca` in the rule what the caller trusts does not count; its own certificate does."""
    if created == "before" and sys.version_info < (3, 10):
        pytest.skip("Python 3.9 refuses: see test_security_level_with_authorities_of_a_rule")

    def create() -> ssl.SSLContext:
        context = new_context()
        context.load_verify_locations(cadata=ground.realm.foreign.der)
        if own_certificate:
            context.load_cert_chain(*beta.write_pem(tmp_path))
        return context

    rule = {"authorities": (ground.realm.authority,)}
    if created == "before":
        context = create()
        activate(**rule)
    else:
        activate(**rule)
        context = create()
    verdicts = judge_all(context, server)
    assert not verdicts[FOREIGN].accepted
    assert ("SSLCertVerificationError", 20) == (
        verdicts[FOREIGN].error,
        verdicts[FOREIGN].verify_code,
    )
    assert verdicts[GOOD].accepted
    assert not verdicts["wrong.test"].accepted
    assert not verdicts["expired.test"].accepted
    assert_presented(verdicts, beta if own_certificate else alpha)


def test_authorities_of_a_rule_count_for_its_hosts_only(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """A host without the rule is verified by what the caller trusts."""
    activate(GOOD, authorities=(ground.realm.authority,))
    context = new_context()
    context.load_verify_locations(cadata=ground.realm.foreign.der)
    assert attempt(context, server.port, GOOD).accepted
    assert attempt(context, server.port, FOREIGN).accepted
    assert not attempt(context, server.port, RSA).accepted


@pytest.mark.parametrize("own_certificate", [False, True])
def test_security_level_with_authorities_of_a_rule(
    own_certificate: bool,
    ground: Ground,
    server: TlsServer,
    activate: Activation,
    beta: Leaf,
    tmp_path: Path,
) -> None:
    """A level that the caller raised before activation holds where the rule names the trust."""
    context = new_context()
    context.set_ciphers("DEFAULT:@SECLEVEL=3")
    if own_certificate:
        context.load_cert_chain(*beta.write_pem(tmp_path))
    activate(authorities=(ground.realm.authority,))
    if sys.version_info < (3, 10):
        before = list(server.seen)
        # Nobody can tell the level there, so nobody verifies in the caller's place.
        with pytest.raises(UnknownSecurityLevelError, match="Import mxcert_runtime before"):
            connect(context, server.port, GOOD)
        assert before == list(server.seen)
        return
    assert attempt(context, server.port, GOOD).accepted
    assert not attempt(context, server.port, RSA).accepted
