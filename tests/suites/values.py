"""What a suite of somebody else's is: where its tests come from and how they are run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.expected_differences import Expected
from tests.support.pinned_environment import PinnedEnvironment, normal_name

_LISTS = Path(__file__).parent


@dataclass(frozen=True)
class Suite:
    """The tests in the source distribution of a library, whose versions a list pins.

    ``unpacked`` is what of the source is laid beside the installed library; ``paths`` are where
    its tests stand, and ``options`` what pytest is told beside. ``left_out`` are tests that are
    not run, by parts of their names, each with its reason, and ``expected`` those that must
    end otherwise with the plugin.
    ``authority`` is a certificate and its key in the source, by whom the suite's servers let
    clients in. ``connects`` is whether it opens TLS connections at all: a run in which the plugin
    had none to decide on would else show nothing.
    """

    name: str
    distribution: str
    unpacked: tuple[str, ...]
    paths: tuple[str, ...]
    options: tuple[str, ...] = ()
    #: why some of its tests fail without the plugin
    failing: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    expected: tuple[Expected, ...] = ()
    authority: tuple[str, str] | None = None
    connects: bool = True
    seconds: float = 1800.0

    @property
    def environment(self) -> PinnedEnvironment:
        return PinnedEnvironment(f"suites-{self.name}", _LISTS / f"requirements-{self.name}.txt")

    @property
    def version(self) -> str:
        return self.environment.versions()[normal_name(self.distribution)]

    @property
    def source(self) -> Path:
        """The folder that the source distribution is unpacked in."""
        return self.environment.folder / "source"
