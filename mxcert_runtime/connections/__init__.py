"""What a new connection does: its endpoint, its decision, its plan, its reuse.

Both engines begin here, so that none of them decides, counts or warns by itself.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .attempt import Attempt, Facts, begin, count_silent_end
    from .choice import choose_context
    from .dialled_sockets import endpoint_of_socket, note_connected, note_dialled, note_undecided
    from .endpoint import Asked, asked_at_creation, asked_so_far
    from .kept import KeptConnectionError, still_presents
    from .kept_plans import KeptPlans, Key, forget_plans, plans_of
    from .observed import is_observed, observe
    from .plan import Plan, count_of, mark_of
    from .planner import ConnectionPlanner
    from .request import (
        CertificateRequest,
        MalformedRequestError,
        choose,
        explain_misfit,
        moment_of_choice,
        parse_request,
    )
    from .reuse import (
        ReuseKey,
        SessionMark,
        changes_now,
        circumstances_now,
        end_keys,
        is_certain_since,
        reuse_key_now,
        reuse_key_of_proxy,
        reuse_key_of_service,
    )
    from .tls_material import TlsMaterial
    from .unasked import OwnTls, begin_unasked
    from .verification import (
        DEFAULT,
        UNKNOWN,
        Holding,
        Verification,
        joining,
        verification_of,
        why_extra_do_not_count,
    )

__all__ = (
    "DEFAULT",
    "UNKNOWN",
    "Asked",
    "Attempt",
    "CertificateRequest",
    "ConnectionPlanner",
    "Facts",
    "Holding",
    "KeptConnectionError",
    "KeptPlans",
    "Key",
    "MalformedRequestError",
    "OwnTls",
    "Plan",
    "ReuseKey",
    "SessionMark",
    "TlsMaterial",
    "Verification",
    "asked_at_creation",
    "asked_so_far",
    "begin",
    "begin_unasked",
    "changes_now",
    "choose",
    "choose_context",
    "circumstances_now",
    "count_of",
    "count_silent_end",
    "end_keys",
    "endpoint_of_socket",
    "explain_misfit",
    "forget_plans",
    "is_certain_since",
    "is_observed",
    "joining",
    "mark_of",
    "moment_of_choice",
    "note_connected",
    "note_dialled",
    "note_undecided",
    "observe",
    "parse_request",
    "plans_of",
    "reuse_key_now",
    "reuse_key_of_proxy",
    "reuse_key_of_service",
    "still_presents",
    "verification_of",
    "why_extra_do_not_count",
)  # fmt: skip

#: which file has which names; it is loaded once one of them is asked for
_FILES = {
    "attempt": "Attempt Facts begin count_silent_end",
    "choice": "choose_context",
    "dialled_sockets": "endpoint_of_socket note_connected note_dialled note_undecided",
    "endpoint": "Asked asked_at_creation asked_so_far",
    "kept": "KeptConnectionError still_presents",
    "kept_plans": "KeptPlans Key forget_plans plans_of",
    "observed": "is_observed observe",
    "plan": "Plan count_of mark_of",
    "planner": "ConnectionPlanner",
    "request": (
        "CertificateRequest MalformedRequestError choose explain_misfit moment_of_choice "
        "parse_request"
    ),
    "reuse": (
        "ReuseKey SessionMark changes_now circumstances_now end_keys is_certain_since "
        "reuse_key_now reuse_key_of_proxy "
        "reuse_key_of_service"
    ),
    "tls_material": "TlsMaterial",
    "unasked": "OwnTls begin_unasked",
    "verification": (
        "DEFAULT Holding UNKNOWN Verification joining verification_of why_extra_do_not_count"
    ),
}  # fmt: skip


if not TYPE_CHECKING:
    from ..base import names_of_files

    __getattr__ = names_of_files(__name__, _FILES)
