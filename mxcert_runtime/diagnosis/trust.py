"""What verified a server, in words, for whoever is told that it was refused."""

from __future__ import annotations

from ..contexts.record import ContextRecord
from ..contexts.trust import DefaultPathsLoad, DirectoryLoad, FileLoad, Load
from ..decisions.policy import Decision
from ..identity.authorities import Authorities


def describe_trust(
    decision: Decision, extra: Authorities | None, record: ContextRecord | None
) -> str:
    """Which authorities counted for a connection, and why the ``extra`` ones did, or did not.

    ``record`` is that of the program's context; pyOpenSSL's have none.
    """
    if decision.authorities is not None:
        return f"the pinned CAs of the rule: {', '.join(decision.authorities.sources)}"
    loaded = _describe_loads(record)
    if extra is None or record is None:
        return loaded
    sources = ", ".join(extra.sources)
    if not record.complete:
        return f"{loaded}. The extra authorities ({sources}) do not count for it"
    if record.default_trust or record.trust.is_default:
        return f"{loaded}, and the extra authorities ({sources})"
    return f"{loaded}. The extra authorities ({sources}) count with default trust only"


def _describe_loads(record: ContextRecord | None) -> str:
    if record is None or not record.complete:
        return "what the program's SSL context holds, which nobody can tell"
    loads = ", ".join(map(_describe, record.trust.loads))
    return f"what the program loaded: {loads or 'nothing'}"


def _describe(load: Load) -> str:
    if isinstance(load, FileLoad):
        return load.path
    if isinstance(load, DirectoryLoad):
        return f"the directory {load.paths}"
    if isinstance(load, DefaultPathsLoad):
        return "the platform's default paths"
    return "certificates given as data"
