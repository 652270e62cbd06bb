"""What a kind of source is made of, for whoever adds one.

A package that has the entry point ``name = "module:open_source"`` in the group
``mxcert_runtime.sources`` is found by ``source = { kind = "name", ... }`` in the settings.
"""

from .base import Secret as Secret
from .errors import IdentityError as IdentityError, IdentityProblem as IdentityProblem
from .identity import (
    Credentials as Credentials,
    Options as Options,
    PulledSource as PulledSource,
    Source as Source,
)
