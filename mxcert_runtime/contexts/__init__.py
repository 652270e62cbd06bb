"""What an SSL context is: the ledger of the caller's, the identity contexts that are ours, trust.

It knows no decision, and no settings.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .examination import may_change_unseen
    from .handover import (
        Authenticating,
        Handover,
        MessageCallback,
        MissingOwnerError,
        callers_own,
        hand_over,
        listen_on,
        listener_calling,
        request_of,
        set_callers_own,
        stop_listening,
        warn_of_missing_owner,
    )
    from .identity_contexts import Blueprint, IdentityContext, IdentityRefusedError, shared_contexts
    from .load_cache import known_loads
    from .own_certificate import anonymous_connection
    from .record import ContextRecord
    from .trust import (
        DefaultPathsLoad,
        DirectoryLoad,
        FileLoad,
        Load,
        Trust,
        TrustChangedError,
        data_load,
        default_paths_load,
        described_loads,
        file_load,
    )

__all__ = (
    "Authenticating", "Blueprint", "ContextRecord", "DefaultPathsLoad", "DirectoryLoad",
    "FileLoad", "Handover", "IdentityContext", "IdentityRefusedError", "Load",
    "MessageCallback", "MissingOwnerError", "Trust", "TrustChangedError",
    "anonymous_connection", "callers_own", "data_load", "default_paths_load",
    "described_loads", "file_load", "hand_over", "known_loads", "listen_on", "listener_calling",
    "may_change_unseen", "request_of", "set_callers_own", "shared_contexts", "stop_listening",
    "warn_of_missing_owner",
)  # fmt: skip

#: which file has which names; it is loaded once one of them is asked for
_FILES = {
    "examination": "may_change_unseen",
    "handover": (
        "Authenticating Handover MessageCallback MissingOwnerError callers_own hand_over "
        "listen_on listener_calling request_of set_callers_own stop_listening warn_of_missing_owner"
    ),
    "identity_contexts": "Blueprint IdentityContext IdentityRefusedError shared_contexts",
    "load_cache": "known_loads",
    "own_certificate": "anonymous_connection",
    "record": "ContextRecord",
    "trust": (
        "DefaultPathsLoad DirectoryLoad FileLoad Load Trust TrustChangedError data_load "
        "default_paths_load described_loads file_load"
    ),
}  # fmt: skip


if not TYPE_CHECKING:
    from ..base import names_of_files

    __getattr__ = names_of_files(__name__, _FILES)
