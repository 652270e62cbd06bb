"""What the deployment says, in every format: each value with its origin.

An import without settings asks :mod:`.presence` and loads nothing else of it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import names
    from .files import shown_path
    from .loading import read_process_settings, read_settings, settings_from, settings_of_text
    from .log import ORIGIN, unwritable
    from .model import (
        ExpiredIdentities,
        LogSettings,
        Reading,
        RuleKind,
        RuleSettings,
        Settings,
        UnlistedHosts,
        UnnamedHosts,
        VerifiedServer,
        Watch,
    )
    from .path_variables import settled_paths
    from .presence import is_disabled
    from .readers import reader_of
    from .scalars import SCALARS
    from .schema import PUBLISHED, schema_text

__all__ = (
    "ORIGIN",
    "PUBLISHED",
    "SCALARS",
    "ExpiredIdentities",
    "LogSettings",
    "Reading",
    "RuleKind",
    "RuleSettings",
    "Settings",
    "UnlistedHosts",
    "UnnamedHosts",
    "VerifiedServer",
    "Watch",
    "is_disabled",
    "names",
    "read_process_settings",
    "read_settings",
    "reader_of",
    "schema_text",
    "settings_from",
    "settings_of_text",
    "settled_paths",
    "shown_path",
    "unwritable",
)  # fmt: skip

#: which file has which names; it is loaded once one of them is asked for
_FILES = {
    "files": "shown_path",
    "loading": "read_process_settings read_settings settings_from settings_of_text",
    "log": "ORIGIN unwritable",
    "model": (
        "ExpiredIdentities LogSettings Reading RuleKind RuleSettings Settings UnlistedHosts "
        "UnnamedHosts VerifiedServer Watch"
    ),
    "path_variables": "settled_paths",
    "presence": "is_disabled",
    "readers": "reader_of",
    "scalars": "SCALARS",
    "schema": "PUBLISHED schema_text",
}  # fmt: skip


if not TYPE_CHECKING:
    from ..base import names_of_files

    __getattr__ = names_of_files(__name__, _FILES)
