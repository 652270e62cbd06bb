"""An identity context never trusts less or more than the context of the caller."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import mxcert_runtime
from tests.contexts.ground import FOREIGN, GOOD, HOSTS, REVOKED, RSA, Activation, Ground
from tests.contexts.trust_modes import (
    MODES,
    assert_presented,
    create_after,
    judge_all,
    new_context,
    plain_ground,
    take_steps,
)
from tests.contexts.verdicts import Verdict, attempt
from tests.contexts.warming import holds_authorities
from tests.contexts.ways import WAYS, Step
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


def _plain_verdicts(steps: Sequence[Step], ground: Ground, server: TlsServer) -> dict[str, Verdict]:
    context = new_context()
    take_steps(steps, plain_ground(ground), context)
    return judge_all(context, server)


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
    hooked = judge_all(MODES[mode](WAYS[way], ground, activate), server)
    assert plain == hooked
    assert_presented(hooked, alpha)


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
    context = new_context()
    take_steps(WAYS[way], ground, context)
    assert attempt(context, server.port, GOOD).accepted
    assert trust_cache != holds_authorities(context)


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("way", WAYS)
def test_steps_between_connections(
    way: str, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """A step that comes after a connection counts for the next as it does without us."""

    def judge_after_each(ground: Ground) -> list[list[Verdict]]:
        context = new_context()
        verdicts = [[attempt(context, server.port, host) for host in (GOOD, FOREIGN)]]
        for step in WAYS[way]:
            step(ground, context)
            verdicts.append([attempt(context, server.port, host) for host in (GOOD, FOREIGN)])
        return verdicts

    plain = judge_after_each(plain_ground(ground))
    activate()
    assert plain == judge_after_each(ground)


@pytest.mark.parametrize("way", ["cafile", "CRL", "replaced", "damaged in the middle"])
def test_after_deactivation_the_context_is_plain(
    way: str, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """The same context, once we are gone, gives the same verdicts and presents nothing."""
    context = create_after(WAYS[way], ground, activate)
    hooked = judge_all(context, server)
    mxcert_runtime.deactivate()
    plain = judge_all(context, server)
    assert hooked == plain
    assert {None} == {each.fingerprint for each in plain.values()}
