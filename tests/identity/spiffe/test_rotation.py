"""No request fails while SVIDs are renewed and the agent is killed; each one is taken up."""

from __future__ import annotations

from .rotation import CLIENTS, rotate


def test_no_request_fails() -> None:
    """Every client shows every certificate, never an older one again, and none fails."""
    # Not of the few seconds that the tool gives an SVID: on a busy machine it would end meanwhile.
    outcome = rotate(rotations=6, kills=2, lifetime=3600.0)
    assert [] == outcome.failures
    assert [] == outcome.backwards()
    assert {name: set(outcome.issued) for name in CLIENTS} == {
        name: set(seen) for name, seen in outcome.seen.items()
    }
