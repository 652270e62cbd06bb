"""An identity context never trusts less or more than the context of the caller."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import mxcert_runtime
from mxcert_runtime.connections.planner import UnknownSecurityLevelError
from tests.contexts.ground import FOREIGN, GOOD, HOSTS, REVOKED, RSA, Activation, Ground
from tests.contexts.verdicts import Verdict, attempt, connect
from tests.contexts.warming import Warming, holds_authorities
from tests.contexts.ways import WAYS, Step
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


def _new() -> ssl.SSLContext:
    """A context whose loads are such that have been done before, and need not be done again."""
    return Warming(ssl.PROTOCOL_TLS_CLIENT)


def _take(steps: Sequence[Step], ground: Ground, context: ssl.SSLContext) -> None:
    for step in steps:
        step(ground, context)


def _create_after(steps: Sequence[Step], ground: Ground, activate: Activation) -> ssl.SSLContext:
    activate()
    context = _new()
    _take(steps, ground, context)
    return context


def _create_uncached(steps: Sequence[Step], ground: Ground, activate: Activation) -> ssl.SSLContext:
    activate(trust_cache=False)
    context = _new()
    _take(steps, ground, context)
    return context


def _create_before(steps: Sequence[Step], ground: Ground, activate: Activation) -> ssl.SSLContext:
    context = _new()
    _take(steps, ground, context)
    activate()
    return context


def _load_after(steps: Sequence[Step], ground: Ground, activate: Activation) -> ssl.SSLContext:
    context = _new()
    _take(steps[: len(steps) // 2], ground, context)
    activate()
    _take(steps[len(steps) // 2 :], ground, context)
    return context


Mode = Callable[[Sequence[Step], Ground, Activation], ssl.SSLContext]
MODES: dict[str, Mode] = {
    "created after": _create_after,
    "created after, without cache": _create_uncached,
    "created before": _create_before,
    "loaded after": _load_after,
}


def _judge_all(context: ssl.SSLContext, server: TlsServer) -> dict[str, Verdict]:
    return {host: attempt(context, server.port, host) for host in HOSTS}


def _plain_ground(ground: Ground) -> Ground:
    folder = ground.folder / "plain"
    folder.mkdir()
    return Ground(ground.realm, folder, ground.monkeypatch)


def _plain_verdicts(steps: Sequence[Step], ground: Ground, server: TlsServer) -> dict[str, Verdict]:
    context = _new()
    _take(steps, _plain_ground(ground), context)
    return _judge_all(context, server)


def _assert_presented(verdicts: dict[str, Verdict], leaf: Leaf) -> None:
    expected = {
        host: leaf.fingerprint if each.accepted else None for host, each in verdicts.items()
    }
    assert expected == {host: each.fingerprint for host, each in verdicts.items()}


@pytest.fixture(scope="session")
def plain_table() -> dict[object, dict[str, Verdict]]:
    """The verdicts without us, each row found out once."""
    return {}


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS)
def test_verdicts_are_those_of_a_plain_context(
    way: str,
    mode: str,
    ground: Ground,
    server: TlsServer,
    activate: Activation,
    alpha: Leaf,
    plain_table: dict[object, dict[str, Verdict]],
) -> None:
    """Whatever was loaded and when, each server is accepted or refused as without us."""
    row = way, server.port
    if row not in plain_table:
        plain_table[row] = _plain_verdicts(WAYS[way], ground, server)
    plain = plain_table[row]
    hooked = _judge_all(MODES[mode](WAYS[way], ground, activate), server)
    assert plain == hooked
    _assert_presented(hooked, alpha)


@pytest.mark.parametrize("way", ["cafile", "CRL", "security level 3", "CERT_NONE", "nothing"])
def test_ways_tell_servers_apart(way: str, ground: Ground, server: TlsServer) -> None:
    """The table is worth something: its ways differ in the servers that they accept."""
    accepted = {
        "cafile": {GOOD, REVOKED, RSA, "below.test"},
        "CRL": {GOOD, RSA},
        "security level 3": {GOOD, REVOKED, "below.test"},
        "CERT_NONE": set(HOSTS),
        "nothing": set(),
    }
    verdicts = _plain_verdicts(WAYS[way], ground, server)
    assert accepted[way] == {host for host, each in verdicts.items() if each.accepted}


@pytest.mark.parametrize("trust_cache", [True, False])
@pytest.mark.parametrize("way", ["cafile", "cadata DER", "several", "CRL", "default file"])
def test_loads_wait(
    way: str, trust_cache: bool, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """The table above is about loads that are not done, unless ``trust_cache`` is off."""
    activate(trust_cache=trust_cache)
    context = _new()
    _take(WAYS[way], ground, context)
    assert attempt(context, server.port, GOOD).accepted
    assert trust_cache != holds_authorities(context)


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("way", WAYS)
def test_steps_between_connections(
    way: str, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """A step that comes after a connection counts for the next as it does without us."""

    def judge_after_each(ground: Ground) -> list[list[Verdict]]:
        context = _new()
        verdicts = [[attempt(context, server.port, host) for host in (GOOD, FOREIGN)]]
        for step in WAYS[way]:
            step(ground, context)
            verdicts.append([attempt(context, server.port, host) for host in (GOOD, FOREIGN)])
        return verdicts

    plain = judge_after_each(_plain_ground(ground))
    activate()
    assert plain == judge_after_each(ground)


@pytest.mark.parametrize("way", ["cafile", "CRL", "replaced", "damaged in the middle"])
def test_after_deactivation_the_context_is_plain(
    way: str, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """The same context, once we are gone, gives the same verdicts and presents nothing."""
    context = _create_after(WAYS[way], ground, activate)
    hooked = _judge_all(context, server)
    mxcert_runtime.deactivate()
    plain = _judge_all(context, server)
    assert hooked == plain
    assert {None} == {each.fingerprint for each in plain.values()}


def _capath_removed(ground: Ground, server: TlsServer) -> list[bool]:
    directory = ground.directory(ground.realm.authority)
    contexts = [_new() for _ in range(2)]
    for context in contexts:
        context.load_verify_locations(capath=directory)
    used = attempt(contexts[0], server.port, GOOD)
    ground.directory()  # the authority is withdrawn
    contexts.append(_new())
    contexts[2].load_verify_locations(capath=directory)
    later = [attempt(context, server.port, GOOD) for context in contexts]
    return [each.accepted for each in (used, *later)]


def test_authority_withdrawn_from_a_directory(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """What one context found in a directory does not count for another that looks later."""
    plain = _capath_removed(_plain_ground(ground), server)
    assert [True, True, False, False] == plain
    activate()
    assert plain == _capath_removed(ground, server)


def _default_paths_of_two(ground: Ground, server: TlsServer) -> list[bool]:
    empty = ground.directory(name="empty")
    trusted = ground.directory(ground.realm.authority, name="trusted")
    foreign = ground.directory(ground.realm.foreign, name="foreign")
    verdicts = []
    for directory in (trusted, foreign):
        ground.default_paths(directory=f"{directory}:{empty}")
        context = _new()
        context.load_default_certs()
        verdicts += [attempt(context, server.port, host) for host in (GOOD, FOREIGN)]
    return [each.accepted for each in verdicts]


def test_default_directories_of_two_contexts(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """SSL_CERT_DIR may list directories; another list is another trust."""
    plain = _default_paths_of_two(_plain_ground(ground), server)
    assert [True, False, False, True] == plain
    activate()
    assert plain == _default_paths_of_two(ground, server)


def _same_size(ground: Ground) -> tuple[bytes, bytes]:
    one, other = ground.realm.authority.pem, ground.realm.foreign.pem
    size = max(len(one), len(other))
    return one.ljust(size, b"\n"), other.ljust(size, b"\n")


def test_file_rewritten_with_its_times_kept(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """A file rewritten in place, of the same size and time, is told apart all the same."""
    trusted, foreign = _same_size(ground)
    path = ground.file(trusted)
    activate()
    context = _new()
    context.load_verify_locations(path)
    before = path.stat()
    path.write_bytes(foreign)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert attempt(context, server.port, GOOD).accepted
    assert not attempt(context, server.port, FOREIGN).accepted


def test_file_rewritten_at_once(ground: Ground, server: TlsServer, activate: Activation) -> None:
    """A file rewritten within a tick of the file system's clock is told apart all the same."""
    trusted, foreign = _same_size(ground)
    activate()
    verdicts = set()
    for number in range(20):
        path = ground.file(trusted, f"{number}.pem")
        context = _new()
        context.load_verify_locations(path)
        path.write_bytes(foreign)
        verdicts.add(
            (
                attempt(context, server.port, GOOD).accepted,
                attempt(context, server.port, FOREIGN).accepted,
            )
        )
    assert {(True, False)} == verdicts


def _created_default(ground: Ground) -> ssl.SSLContext:
    ground.default_paths(ground.file(ground.realm.foreign.pem))
    return ssl.create_default_context()


def _created_with_cafile(ground: Ground) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ground.file(ground.realm.foreign.pem)))


def _created_with_cadata(ground: Ground) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ground.realm.foreign.der)


def _loaded_default(ground: Ground) -> ssl.SSLContext:
    ground.default_paths(ground.file(ground.realm.foreign.pem))
    context = _new()
    context.load_default_certs()
    return context


def _loaded_explicitly(ground: Ground) -> ssl.SSLContext:
    context = _new()
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
        context = _new()
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
    verdicts = _judge_all(context, server)
    assert not verdicts[FOREIGN].accepted
    assert ("SSLCertVerificationError", 20) == (
        verdicts[FOREIGN].error,
        verdicts[FOREIGN].verify_code,
    )
    assert verdicts[GOOD].accepted
    assert not verdicts["wrong.test"].accepted
    assert not verdicts["expired.test"].accepted
    _assert_presented(verdicts, beta if own_certificate else alpha)


def test_authorities_of_a_rule_count_for_its_hosts_only(
    ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """A host without the rule is verified by what the caller trusts."""
    activate(GOOD, authorities=(ground.realm.authority,))
    context = _new()
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
    context = _new()
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
