"""PKCS12's own derivation (RFC 7292, appendix B.2), for the MAC of nearly every file and old keys.

Neither ``hashlib`` nor cryptography has it. In Python a round takes five times as long as in
OpenSSL, whose function is reached by ctypes; to find it takes as long as a few files, and so it is
left where there are no more.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any, Optional

from ...base import Secret

#: What Python goes in a process before OpenSSL is looked for, which takes as long: two files as
#: most tools write them.
_ROUNDS_BY_PYTHON = 4096

_Call = Callable[[str, int, Secret[bytes], bytes, int, int], Optional[Secret[bytes]]]


class Budget:
    """What may be spent before something dearer is worth it."""

    def __init__(self, size: int) -> None:
        self._left = size

    def covers(self, cost: int) -> bool:
        """Whether so much is left, which is then spent."""
        self._left -= cost
        return self._left >= 0


_budget = Budget(_ROUNDS_BY_PYTHON)


def derive_pkcs12(
    hash_name: str, purpose: int, password: Secret[bytes], salt: bytes, rounds: int, length: int
) -> Secret[bytes]:
    """``purpose`` is 1 for a key, 2 for a vector, 3 for a MAC; all ways come to the same."""
    asked = hash_name, purpose, password, salt, rounds, length
    derived = None if _budget.covers(rounds) else derive_by_openssl(*asked)
    return derive_by_python(*asked) if derived is None else derived


def derive_by_openssl(
    hash_name: str, purpose: int, password: Secret[bytes], salt: bytes, rounds: int, length: int
) -> Secret[bytes] | None:
    """The same; ``None`` where OpenSSL cannot be called, or refuses."""
    call = _openssl()
    return None if call is None else call(hash_name, purpose, password, salt, rounds, length)


@functools.cache
def _openssl() -> _Call | None:
    # There may be no ctypes, a rule of the system against it, or a hook that audits and refuses.
    try:
        from .openssl_derivation import find_call

        return find_call()
    except Exception:
        return None


def derive_by_python(
    hash_name: str, purpose: int, password: Secret[bytes], salt: bytes, rounds: int, length: int
) -> Secret[bytes]:
    """The same, round by round."""
    hash_function = getattr(hashlib, hash_name)
    block = hash_function().block_size
    seed = Secret(_fill(salt, block) + _fill(password.reveal(), block))
    found = Secret(b"")
    while len(found.reveal()) < length:
        part = _go_round(hash_function, bytes((purpose,)) * block, seed, rounds)
        found = Secret(found.reveal() + part.reveal())
        seed = _next_seed(seed, part, block)
    return Secret(found.reveal()[:length])


def _go_round(
    hash_function: Callable[[bytes], Any], diversifier: bytes, seed: Secret[bytes], rounds: int
) -> Secret[bytes]:
    # Nothing in it can fail, so no traceback shows what is in its variables.
    value = hash_function(diversifier + seed.reveal()).digest()
    for _ in range(rounds - 1):
        value = hash_function(value).digest()
    return Secret(value)


def _next_seed(seed: Secret[bytes], part: Secret[bytes], block: int) -> Secret[bytes]:
    """Each block of the seed, with the part (repeated up to a block) and one added."""
    added = Secret(_fill(part.reveal(), block)[:block])
    return Secret(
        b"".join(
            (
                (
                    int.from_bytes(seed.reveal()[at : at + block], "big")
                    + int.from_bytes(added.reveal(), "big")
                    + 1
                )
                % (1 << 8 * block)
            ).to_bytes(block, "big")
            for at in range(0, len(seed.reveal()), block)
        )
    )


def _fill(value: bytes, block: int) -> bytes:
    """The value, repeated up to a whole number of blocks."""
    length = -(-len(value) // block) * block
    return (value * (length // max(len(value), 1) + 1))[:length]
