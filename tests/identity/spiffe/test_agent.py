"""What an agent gives is held, and follows its stream: through renewals, losses and forks."""

from __future__ import annotations

import gc
import itertools
import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from mxcert_runtime.errors import IdentityError, IdentityProblem
from mxcert_runtime.identity.spiffe.agent import Agent, agent_at
from mxcert_runtime.identity.spiffe.stream import pauses
from tests.support.listener import TIMEOUT
from tests.support.pki import Leaf
from tests.support.spiffe import AgentProcess, TrustDomain

#: seconds that an agent is waited for where it does run
PATIENCE = 20.0


def held_by(agent: Agent, patience: float = PATIENCE) -> str:
    """The fingerprint of the default SVID."""
    pem = agent.read(patience).svids[0].certificates
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()


class Changes:
    """The calls of an agent that is watched, to be waited for one by one."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()

    def __call__(self) -> None:
        self._queue.put(None)

    def wait(self) -> None:
        """For the next one."""
        self._queue.get(timeout=TIMEOUT)

    @property
    def left(self) -> int:
        """How many were not waited for."""
        return self._queue.qsize()


@contextmanager
def watching(agent: Agent) -> Iterator[Changes]:
    """The changes of an agent, until the end."""
    changes = Changes()
    stop = agent.watch(changes)
    try:
        yield changes
    finally:
        stop()


def renew(process: AgentProcess, domain: TrustDomain) -> Leaf:
    """A new SVID, sent to whoever streams."""
    leaf = domain.issue("web")
    process.send(domain.svid("web", leaf))
    return leaf


def threads() -> list[str]:
    """Our threads that do not end by themselves."""
    ours = [each for each in threading.enumerate() if each.name.startswith("mxcert")]
    for each in ours:
        each.join(TIMEOUT)
    return [each.name for each in ours if each.is_alive()]


def test_it_is_asked_where_nobody_watches(agent: AgentProcess, domain: TrustDomain) -> None:
    """Each read is of its moment, and leaves neither thread nor stream behind."""
    api = agent_at(agent.url)
    for _ in range(2):
        leaf = renew(agent, domain)
        assert leaf.fingerprint == held_by(api)
        agent.wait_for("stream closed")
    assert [] == threads()


def test_renewals_are_pushed(agent: AgentProcess, domain: TrustDomain) -> None:
    """Each renewal calls back once, and is what is read then, without a question."""
    leaf = renew(agent, domain)
    api = agent_at(agent.url)
    assert leaf.fingerprint == held_by(api)
    agent.wait_for("stream closed")
    with watching(api) as changes:
        agent.wait_for("stream opened")
        for _ in range(5):
            leaf = renew(agent, domain)
            changes.wait()
            assert leaf.fingerprint == held_by(api)
        # The same once more is no change.
        agent.send(domain.svid("web", leaf))
        newest = renew(agent, domain)
        changes.wait()
        assert (newest.fingerprint, 0) == (held_by(api), changes.left)


def test_two_watchers_share_a_stream(agent: AgentProcess, domain: TrustDomain) -> None:
    """The second opens none, and the stream ends with the last of them."""
    api = agent_at(agent.url)
    with watching(api) as first:
        agent.wait_for("stream opened")
        with watching(agent_at(agent.url)) as second:
            renew(agent, domain)
            first.wait()
            second.wait()
        renew(agent, domain)
        first.wait()
        assert 0 == second.left
    assert "stream closed" == agent.next_event()


@pytest.mark.parametrize("way", ["kill", "end"])
def test_an_agent_that_goes_and_comes_back(
    way: str, agent: AgentProcess, domain: TrustDomain, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed or ended in order: what it gave stays, and what it gives next is taken up."""
    caplog.set_level(logging.INFO, "mxcert_runtime")
    leaf = renew(agent, domain)
    api = agent_at(agent.url)
    with watching(api) as changes:
        changes.wait()
        for _ in range(2):
            getattr(agent, way)()
            assert leaf.fingerprint == held_by(api)
            agent.start()
            leaf = renew(agent, domain)
            while held_by(api) != leaf.fingerprint:
                changes.wait()
    levels = [record.levelname for record in caplog.records]
    assert ["WARNING", "INFO"] * 2 == levels
    assert "its last SVIDs stay" in caplog.messages[0]


def test_an_update_that_cannot_be_read(
    agent: AgentProcess, domain: TrustDomain, caplog: pytest.LogCaptureFixture
) -> None:
    """What is held stays, the log says so without a secret, and the next good one is taken up."""
    leaf = renew(agent, domain)
    api = agent_at(agent.url)
    with watching(api) as changes:
        changes.wait()
        broken = domain.svid("web", domain.issue("web"))
        agent.send({**broken, "key": broken["key"][:40]})
        agent.wait_for("stream closed")
        assert leaf.fingerprint == held_by(api)
        leaf = renew(agent, domain)
        changes.wait()
        assert leaf.fingerprint == held_by(api)
    assert "is lost" in caplog.text
    assert broken["key"][:40] not in caplog.text


def test_a_workload_that_is_registered_late(agent: AgentProcess, domain: TrustDomain) -> None:
    """An agent that knows it not yet is asked again, as at the start of a pod."""
    agent.send()
    api = agent_at(agent.url)
    found: queue.SimpleQueue[str] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: found.put(held_by(api)))
    thread.start()
    agent.wait_for("stream opened")
    leaf = renew(agent, domain)
    assert leaf.fingerprint == found.get(timeout=TIMEOUT)
    thread.join(TIMEOUT)


def test_no_identity_is_an_error_with_a_remedy(agent: AgentProcess) -> None:
    """Patience ends, and the error names the agent and what it said."""
    agent.send()
    with pytest.raises(IdentityError) as caught:
        agent_at(agent.url).read(0.0)
    assert IdentityProblem.UNREADABLE is caught.value.problem
    assert agent.url in caught.value.message
    assert "PERMISSION_DENIED" in caught.value.message
    assert "register this workload" in caught.value.remedy


def test_no_agent_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """No socket, and a socket that nobody serves any more."""
    with pytest.raises(IdentityError, match="does not exist"):
        agent_at(f"unix://{tmp_path}/none.sock").read(0.0)
    process = AgentProcess(tmp_path)
    process.start()
    process.kill()
    with pytest.raises(IdentityError, match="failed to connect"):
        agent_at(process.url).read(0.0)


def test_a_watched_agent_may_come_later(tmp_path: Path, domain: TrustDomain) -> None:
    """The stream begins when the agent does."""
    process = AgentProcess(tmp_path)
    with watching(agent_at(process.url)) as changes:
        process.start()
        leaf = renew(process, domain)
        changes.wait()
        assert leaf.fingerprint == held_by(agent_at(process.url))
    process.close()


def test_stopping_ends_everything(agent: AgentProcess, domain: TrustDomain) -> None:
    """No thread, no stream, no call any more; to stop twice is to stop."""
    renew(agent, domain)
    changes = Changes()
    api = agent_at(agent.url)
    stop = api.watch(changes)
    changes.wait()
    stop()
    stop()
    agent.wait_for("stream closed")
    renew(agent, domain)
    assert 0 == changes.left
    del api, stop
    gc.collect()
    assert [] == threads()


def test_an_agent_is_one_object(tmp_path: Path) -> None:
    """As long as somebody has it; nothing keeps it beyond that."""
    address = f"unix://{tmp_path}/agent.sock"
    first = agent_at(address)
    assert first is agent_at(address)
    number = id(first)
    del first
    gc.collect()
    assert [] == [each for each in gc.get_objects() if type(each) is Agent and id(each) == number]


def test_pauses_grow_and_differ() -> None:
    """From a tenth of a second to five, each a random part: no two workloads keep in step."""
    first, second = (list(itertools.islice(pauses(), 12)) for _ in range(2))
    longest = [min(0.1 * 2**number, 5.0) for number in range(12)]
    for drawn in (first, second):
        assert all(most / 2 <= each <= most for each, most in zip(drawn, longest))
    assert first != second
