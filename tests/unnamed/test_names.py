"""The name that was dialled decides where the client names none; where nobody knows it, nothing."""

from __future__ import annotations

import socket

import pytest

from .conftest import ADDRESS, HOST, Ground
from .dialling import CERTAIN, WITH_ADDRESS, Way, in_memory

certain = pytest.mark.parametrize("way", CERTAIN, ids=lambda way: way.__name__)
with_address = pytest.mark.parametrize("way", WITH_ADDRESS, ids=lambda way: way.__name__)
uncertain = pytest.mark.parametrize("way", [*WITH_ADDRESS, in_memory], ids=lambda w: w.__name__)


def _seen(ground: Ground, way: Way) -> str | None:
    seen = way(HOST, ground.port, ground.context())
    # What the client says that the server saw is what the server saw.
    assert seen == ground.server.seen.wait_for(1)[-1].fingerprint
    return seen


@certain
class TestKnown:
    def test_none(self, way: Way, ground: Ground) -> None:
        """A rule *none* for the name that was dialled keeps the default from it."""
        ground.activate(never=(HOST,))
        assert _seen(ground, way) is None
        assert [] == ground.warnings

    def test_identity(self, way: Way, ground: Ground) -> None:
        """A rule for the name that was dialled gives its identity."""
        ground.activate(HOST, unlisted_hosts="none")
        assert ground.alpha.fingerprint == _seen(ground, way)

    def test_unlisted(self, way: Way, ground: Ground) -> None:
        """A name without a rule is a host without a rule, whatever other names have."""
        ground.activate(never=("none.test", ADDRESS))
        assert ground.alpha.fingerprint == _seen(ground, way)

    def test_port(self, way: Way, ground: Ground) -> None:
        """The port is the one that was dialled."""
        ground.activate(never=(f"{HOST}:{ground.port}",))
        assert _seen(ground, way) is None


@uncertain
class TestUnknown:
    @pytest.mark.parametrize("rule", [HOST, "*.test", "other.test:443"])
    def test_default_is_withheld(self, way: Way, rule: str, ground: Ground) -> None:
        """As soon as some name has a rule, and one warning for each peer says what to set."""
        ground.activate(never=(rule,))
        context = ground.context()
        assert [None] * 2 == [way(HOST, ground.port, context) for _ in range(2)]
        (warning,) = ground.warnings
        assert "`server_hostname`" in warning
        assert 'unnamed_hosts = "offer"' in warning

    def test_restricted_identity(self, way: Way, ground: Ground) -> None:
        """An identity that keeps to its rules goes to no unknown name, whatever is set."""
        ground.activate(HOST, unlisted_hosts="none", unnamed_hosts="offer")
        assert _seen(ground, way) is None

    def test_offered(self, way: Way, ground: Ground) -> None:
        """``unnamed_hosts = "offer"`` gives what a host without a rule gets."""
        ground.activate(never=(HOST,), unnamed_hosts="offer")
        assert ground.alpha.fingerprint == _seen(ground, way)
        assert [] == ground.warnings

    def test_no_names(self, way: Way, ground: Ground) -> None:
        """Where no name has a rule, none is missed."""
        ground.activate()
        assert ground.alpha.fingerprint == _seen(ground, way)


@with_address
def test_rule_for_the_address(way: Way, ground: Ground) -> None:
    """A rule for the address that was dialled counts."""
    ground.activate(ADDRESS, never=(HOST,))
    assert ground.alpha.fingerprint == _seen(ground, way)
    ground.activate(HOST, never=(ADDRESS,), unnamed_hosts="offer")
    assert way(HOST, ground.port, ground.context()) is None


@with_address
def test_service(way: Way, ground: Ground) -> None:
    """The rule of the active service is no matter of names."""
    import mxcert_runtime

    identity = {**ground.files.identity("alpha", ground.alpha), "services": ["Orders.Open"]}
    mxcert_runtime.activate(
        settings={
            "identity": [identity],
            "no_certificate": {"hosts": [HOST], "services": ["Orders.Shut"]},
            "unnamed_hosts": "offer",
        }
    )
    with mxcert_runtime.service("Orders.Open"):
        assert ground.alpha.fingerprint == way(HOST, ground.port, ground.context())
    with mxcert_runtime.service("Orders.Shut"):
        assert way(HOST, ground.port, ground.context()) is None


def test_rule_for_the_address_in_memory(ground: Ground) -> None:
    """Where the address is not known either, a rule for it keeps the default back too."""
    ground.activate(never=(ADDRESS,))
    assert in_memory(HOST, ground.port, ground.context()) is None


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "not named"])
@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "::ffff:127.0.0.1"])
def test_address_in_another_form(host: str, is_named: bool, ground: Ground) -> None:
    """A rule *none* for an address is for whatever leads to that address."""
    ground.activate(never=(ADDRESS,))
    with socket.create_connection((host, ground.port), 60) as plain:
        name = host if is_named else None
        with ground.context().wrap_socket(plain, server_hostname=name) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.recv(100)
    assert ground.server.seen.wait_for(1)[-1].fingerprint is None
