"""Who gets what, and why: policy, generation, what is in force, services, legs.

It does without TLS, so that an answer needs no connection.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import in_force
    from .building import build_generation, build_renewal
    from .derived import Derived
    from .explanation import (
        Explanation,
        IdentitySummary,
        endpoint_of,
        explain_in,
        summary_of,
    )
    from .generation import Generation
    from .legs import current_leg, dialling, dialling_proxy, held_leg, hold_leg, peek_leg, take_leg
    from .policy import (
        WITHHELD_FROM_UNNAMED,
        Choice,
        Decision,
        Policy,
        Rule,
        Withheld,
        WithheldFromUnverified,
    )
    from .services import service
    from .unasked import (
        WithheldFromLate,
        WithheldUnasked,
        decide_unasked,
        withheld_from_late,
    )

__all__ = (
    "WITHHELD_FROM_UNNAMED",
    "Choice",
    "Decision",
    "Derived",
    "Explanation",
    "Generation",
    "IdentitySummary",
    "Policy",
    "Rule",
    "Withheld",
    "WithheldFromLate",
    "WithheldFromUnverified",
    "WithheldUnasked",
    "build_generation",
    "build_renewal",
    "current_leg",
    "decide_unasked",
    "dialling",
    "dialling_proxy",
    "endpoint_of",
    "explain_in",
    "held_leg",
    "hold_leg",
    "in_force",
    "peek_leg",
    "service",
    "summary_of",
    "take_leg",
    "withheld_from_late",
)  # fmt: skip

#: which file has which names; it is loaded once one of them is asked for
_FILES = {
    "building": "build_generation build_renewal",
    "derived": "Derived",
    "explanation": "Explanation IdentitySummary endpoint_of explain_in summary_of",
    "generation": "Generation",
    "legs": "current_leg dialling dialling_proxy held_leg hold_leg peek_leg take_leg",
    "policy": "Choice Decision Policy Rule WITHHELD_FROM_UNNAMED Withheld WithheldFromUnverified",
    "services": "service",
    "unasked": "WithheldFromLate WithheldUnasked decide_unasked withheld_from_late",
}  # fmt: skip


if not TYPE_CHECKING:
    from ..base import names_of_files

    __getattr__ = names_of_files(__name__, _FILES)
