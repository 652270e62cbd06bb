"""What gives the credentials of one identity while a program runs: the protocol, for anybody.

A source says what it holds, and either when it wants to be asked again or, by itself, that there is
something else now. Everything beside (opening, choosing, retiring) is done by others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ..base import Secret


@dataclass(frozen=True)
class Credentials:
    """A key with its certificates, as PEM or PKCS12, and what verifies the servers, where given.

    ``material`` is one PEM text with key, leaf and chain in any order, or one PKCS12 file; bytes
    are sealed. ``authorities`` are PEM: with them, these CAs alone are the trust anchors of the
    hosts that get the identity.
    """

    material: Secret[bytes] | bytes = field(repr=False)
    #: not shown, since a source may forget to seal it
    password: Secret[str] | None = field(default=None, repr=False)
    authorities: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.material, Secret):
            object.__setattr__(self, "material", Secret(bytes(self.material)))

    @property
    def sealed(self) -> Secret[bytes]:
        """The material, which never shows itself."""
        if not isinstance(self.material, Secret):
            raise TypeError("the material of credentials is bytes")
        return self.material


class Source(Protocol):
    """Where the credentials of one identity come from, for as long as settings name it.

    Any thread may call any of these; none of them shows a secret, in whatever it raises either.
    """

    def read(self) -> Credentials:
        """What is held now; where nothing is held yet, it is fetched.

        Raises :class:`~.errors.IdentityError` where there is nothing.
        """

    def shown(self) -> str:
        """What is shown of it, in one line."""

    def files(self) -> tuple[str, ...]:
        """Files whose change is a change of it."""

    def due(self) -> datetime | None:
        """From when on :meth:`refresh` is to be called, aware; ``None``: not at all."""

    def refresh(self) -> None:
        """Fetch anew. What is held stays where that fails, and :meth:`due` is a later moment then.

        Raises :class:`~.errors.IdentityError`.
        """

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed``, from any thread, whenever :meth:`read` gives something new.

        What is given back ends it. Threads of its own live between the two, and none lives in a
        process that was forked, which is to watch for itself.
        """


class Options(Protocol):
    """What the settings say of a source; a key that nobody asks for is a fault of the settings."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that settings are read from."""

    @property
    def password(self) -> Secret[str] | None:
        """The password of the identity, for what the source gives."""

    def text(self, key: str) -> str | None:
        """A text that is not empty."""

    def texts(self, key: str, *, least: int = 0) -> tuple[str, ...]:
        """A list of texts; one that stands alone is a list of one, and too few are a fault."""

    def path(self, key: str) -> str | None:
        """A path, as seen from the folder of the settings file."""

    def located(self, path: str) -> str:
        """Any other path, as seen from the folder of the settings file."""

    def secret(self, key: str) -> Secret[str] | None:
        """A text that is a secret; the settings seal what is called ``password``."""

    def boolean(self, key: str) -> bool | None:
        """True or false."""

    def seconds(self, key: str, default: float) -> float:
        """A number of seconds above nothing."""

    def fault(self, key: str, problem: str, remedy: str) -> None:
        """Say what is wrong with the value of a key; the settings are not used then."""


#: what a kind of source is: it does no I/O, since settings are only read
OpenSource = Callable[[Options], Source]
