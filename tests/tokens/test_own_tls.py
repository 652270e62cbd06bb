"""A key in a token cannot be handed to a library with TLS of its own, and that is said."""

from __future__ import annotations

from .conftest import HOST, Deployment

_PROGRAM = f"""
import mxcert_runtime
from mxcert_runtime.errors import IdentityError
try:
    mxcert_runtime.material(host={HOST!r}).__enter__()
except IdentityError as error:
    print(error.problem.value, error)
"""


def test_refused_with_words(deployment: Deployment) -> None:
    """Nothing is handed over, and the error names the identity and another way."""
    deployment.configure(deployment.entry("ec", name="billing"))
    told = deployment.run(_PROGRAM).stdout
    assert told.startswith("unsupported the key of the identity 'billing' cannot leave"), told
    assert "use a client of Python's `ssl`" in told
