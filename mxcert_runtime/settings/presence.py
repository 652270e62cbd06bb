"""Whether there are settings at all, told without reading them and without a single import more.

Every import of the package runs this, with settings or without: nothing here may import what a
bare interpreter has not loaded already. It may say yes too often, never no: what it takes for
settings is read in :mod:`.loading`, which may find that nothing is set.
"""

from __future__ import annotations

import os

from . import names

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def process_environ() -> Mapping[str, str]:
    """The environment of this process; nothing else in the package names ``os.environ``."""
    return os.environ


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether ``MXCERT_DISABLE=1`` says that there are no settings, whatever else is set."""
    return environ.get(names.DISABLE) == "1"


def mentions_settings(environ: Mapping[str, str], default_file: str = names.DEFAULT_FILE) -> bool:
    """Whether the environment or the default file gives settings, or tries to.

    A variable that is set to nothing does not count. A name in ``MXCERT_`` that nobody knows does:
    a typing error must not read as "no settings" without a word.
    """
    if is_disabled(environ):
        return False
    # Looked up, not iterated: on Windows iteration gives every name in upper case.
    return (
        any(environ.get(name) or environ.get(names.RUNTIME_PREFIX + name) for name in names.FAMILY)
        or any(environ.get(name) for name in names.INLINE)
        or any(name in environ.get(names.CUSTOM, "") for name in names.FAMILY)
        or any(_is_setting_of_ours(name) and environ.get(name) for name in environ)
        or os.path.lexists(default_file)
    )


def _is_setting_of_ours(name: str) -> bool:
    return name.startswith(names.PREFIX) and not names.is_ours_elsewhere(name)
