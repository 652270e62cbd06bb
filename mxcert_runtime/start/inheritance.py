"""What Pythons that this one starts are handed: the start of the plugin, by their environment.

They read the settings by themselves, which no variable could carry without its secrets. So what
they would read otherwise than this process has is told, and never handed on in part.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..base import change_environ, logger as _logger, process_environ
from ..decisions import Generation
from ..settings import names
from .given import Given

#: what a variable was before, and what stands there by us; ``None`` is not set
_Change = tuple["str | None", "str | None"]

_NOT_FROM_CODE = (
    "inherit is on, but settings that activate() was given stay in this process: the Pythons that "
    f"it starts run without them. Write them in a file, and name it in {names.CONFIG}."
)


class Inheritance:
    """The variables that are changed for children, each with what it was."""

    def __init__(self) -> None:
        self._wanted: Mapping[str, str | None] = {}
        self._changes: dict[str, _Change] = {}

    def follow(self, generation: Generation, given: Given) -> None:
        """Hand on what these settings say, in the place of what was handed on."""
        wanted = _wanted(generation, given)
        # A program that has changed one of them since means something by it.
        if wanted != self._wanted:
            self.take_back()
            self._wanted = wanted
            for name, value in wanted.items():
                if self._wanted is not wanted:  # a signal handler has said otherwise meanwhile
                    return
                self._changes[name] = process_environ().get(name), value
                change_environ(name, value)

    def take_back(self) -> None:
        """Restore what was there before; what others have written since stays."""
        changes, self._changes, self._wanted = self._changes, {}, {}
        for name, (before, ours) in changes.items():
            if process_environ().get(name) == ours:
                change_environ(name, before)


def _wanted(generation: Generation, given: Given) -> dict[str, str | None]:
    inherit = generation.settings.inherit
    if inherit is None or (inherit and not given.is_of_environment):
        return {}
    return {names.AUTOSTART: "1", **given.settled_paths()} if inherit else {names.AUTOSTART: None}


def describe(generation: Generation, given: Given) -> str:
    """What child Pythons have, for people."""
    if not given.is_of_environment:
        return "child Pythons have none of these settings"
    if is_handed_on():
        return f"child Pythons start with it, by {names.AUTOSTART}=1"
    remedy = f"; {names.INHERIT}=1 starts it there" if generation.settings.inherit is None else ""
    return f"child Pythons have it only if they import it{remedy}"


def is_handed_on() -> bool:
    """Whether a Python that is started with this environment starts the plugin by itself."""
    asked = process_environ().get(names.AUTOSTART, "")
    return asked.strip().lower() in names.AUTOSTART_YES


def warn(generation: Generation, given: Given) -> None:
    """Tell what cannot be handed on."""
    if not given.is_of_environment:
        if generation.settings.inherit:
            _logger.warning(_NOT_FROM_CODE)
        return
    if not generation.settings.inherit:
        return
    from ..diagnosis import check_inheritance  # late: most settings are not inherited

    for diagnostic in check_inheritance(generation.settings):
        _logger.warning("%s", diagnostic)


inheritance = Inheritance()
