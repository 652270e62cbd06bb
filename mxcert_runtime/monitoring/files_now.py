"""What the files of identities hold now, to be shown beside what is in memory.

A file is opened again only where its content has changed, so that a look every few seconds costs a
digest; nothing that is found here is put in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional
from weakref import WeakKeyDictionary

from ..base.file_state import FileState, state_of
from ..base.os_reasons import reason_of
from ..base.printable import printable
from ..decisions.generation import Generation
from ..errors import IdentityError
from ..identity.identity import Identity, load_identities
from ..identity.key_transfer import KeyTransferError
from ..identity.sources import IdentitySettings

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


#: by the name of the entry; passwords go with their generation
_Looks = dict[str, tuple[_States, FilesNow]]
_looks: WeakKeyDictionary[Generation, _Looks] = WeakKeyDictionary()


def files_now(generation: Generation, identity: Identity) -> FilesNow | None:
    """What the files of an identity hold now; ``None`` where it comes from none."""
    settings = _entry_of(generation, identity)
    paths = tuple(each.path for each in settings.material.files()) if settings else ()
    if settings is None or not paths:
        return None
    try:
        states = tuple(map(state_of, paths))
    except OSError as error:  # for want of descriptors or memory
        return FilesNow(problem=reason_of(error))
    looks = _looks.setdefault(generation, {})
    look = looks.get(settings.name)
    if look is None or look[0] != states:
        look = looks[settings.name] = states, _open(settings, paths, states)
    return look[1]


def _entry_of(generation: Generation, identity: Identity) -> IdentitySettings | None:
    """The entry of the settings, which has several identities where its file has several keys."""
    return next(
        (
            each
            for each in generation.settings.identities
            if identity.name == each.name or identity.name.startswith(f"{each.name} (")
        ),
        None,
    )


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
