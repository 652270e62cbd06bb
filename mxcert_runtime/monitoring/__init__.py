"""What was counted, what is logged, and what is due.

Nothing here decides, and nothing runs by itself.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import housekeeping, reloads
    from .counters import Tally, connection_tally, count_failure, count_refusal
    from .housekeeping import look_if_due
    from .instruments import IDENTITY_INFO, INSTRUMENTS, Instrument, Number
    from .log_guard import guard_log, is_in_log_handler, unguard_log
    from .log_output import direct_log
    from .reloads import note_reload

__all__ = (
    "IDENTITY_INFO", "INSTRUMENTS", "Instrument", "Number", "Tally", "connection_tally",
    "count_failure", "count_refusal", "direct_log", "guard_log", "housekeeping",
    "is_in_log_handler", "look_if_due", "note_reload", "reloads", "unguard_log",
)  # fmt: skip

#: which file has which names; it is loaded once one of them is asked for
_FILES = {
    "counters": "Tally connection_tally count_failure count_refusal",
    "housekeeping": "look_if_due",
    "instruments": "IDENTITY_INFO INSTRUMENTS Instrument Number",
    "log_guard": "guard_log is_in_log_handler unguard_log",
    "log_output": "direct_log",
    "reloads": "note_reload",
}  # fmt: skip


if not TYPE_CHECKING:
    from ..base import names_of_files

    __getattr__ = names_of_files(__name__, _FILES)
