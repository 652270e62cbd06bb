"""Why a password does not open its file: it is another's, or something came with it on its way.

Asked once a fault is there, of files alone: a token counts wrong PINs and locks itself, and a
source is asked for what it has, not searched. What is said names settings, and nothing of a
password but what surrounds the right one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property

from ..base import Secret
from ..errors import IdentityError, IdentityProblem
from .opening import Content
from .sources import IdentitySettings, PemFiles, Pkcs12File, Pkcs12Inline

#: Each costs what opening the file costs, of which nobody waits for a hundred.
_MOST_TRIES, _MOST_SECONDS = 48, 3.0
#: so that one whose password nobody has leaves some to the others
_MOST_TRIES_EACH = 12
_SEARCHED = frozenset({IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, IdentityProblem.PASSWORD_MISSING})
_FILES = (Pkcs12File, Pkcs12Inline, PemFiles)
_QUOTED = re.compile(r"""\A(["'])(.*)\1\Z""", re.DOTALL)
#: what editors and secrets put around a password; the last is the mark of UTF-8
_AROUND = " \t\r\n\v\f\0\u00a0\u200b\ufeff"


class PasswordSearch:
    """Looks for the password of what does not open, among those that the settings give.

    There is one for all entries, since it bounds the tries of all of them together.
    """

    def __init__(self, entries: Iterable[IdentitySettings]) -> None:
        self._entries = tuple(entries)
        self._tries_left, self._tries_left_here = _MOST_TRIES, 0
        #: by the monotonic clock, once it was begun
        self._end: float | None = None

    def explain(
        self, entry: IdentitySettings, error: IdentityError, content: Content | None
    ) -> IdentityError:
        """The error of an entry, with what is wrong about its password if that can be found.

        ``content`` is what did not open: the file may hold something else by now, or nothing, as a
        pipe does.
        """
        if content is None or error.problem not in _SEARCHED or not _is_file(entry):
            return error
        self._tries_left_here = _MOST_TRIES_EACH
        self._end = self._end or time.monotonic() + _MOST_SECONDS
        return self._without_what_surrounds(entry, content) or self._of_another(
            entry, content, error
        )

    def _without_what_surrounds(
        self, entry: IdentitySettings, content: Content
    ) -> IdentityError | None:
        for password, words, remedy in _read_otherwise(entry.password):
            if self._opens(content, password):
                return _wrong_password(
                    f"{content.labels[-1]} does not open with its password as it is given, but"
                    f" {words}",
                    remedy,
                )
        return None

    def _of_another(
        self, entry: IdentitySettings, content: Content, error: IdentityError
    ) -> IdentityError:
        for other in () if self._is_spent() else self._neighbours.nearest_first(entry):
            if self._opens(content, other.password):
                its = "with its own password" if entry.password else "without a password"
                return _wrong_password(
                    f"{content.labels[-1]} does not open {its}, and the password of"
                    f" {other.password_origin or other.origin} opens it",
                    "Give each its own password: in a list they stand in the order of the paths",
                )
            if self._is_spent():
                break
        return error

    @cached_property
    def _neighbours(self) -> _Neighbours:
        return _Neighbours(self._entries)

    def _is_spent(self) -> bool:
        is_over = self._end is not None and time.monotonic() > self._end
        return is_over or not self._tries_left or not self._tries_left_here

    def _opens(self, content: Content, password: Secret[str] | None) -> bool:
        if self._is_spent():
            return False
        self._tries_left -= 1
        self._tries_left_here -= 1
        try:
            content.open(password)
        except IdentityError as error:
            return error.problem is IdentityProblem.NO_KEY  # which shows once it is open
        return True


class _Neighbours:
    """Entries by their passwords: each password is tried once, as that of the nearest that has it.

    It is a neighbour's where a list has shifted. Thousands of entries may have the same one.
    """

    def __init__(self, entries: tuple[IdentitySettings, ...]) -> None:
        self._entries = entries
        self._numbers = {id(each): number for number, each in enumerate(entries)}
        # No digest leaves this object, and without the key none says anything about a password.
        self._key = secrets.token_bytes(32)
        self._having: dict[bytes, list[int]] = {}
        for number, each in enumerate(entries):
            if each.password and _is_file(each):
                self._having.setdefault(self._digest(each), []).append(number)

    def nearest_first(self, entry: IdentitySettings) -> list[IdentitySettings]:
        """One for each password that the entry does not have itself."""
        own, digest = self._numbers[id(entry)], self._digest(entry)
        numbers = [_nearest(own, x) for other, x in self._having.items() if other != digest]
        return [self._entries[each] for each in sorted(numbers, key=lambda x: (abs(x - own), x))]

    def _digest(self, entry: IdentitySettings) -> bytes:
        password = entry.password or Secret("")
        encoded = Secret(password.reveal().encode("utf-8", "surrogatepass"))
        return hashlib.blake2b(encoded.reveal(), key=self._key, digest_size=16).digest()


def _nearest(own: int, numbers: list[int]) -> int:
    """Of ascending numbers the one that is nearest."""
    at = bisect_left(numbers, own)
    return min(numbers[max(at - 1, 0) : at + 1], key=lambda number: abs(number - own))


def _is_file(entry: IdentitySettings) -> bool:
    return isinstance(entry.material, _FILES)


def _wrong_password(message: str, remedy: str) -> IdentityError:
    return IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, message, remedy)


def _read_otherwise(
    password: Secret[str] | None,
) -> Iterator[tuple[Secret[str], str, str]]:
    """Readings of a password, each with the words for it and the remedy."""
    if not password:
        return
    stripped = Secret(password.reveal().strip(_AROUND))
    if stripped and stripped != password:
        words = "without the white space at its ends"
        yield stripped, words, "Take out the white space, as with printf %s in place of echo"
    unquoted = Secret(_unquoted(stripped))
    if unquoted and unquoted != stripped:
        yield unquoted, "without the quotes around it", "Take the quotes out, which count here"
    decoded = _decoded(stripped)
    if decoded:
        yield decoded, "once it is decoded from base64", "Give what it is the base64 of"


def _unquoted(password: Secret[str]) -> str:
    return _QUOTED.sub(r"\2", password.reveal())


def _decoded(password: Secret[str]) -> Secret[str] | None:
    try:
        content = Secret(base64.b64decode(password.reveal(), validate=True))
        return Secret(content.reveal().decode("utf-8").rstrip("\r\n"))
    except (binascii.Error, ValueError):
        return None
