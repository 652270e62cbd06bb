"""Numbers about this process as plain data, for whatever monitoring a program has.

Loads nothing of what only a program with settings needs, so that it can be asked in any.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone

from . import counters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..decisions.generation import Generation
    from ..identity.identity import Identity

_SECONDS_PER_DAY = 24 * 3600


def metrics() -> dict[str, Any]:
    """What was counted in this process, and how long its identities last; only JSON's types.

    ::

        {
            "active": True,              # whether settings are in force
            "connections": [             # that were begun while they were, client side only
                {"identity": "billing", "rule": "api.billing.example", "count": 12},
            ],
            "refusals": [                # handshakes that failed over a certificate, by alert
                {"reason": "certificate_required", "count": 1},
            ],
            "reloads": [                 # by what they came to; all three are always there
                {"outcome": "applied", "count": 2},
                {"outcome": "unchanged", "count": 40},
                {"outcome": "failed", "count": 0},
            ],
            "identities": [              # that are loaded, in their order
                {
                    "identity": "billing",
                    "days_left": 29.31,
                    "not_after": "2026-12-31T23:59:59+00:00",
                },
            ],
        }

    The ``identity`` of a connection is ``None`` where it has none of ours, ``rule`` where the
    default decided. ``days_left`` is negative once an identity has expired. Counts begin at zero
    with the process, which for a forked one is its fork; they go on over reloads, activation and
    deactivation.
    """
    generation = _current_generation()
    identities = generation.identities if generation else ()
    return {
        "active": generation is not None,
        "connections": [
            {"identity": identity, "rule": rule, "count": count}
            for (identity, rule), count in counters.connections()
        ],
        "refusals": [
            {"reason": reason, "count": count} for reason, count in counters.refusals().items()
        ],
        "reloads": [
            {"outcome": outcome, "count": count} for outcome, count in counters.reloads().items()
        ],
        "identities": [_measure(identity) for identity in identities],
    }


def _current_generation() -> Generation | None:
    # Where nobody has loaded that, nothing is in force, and to import it is not cheap.
    in_force: Any = sys.modules.get("mxcert_runtime.decisions.in_force")
    generation: Generation | None = in_force and in_force.current
    return generation


def _measure(identity: Identity) -> dict[str, Any]:
    left = identity.not_after - datetime.now(timezone.utc)
    return {
        "identity": identity.name,
        "days_left": round(left.total_seconds() / _SECONDS_PER_DAY, 2),
        "not_after": identity.not_after.isoformat(),
    }
