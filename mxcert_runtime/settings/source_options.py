"""The `source` table of an identity: the options of a kind, and the source that they make.

One source serves all readings that say the same of it, so a reload does not begin anew.
"""

from __future__ import annotations

import hmac
import json
import math
import os
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from ..base import ForkSafeLock, Secret, dataclass
from ..errors import IdentityError
from ..identity import GuardedSource, OpenSource, Source, find_kind, known_kinds
from .files import resolved
from .table import Table
from .values import kind_of

_LONGEST_SECONDS = 86_400.0


@dataclass(frozen=True)
class TableOptions:
    """Options out of a table of the settings; see :class:`~.identity.source.Options`."""

    table: Table
    password: Secret[str] | None = None

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that settings are read from."""
        return self.table.place.environ

    def text(self, key: str) -> str | None:
        """A text that is not empty."""
        return self.table.text(key)

    def texts(self, key: str, *, least: int = 0) -> tuple[str, ...]:
        """A list of texts; one that stands alone is a list of one, and too few are a fault."""
        faults_before, texts = self.table.faults, self.table.texts(key)
        if len(texts) < least and self.table.faults == faults_before:
            problem = "is too short" if self.table.has(key) else "is missing"
            self.fault(key, problem, "Write a list of texts in quotes")
        return texts

    def path(self, key: str) -> str | None:
        """A path, as seen from the folder of the settings file."""
        return self.table.path(key)

    def located(self, path: str) -> str:
        """Any other path, as seen from the folder of the settings file."""
        return resolved(path, self.table.place)

    def secret(self, key: str) -> Secret[str] | None:
        """A text that is a secret; the settings seal what is called ``password``."""
        return self.table.secret(key)

    def boolean(self, key: str) -> bool | None:
        """True or false."""
        return self.table.boolean(key)

    def seconds(self, key: str, default: float) -> float:
        """A number of seconds above nothing, which YAML has as text."""
        value = self.table.value(key)
        if value is None:
            return default
        number = _number(value)
        if number is None or not 0 < number <= _LONGEST_SECONDS:
            problem = f"is {kind_of(value)}" if number is None else "is out of bounds"
            remedy = f"Write seconds, more than 0 and at most {_LONGEST_SECONDS:g}"
            self.fault(key, problem, remedy)
            return default
        return number

    def fault(self, key: str, problem: str, remedy: str) -> None:
        """Say what is wrong with the value of a key."""
        self.table.place.at(key).fault(problem, remedy)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def open_from(table: Table, password: Secret[str] | None) -> Source | None:
    """The source that a table describes, or ``None`` and a fault."""
    name = table.text("kind")
    if name is None:
        if not table.has("kind"):
            kinds = ", ".join(f"`{each}`" for each in known_kinds())
            table.place.fault("has no `kind`", f"Write one of {kinds}")
        return None
    opener = _found(name, table)
    if opener is None:
        return None
    faults_before = table.faults
    source = _opened(opener, TableOptions(table, password))
    table.refuse_unread()
    if source is None or table.faults != faults_before:
        return None
    return _shared.one(_key(table, password), GuardedSource(source))


def _found(name: str, table: Table) -> OpenSource | None:
    at = table.place.at("kind")
    try:
        opener = find_kind(name)
    except ImportError as error:
        problem = f"names the kind `{name}`, which needs {error.name or 'a package'}"
        at.fault(problem, "Install it with pip, into the Python of this program")
        return None
    except Exception as error:  # the code of somebody else
        problem = f"names the kind `{name}`, which cannot be loaded: {type(error).__name__}"
        at.fault(problem, "Mend or replace the package that it is part of")
        return None
    if opener is None:
        kinds = known_kinds()
        close = at.nearest(name, kinds)
        listed = ", ".join(f"`{each}`" for each in kinds)
        remedy = f"Write `{close}`, if that is meant" if close else f"Write one of {listed}"
        at.fault("names a kind of source that is not known", remedy)
    return opener


def _opened(opener: OpenSource, options: TableOptions) -> Source | None:
    place = options.table.place
    try:
        return opener(options)
    except IdentityError as error:
        place.fault(error.message, error.remedy)
    except Exception as error:  # the code of somebody else, whose words may hold a secret
        problem = f"cannot be opened: its code has raised {type(error).__name__}"
        place.fault(problem, "Mend the kind of source, or its options")
    return None


class _SharedSources:
    """The sources that settings in use name, by a keyed hash of what these say.

    The key never leaves the process, so that what is kept says nothing of a secret.
    """

    def __init__(self) -> None:
        self._hash_key = Secret(os.urandom(32))
        self._sources: WeakValueDictionary[bytes, Any] = WeakValueDictionary()
        self._lock = ForkSafeLock()

    def one(self, said: Secret[str], source: Source) -> Source:
        """The source that is in use for what was said, or else this one."""
        told = said.reveal().encode("utf-8", "surrogatepass")
        key = hmac.digest(self._hash_key.reveal(), told, "sha256")
        with self._lock:
            shared: Source = self._sources.setdefault(key, source)
        return shared


_shared = _SharedSources()


def _key(table: Table, password: Secret[str] | None) -> Secret[str]:
    place = table.place
    parts = [table.record, place.folder, sorted(place.environ.items()), password]
    return Secret(json.dumps(parts, default=_revealed, sort_keys=True))


def _revealed(value: object) -> str:
    if not isinstance(value, Secret):
        return repr(value)
    content = value.reveal()
    return content if isinstance(content, str) else content.hex()
