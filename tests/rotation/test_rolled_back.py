"""Settings that come and go again while a connection is opened: it is not kept for others."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.decisions import in_force
from tests.pools import clients
from tests.pools.clients import Client, name_of
from tests.rotation.renewal import Renewal

_DECIDES = "mxcert_runtime.hooks.stdlib.connections"


@pytest.mark.parametrize("client", clients.UNBOUND, ids=name_of)
def test_rolled_back(client: Client, renewal: Renewal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was opened under a renewal which was rolled back is not used again."""
    renewal.activate(watch="off")
    good, passing = renewal.leaf, renewal.fresh()
    up_to_date, waiting = in_force.up_to_date, [passing]

    def up_to_date_or_passing() -> Any:
        if not waiting or sys._getframe(1).f_globals["__name__"] != _DECIDES:
            return up_to_date()
        renewal.write(waiting.pop())
        mxcert_runtime.reload()
        decided = in_force.current
        renewal.write(good)
        mxcert_runtime.reload()
        return decided

    monkeypatch.setattr(in_force, "up_to_date", up_to_date_or_passing)
    with client(renewal.scene.ca_file, None) as get:
        assert passing.fingerprint == get(renewal.scene.url())["fingerprint"]
        assert good.fingerprint == get(renewal.scene.url())["fingerprint"]
