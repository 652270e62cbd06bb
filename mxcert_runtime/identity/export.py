"""The key of an identity as bytes, for TLS libraries that are not reached by Python's contexts.

It goes to one connection's library and nowhere else. A key that cannot leave its token has none.
"""

from __future__ import annotations

from ..errors import IdentityError, IdentityProblem
from .identity import Identity
from .material.key_passing import Exportable
from .material.private_key import KeyMaterial


def exportable(identity: Identity) -> Exportable:
    """The key of an identity, as what gives its bytes.

    Raises :class:`~.errors.IdentityError` with ``UNSUPPORTED`` where only its owner has them.
    """
    if isinstance(identity.key, KeyMaterial):
        return identity.key
    message = (
        f"the key of the identity {identity.name!r} cannot leave the place where it is, and this "
        "client has TLS of its own, which needs the key itself"
    )
    remedy = "Give the host an identity whose key is in a file, or use a client of Python's `ssl`"
    raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
