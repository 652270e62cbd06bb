"""The last reload of the settings: when it was, what it came to, and what was wrong with it.

A reload that fails leaves what is in force, so nothing else in the process shows it.
"""

from __future__ import annotations

import time

from ..base import dataclass
from .counters import count_reload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..base import Fault


@dataclass(frozen=True)
class Reload:
    """One attempt; ``moment`` is in seconds since 1970, ``outcome`` one of RELOAD_OUTCOMES."""

    outcome: str
    moment: float
    faults: tuple[Fault, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether what is in force is what the settings say now."""
        return not self.faults and self.outcome != "failed"


#: ``None`` where there was none yet
last: Reload | None = None


def note_reload(outcome: str, faults: Iterable[Fault] = ()) -> None:
    """Count an attempt, one of :data:`~.counters.RELOAD_OUTCOMES`, and remember it as the last."""
    global last
    count_reload(outcome)
    last = Reload(outcome, time.time(), tuple(faults))


def forget() -> None:
    """Forget the last one, as a deactivation does: it says nothing of what is put in force next."""
    global last
    last = None
