"""Numbers about this process as plain data, for whatever monitoring a program has.

Loads nothing of what only a program with settings needs, so that it can be asked in any.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone

from ..base import loaded_module
from . import counters, reloads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..decisions import Generation
    from ..identity import Identity
    from .files_now import FilesNow

_SECONDS_PER_DAY = 24 * 3600


def metrics() -> dict[str, Any]:
    """What was counted in this process, and how long its certificates last; only JSON's types.

    ::

        {
            "active": True,  # whether settings are in force
            "generation": 3,  # how many this process, or its parent, put in force
            "loaded_at": "2026-11-26T07:00:00+00:00",  # when the one in force was; or None
            # client side only, begun while settings were in force; None is: no identity of ours
            "connections": [{"identity": "billing", "rule": "api.billing.example", "count": 12}],
            "refusals": [{"reason": "certificate_required", "count": 1}],  # over a certificate
            "failures": [{"kind": "connection-closed", "count": 1}],  # over whatever
            # applied, unchanged, failed: all three are always there
            "reloads": [{"outcome": "applied", "count": 2}],
            "last_reload": {"outcome": "applied", "at": "2026-11-26T07:00:00+00:00", "faults": []},
            "identities": [  # that are loaded, in their order
                {
                    "identity": "billing",
                    "days_left": 29.31,
                    "seconds_left": 2532384,
                    "not_after": "2026-12-31T23:59:59+00:00",
                    "fingerprint": "9f86d0...",  # SHA-256 of the leaf in memory
                    "file_fingerprint": "9f86d0...",  # and of what the files hold now, or None
                    "file_problem": None,  # why the files cannot be used now
                },
            ],
            "certificates": [  # leaves, their chains, and the CAs of the settings
                {
                    "identity": "billing",  # None for CAs that are no identity's own
                    "kind": "leaf",  # or chain, or ca
                    "subject": "CN=billing",
                    "fingerprint": "9f86d0...",
                    "not_before": "2025-12-31T00:00:00+00:00",
                    "seconds_left": 2532384,
                    "not_after": "2026-12-31T23:59:59+00:00",
                },
            ],
        }

    ``rule`` is ``None`` where the default decided; seconds are negative once a certificate has
    expired. docs/monitoring.md has the kinds of failures. Counts begin at zero with the process,
    a forked one's too, and go on over reloads, activation and deactivation.
    """
    generation = _current_generation()
    return {name: read(generation) for name, read in _GROUPS.items()}


def measure(group: str) -> Any:
    """One value of :func:`metrics` alone, which costs less than all of them."""
    return _GROUPS[group](_current_generation())


def _in_force() -> Any:
    # Where nobody has loaded that, nothing is in force, and to import it is not cheap.
    return loaded_module("mxcert_runtime.decisions.in_force")


def _current_generation() -> Generation | None:
    in_force = _in_force()
    # In a program that is idle, what would be presented is what its next connection takes up.
    generation: Generation | None = in_force and in_force.up_to_date()
    return generation


def _activity(generation: Generation | None) -> bool:
    return generation is not None


def _generation_number(_: Generation | None) -> int:
    in_force = _in_force()
    return in_force.number if in_force else 0


def _loaded_at(_: Generation | None) -> str | None:
    in_force = _in_force()
    return _iso(in_force.loaded_at) if in_force else None


def _connections(_: Generation | None) -> list[dict[str, Any]]:
    return [
        {"identity": identity, "rule": rule, "count": count}
        for (identity, rule), count in counters.connections()
    ]


def _refusals(_: Generation | None) -> list[dict[str, Any]]:
    return _counted("reason", counters.refusals())


def _failures(_: Generation | None) -> list[dict[str, Any]]:
    return _counted("kind", counters.failures())


def _reloads(_: Generation | None) -> list[dict[str, Any]]:
    return _counted("outcome", counters.reloads())


def _counted(name: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{name: key, "count": count} for key, count in counts.items()]


def _last_reload(_: Generation | None) -> dict[str, Any] | None:
    last = reloads.last
    if last is None:
        return None
    faults = [
        {"origin": each.origin, "problem": each.problem, "remedy": each.remedy}
        for each in last.faults
    ]
    return {"outcome": last.outcome, "at": _iso(last.moment), "faults": faults}


def _identities(generation: Generation | None) -> list[dict[str, Any]]:
    if generation is None:
        return []
    # Heavy, and there for certain now.
    from .files_now import files_now

    now = datetime.now(timezone.utc)
    return [_measure(each, files_now(generation, each), now) for each in generation.identities]


def _measure(identity: Identity, files: FilesNow | None, now: datetime) -> dict[str, Any]:
    return {
        "identity": identity.name,
        "days_left": round((identity.not_after - now).total_seconds() / _SECONDS_PER_DAY, 2),
        **_left(identity.not_after, now),
        "fingerprint": identity.fingerprint,
        "file_fingerprint": files.fingerprint_of(identity) if files else None,
        "file_problem": files.problem if files else None,
    }


def _certificates(generation: Generation | None) -> list[dict[str, Any]]:
    if generation is None:
        return []
    from .expiry import expiring_certificates

    now = datetime.now(timezone.utc)
    return [
        {
            "identity": each.identity,
            "kind": each.kind,
            "subject": each.subject,
            "fingerprint": each.fingerprint,
            "not_before": each.not_before.isoformat(),
            **_left(each.not_after, now),
        }
        for each in expiring_certificates(generation)
    ]


def _left(not_after: datetime, now: datetime) -> dict[str, Any]:
    seconds = math.floor((not_after - now).total_seconds())
    return {"seconds_left": seconds, "not_after": not_after.isoformat()}


def _iso(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="seconds")


_GROUPS: dict[str, Callable[[Generation | None], Any]] = {
    "active": _activity,
    "generation": _generation_number,
    "loaded_at": _loaded_at,
    "connections": _connections,
    "refusals": _refusals,
    "failures": _failures,
    "reloads": _reloads,
    "last_reload": _last_reload,
    "identities": _identities,
    "certificates": _certificates,
}
