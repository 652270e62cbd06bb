"""A source as the rest of the package calls it: whatever the code of somebody else raises, there is
one kind of error, and no words of it that may hold a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from ..base import Secret
from ..errors import IdentityError, IdentityProblem
from .source import Credentials, Source

Answer = TypeVar("Answer")


class GuardedSource:
    """Passes every call on."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self) -> Credentials:
        """What the source holds."""
        credentials: object = self._guarded(self._source.read)
        if not isinstance(credentials, Credentials):
            raise self._broken(f"has given no Credentials, but {type(credentials).__name__}")
        wrong = _wrong_part(credentials)
        if wrong is not None:
            raise self._broken(f"has given Credentials of which the {wrong}")
        return credentials

    def refresh(self) -> None:
        """Let it fetch anew."""
        self._guarded(self._source.refresh)

    def due(self) -> datetime | None:
        """When it wants to be asked again; raises :class:`~.errors.IdentityError` too."""
        moment = self._guarded(self._source.due)
        if moment is not None and moment.tzinfo is None:
            raise self._broken("says when it is due without a time zone")
        return moment

    def files(self) -> tuple[str, ...]:
        """The files by which it goes; none where it cannot say."""
        try:
            return tuple(self._source.files())
        except Exception:
            return ()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Let it say when something has changed; raises :class:`~.errors.IdentityError` too."""
        return self._guarded(lambda: self._source.watch(changed))

    def shown(self) -> str:
        """What it shows of itself, or else its type."""
        try:
            return str(self._source.shown())
        except Exception:
            return f"a {type(self._source).__name__}"

    def _guarded(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except IdentityError:
            raise
        except Exception as error:
            raised = type(error).__name__
        # Outside, so that the error does not lead to frames with what the source has at hand.
        raise self._broken(f"has raised {raised}")

    def _broken(self, problem: str) -> IdentityError:
        remedy = "Mend what is behind it, or replace this kind of source"
        return IdentityError(IdentityProblem.UNREADABLE, f"{self.shown()} {problem}", remedy)


def _wrong_part(credentials: Credentials) -> str | None:
    """Which part has another type than it says: met later, it would be shown with its error."""
    if not _is_sealed(credentials.material, bytes):
        return "material is no bytes"
    if credentials.password is not None and not _is_sealed(credentials.password, str):
        return "password is no Secret with a text"
    return None if isinstance(credentials.authorities, bytes) else "authorities are no bytes"


def _is_sealed(value: object, kind: type) -> bool:
    return isinstance(value, Secret) and isinstance(value.reveal(), kind)
