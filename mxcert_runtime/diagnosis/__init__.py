"""What is wrong with a connection or with settings, in words with a remedy.

It changes nothing; whoever asks tells it to the user.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import explaining, report
    from .alert_table import Alert, AlertKind, alert_numbered
    from .alerts import alert_of
    from .checks.certificates import Expectation, check_identity, is_chain_complete, trust_anchor_of
    from .checks.diagnostic import Diagnostic, DiagnosticCode
    from .checks.files import check_files
    from .checks.inheritance import check_inheritance
    from .checks.rules import check_offer, check_rules, check_service_prefixes
    from .checks.services import check_services
    from .error_notes import repeat_note, report_own_fault, show_cause, sum_up
    from .explaining import explain, is_closed, look
    from .fitting import which_would_fit

__all__ = (
    "Alert", "AlertKind", "Diagnostic", "DiagnosticCode", "Expectation", "alert_numbered",
    "alert_of", "check_files", "check_identity", "check_inheritance", "check_offer", "check_rules",
    "check_service_prefixes", "check_services", "explain", "explaining", "is_chain_complete",
    "is_closed", "look", "repeat_note", "report", "report_own_fault", "show_cause", "sum_up",
    "trust_anchor_of", "which_would_fit",
)  # fmt: skip

#: which file has which names; it is loaded once one of them is asked for
_FILES = {
    "alert_table": "Alert AlertKind alert_numbered",
    "alerts": "alert_of",
    "checks.certificates": "Expectation check_identity is_chain_complete trust_anchor_of",
    "checks.diagnostic": "Diagnostic DiagnosticCode",
    "checks.files": "check_files",
    "checks.inheritance": "check_inheritance",
    "checks.rules": "check_offer check_rules check_service_prefixes",
    "checks.services": "check_services",
    "error_notes": "repeat_note report_own_fault show_cause sum_up",
    "explaining": "explain is_closed look",
    "fitting": "which_would_fit",
}  # fmt: skip


if not TYPE_CHECKING:
    from ..base import names_of_files

    __getattr__ = names_of_files(__name__, _FILES)
