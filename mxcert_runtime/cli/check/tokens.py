"""What ``mxcert check`` tells of a key in a token, as plain data, and whether it signs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...diagnosis import Diagnostic, DiagnosticCode
from ...identity import Identity, TokenKey, mechanism_numbers


def describe_token(identity: Identity) -> dict[str, Any] | None:
    """Where the key of an identity is; ``None`` where it is in memory."""
    key = identity.key
    if not isinstance(key, TokenKey):
        return None
    from ...identity import mechanisms_of

    return {
        "uri": str(key.uri),
        "label": key.token.label,
        "manufacturer": key.token.manufacturer,
        "model": key.token.model,
        "serial": key.token.serial,
        "module": key.module,
        "mechanisms": mechanisms_of(key, mechanism_numbers(key.module, key.token)),
    }


def check_signatures(identities: Iterable[Identity]) -> Iterator[Diagnostic]:
    """An error for each key in a token, and each way of TLS, in which the token does not sign."""
    for identity in identities:
        if isinstance(identity.key, TokenKey):
            yield from _check_key(identity, identity.key)


def _check_key(identity: Identity, key: TokenKey) -> Iterator[Diagnostic]:
    from ...identity import schemes_of, signs

    for scheme in schemes_of(key):
        if not signs(key, scheme):
            problem = (
                f"the key `{key.uri}` in the token {key.token.label!r} gives no {scheme}"
                " signature that its certificate fits"
            )
            remedy = "See the rights of the key (CKA_SIGN), and the mechanisms of the token"
            code = DiagnosticCode.TOKEN_DOES_NOT_SIGN
            yield Diagnostic.of_identity(identity, code, problem, remedy)
