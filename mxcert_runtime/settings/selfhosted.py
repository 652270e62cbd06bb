"""The self-hosted YAML file: a mapping ``mxruntime:`` with the ClientCertificates family.

Everything else in it, and in that mapping, is for others.
"""

from __future__ import annotations

from ..base.faults import Origin
from . import names
from .draft import Draft, Findings, Given
from .family import Candidate, add_family, warn_of_near_misses
from .values import Record, kind_of


def add_selfhosted(content: Record, path: str, folder: str, draft: Draft) -> None:
    """Add what the family in ``mxruntime:`` gives."""
    origin = Origin(path, "mxruntime")
    runtime = content["mxruntime"]
    if runtime is None:
        runtime = Record()
    if not isinstance(runtime, Record):
        problem = f"is {kind_of(runtime)}, not a table"
        draft.identity_findings.fault(origin, problem, "Write names and values")
        return
    mapping = runtime
    for name in set(mapping.repeated) & {*names.FAMILY, names.OLDER_USAGES}:
        draft.identity_findings.fault(origin, f"holds `{name}` twice", "Keep one of the two")
    others = Record((key, each) for key, each in mapping.items() if key != names.OLDER_USAGES)
    warn_of_near_misses(others, origin, draft.identity_findings)

    def candidates(name: str, findings: Findings) -> list[Candidate]:
        spellings = [name, names.OLDER_USAGES] if name == names.USAGES else [name]
        return [
            Given(mapping[one], Origin(path, f"mxruntime.{one}"))
            for one in spellings
            if mapping.get(one) is not None
        ]

    add_family(candidates, folder, draft)
