"""What a generation has that the next one may go on with, where its replacement is broken.

Only for the same thing: an identity that the settings take from the same place under the same name,
and authorities from the same places. Whatever is named anew has no last good one.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..identity import Authorities, Identity, IdentitySettings
from .generation import Generation


class LastGood:
    """Of a generation, or of nothing: then there is never any."""

    def __init__(self, generation: Generation | None = None) -> None:
        self._generation = generation
        settings = generation.settings.identities if generation else ()
        self._entries = {each.name: each for each in settings}
        self._authorities = {each.sources: each for each in self._all_authorities()}

    def identities(self, settings: IdentitySettings) -> tuple[Identity, ...]:
        """Those of an entry; none where it names something else by now."""
        before = self._entries.get(settings.name)
        if self._generation is None or before is None:
            return ()
        if (before.material, before.authorities) != (settings.material, settings.authorities):
            return ()
        return self._generation.entries.get(settings.name, ())

    def authorities(self, sources: tuple[str, ...]) -> Authorities | None:
        """Those that came from these places."""
        return self._authorities.get(sources)

    def pinned(self, name: str) -> Authorities | None:
        """Those that alone verify for an entry."""
        return self._generation.pinned.get(name) if self._generation else None

    def _all_authorities(self) -> Iterator[Authorities]:
        if self._generation is None:
            return
        for each in (self._generation.extra_authorities, *self._generation.pinned.values()):
            if each is not None:
                yield each
