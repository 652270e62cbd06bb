"""What the files of identities hold now, to be shown beside what is in memory.

A file is opened again only where its content has changed, so that a look every few seconds costs a
digest; nothing that is found here is put in force.
"""

from __future__ import annotations

from typing import Optional
from weakref import WeakKeyDictionary

from ..base import FileState, dataclass, reason_of, state_of
from ..base.printable import printable
from ..decisions import Generation
from ..errors import IdentityError
from ..identity import Identity, IdentitySettings, KeyTransferError, load_identities

_States = tuple[Optional[FileState], ...]


@dataclass(frozen=True)
class FilesNow:
    """The fingerprints of the leaves in the files of an entry, or why there are none."""

    #: identity name and SHA-256, lower case hexadecimal
    fingerprints: tuple[tuple[str, str], ...] = ()
    problem: str | None = None

    def fingerprint_of(self, identity: Identity) -> str | None:
        """What the files give for the identity that is in memory."""
        return dict(self.fingerprints).get(identity.name)


class _Looks:
    """The entries of a generation by name, and the last look at each."""

    def __init__(self, generation: Generation) -> None:
        self._entries = {each.name: each for each in generation.settings.identities}
        self._last: dict[str, tuple[_States, FilesNow]] = {}

    def entry_of(self, identity: Identity) -> IdentitySettings | None:
        """The entry that gives it: several, as ``billing (2)``, where a file has several keys."""
        found = self._entries.get(identity.name)
        return found or self._entries.get(identity.name.rpartition(" (")[0])

    def look(self, settings: IdentitySettings, paths: tuple[str, ...]) -> FilesNow:
        """What the files hold, opened anew where that is something else than before."""
        states = tuple(map(state_of, paths))
        last = self._last.get(settings.name)
        if last is None or last[0] != states:
            last = self._last[settings.name] = states, _open(settings, paths, states)
        return last[1]


#: They hold settings with passwords, and go with their generation.
_looks: WeakKeyDictionary[Generation, _Looks] = WeakKeyDictionary()


def files_now(generation: Generation, identity: Identity) -> FilesNow | None:
    """What the files of an identity hold now; ``None`` where it comes from none."""
    looks = _looks.get(generation)
    if looks is None:
        looks = _looks[generation] = _Looks(generation)
    settings = looks.entry_of(identity)
    paths = tuple(each.path for each in settings.material.files()) if settings else ()
    if settings is None or not paths:
        return None
    try:
        return looks.look(settings, paths)
    except OSError as error:  # for want of descriptors or memory
        return FilesNow(problem=reason_of(error))


def _open(settings: IdentitySettings, paths: tuple[str, ...], states: _States) -> FilesNow:
    # A pipe gives its content once, and must not be waited for.
    missing = [path for path, state in zip(paths, states) if state is None]
    if missing:
        return FilesNow(problem=printable(f"{missing[0]!r} is no file that can be read now"))
    try:
        found = load_identities(settings)
    except IdentityError as error:
        return FilesNow(problem=printable(error.message))
    except KeyTransferError as error:
        return FilesNow(problem=error.strerror)
    return FilesNow(tuple((each.name, each.fingerprint) for each in found))
