"""The self-hosted YAML file: a mapping ``mxruntime:`` with the ClientCertificates family.

Everything else in it, and in that mapping, is for others.
"""

from __future__ import annotations

from ..base import Origin, OriginKind
from . import names
from .draft import Draft, Given, Place
from .family import Candidate, family_draft, warn_of_near_misses
from .values import Record, kind_of

_RUNTIME = names.SELF_HOSTED


def read(document: Record, place: Place) -> Draft:
    """What the family in ``mxruntime:`` gives."""
    early = Draft()
    at = place.at(_RUNTIME).telling(early.identity_findings)
    runtime = document[_RUNTIME]
    if runtime is None:
        runtime = Record()
    if not isinstance(runtime, Record):
        at.fault(f"is {kind_of(runtime)}, not a table", "Write names and values")
        return early
    mapping = runtime
    for name in filter((*names.FAMILY, names.OLDER_USAGES).__contains__, mapping.repeated):
        at.fault(f"holds `{name}` twice", "Keep one of the two")
    others = Record((key, each) for key, each in mapping.items() if key != names.OLDER_USAGES)
    warn_of_near_misses(others, at)

    def candidates(name: str, told: Place) -> list[Candidate]:
        spellings = [name, names.OLDER_USAGES] if name == names.USAGES else [name]
        return [
            Given(mapping[one], told.elsewhere(_origin(place, one)))
            for one in spellings
            if mapping.get(one) is not None
        ]

    early.add(family_draft(candidates, place))
    return early


def _origin(place: Place, name: str) -> Origin:
    return place.origin.at(f"{_RUNTIME}.{name}").of_kind(OriginKind.FAMILY)
