"""Why a password does not open its file: it is another's, or something came with it on its way.

Asked once a fault is there, of files alone: a token counts wrong PINs and locks itself, and a
source is asked for what it has, not searched. What is said names settings, and nothing of a
password but what surrounds the right one.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Iterable, Iterator
from operator import itemgetter

from ..base import Secret
from ..errors import IdentityError, IdentityProblem
from .opening import Content
from .sources import IdentitySettings, PemFiles, Pkcs12File, Pkcs12Inline

#: Each costs what opening the file costs, of which nobody waits for a hundred.
_MOST_TRIES, _MOST_SECONDS = 24, 3.0
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
        self._tries_left = _MOST_TRIES
        #: by the monotonic clock, once it was begun
        self._end: float | None = None

    def explain(self, entry: IdentitySettings, error: IdentityError) -> IdentityError:
        """The error of an entry, with what is wrong about its password if that can be found."""
        if error.problem not in _SEARCHED or not isinstance(entry.material, _FILES):
            return error
        try:
            content = entry.material.read()
        except IdentityError:
            return error
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
        for other in self._nearest_first(entry):
            if self._opens(content, other.password):
                its = "with its own password" if entry.password else "without a password"
                return _wrong_password(
                    f"{content.labels[-1]} does not open {its}, and the password of"
                    f" {other.password_origin or other.origin} opens it",
                    "Give each its own password: in a list they stand in the order of the paths",
                )
        return error

    def _nearest_first(self, entry: IdentitySettings) -> list[IdentitySettings]:
        """Those with another password: it is a neighbour's where a list has shifted."""
        own = self._entries.index(entry)
        numbered = [
            (abs(number - own), each)
            for number, each in enumerate(self._entries)
            if isinstance(each.material, _FILES) and each.password != entry.password
        ]
        return [each for _, each in sorted(numbered, key=itemgetter(0)) if each.password]

    def _opens(self, content: Content, password: Secret[str] | None) -> bool:
        self._end = self._end or time.monotonic() + _MOST_SECONDS
        if not self._tries_left or time.monotonic() > self._end:
            return False
        self._tries_left -= 1
        try:
            content.open(password)
        except IdentityError as error:
            return error.problem is IdentityProblem.NO_KEY  # which shows once it is open
        return True


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
