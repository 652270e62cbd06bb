"""A table of a settings file as its readers see it: typed values out, faults for all else."""

from __future__ import annotations

from dataclasses import field, replace

from ..base import Origin, Secret, dataclass, hidden_text
from .draft import Findings, Place
from .files import is_path, resolved
from .identifiers import shown_key
from .values import Record, kind_of


@dataclass(frozen=True)
class Table:
    """A record and where it stands; a key with null counts as absent.

    It knows which keys its reader has asked for, so that no list of them can say that a key is
    read when nobody reads it.
    """

    record: Record = field(repr=False)
    place: Place
    #: the keys that were asked for, in that order
    asked: dict[str, None] = field(default_factory=dict, repr=False, compare=False)

    def named(self, name: str) -> Table:
        """This table with a name in its place; what was asked of the one counts for both."""
        origin = replace(self.origin, place=f"{self.origin.place} ({name})")
        return replace(self, place=replace(self.place, origin=origin))

    def telling(self, findings: Findings) -> Table:
        """This table with its faults elsewhere; what was asked of the one counts for both."""
        return replace(self, place=self.place.telling(findings))

    @property
    def origin(self) -> Origin:
        """Where the table stands."""
        return self.place.origin

    @property
    def faults(self) -> int:
        """How many faults were told so far, of this table and others."""
        return len(self.place.findings.faults)

    def has(self, key: str) -> bool:
        """Whether the table gives a value."""
        return self.value(key) is not None

    def value(self, key: str) -> object:
        """The value as it was read; ``None`` where there is none."""
        self.asked[key] = None
        return self.record.get(key)

    def refuse_unread(self) -> None:
        """A fault for each key that nobody has asked for or that stands there twice.

        To be called by a reader that has asked for all that it reads.
        """
        for key in self.record:
            if key not in self.asked:
                close = self.place.nearest(key, self.asked)
                allowed = ", ".join(f"`{name}`" for name in self.asked)
                remedy = f"Write `{close}`, if that is meant" if close else f"Write {allowed}"
                self.place.fault(f"has the unknown key {self._shown(key)}", remedy)
        for key in self.record.repeated:
            problem = f"has the key {shown_key(key)} twice"
            self.place.fault(problem, "Keep one of the two")

    def _shown(self, key: str) -> str:
        # In YAML's braces a value that has lost its key to a comma is a key without a value.
        is_value = self.record[key] is None
        return f"{hidden_text(key)}, and has no value" if is_value else shown_key(key)

    def text(self, key: str) -> str | None:
        """A text that is not empty."""
        value = self.value(key)
        if isinstance(value, str) and value:
            return value
        if value is not None:
            problem = "is empty" if value == "" else f"is {kind_of(value)}, not text"
            remedy = "Write a value or drop the key" if value == "" else "Write it in quotes"
            self.place.at(key).fault(problem, remedy)
        return None

    def path(self, key: str) -> str | None:
        """A path, as seen from the folder of the file."""
        path = self.text(key)
        if path is None or not is_path(path, self.place.at(key)):
            return None
        return resolved(path, self.place)

    def boolean(self, key: str) -> bool | None:
        """True or false, and nothing that only reads like it."""
        value = self.value(key)
        if value is None or isinstance(value, bool):
            return value
        problem, remedy = f"is {kind_of(value)}, not true or false", "Write true or false, bare"
        self.place.at(key).fault(problem, remedy)
        return None

    def secret(self, key: str) -> Secret[str] | None:
        """A text that is a secret; it may be empty."""
        value = self.value(key)
        if isinstance(value, Secret) and isinstance(value.reveal(), str):
            return value
        if value is not None:
            problem = f"is {kind_of(value)}, not text"
            self.place.at(key).fault(problem, "Write it as text, in quotes")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, none of them empty; a text that stands alone is a list of one."""
        value = self.value(key)
        items = value if isinstance(value, list) else [] if value is None else [value]
        for number, item in enumerate(items, 1):
            if not isinstance(item, str) or not item.strip():
                problem = f"is {kind_of(item)}, not text" if item != "" else "is empty"
                at = self.place.at(f"{key}, entry {number}")
                at.fault(problem, "Write a text in quotes")
        return tuple(item for item in items if isinstance(item, str) and item.strip())

    def table(self, key: str) -> Table | None:
        """A table inside this one."""
        value = self.value(key)
        if isinstance(value, Record):
            return Table(value, self.place.at(key))
        if value is not None:
            problem = f"is {kind_of(value)}, not a table"
            self.place.at(key).fault(problem, "Write name and value of each entry")
        return None

    def tables(self, key: str) -> list[Table]:
        """A list of tables, each at its number; a table that stands alone is a list of one."""
        value = self.value(key)
        items = value if isinstance(value, list) else [] if value is None else [value]
        for number, item in enumerate(items, 1):
            if not isinstance(item, Record):
                at = self.place.at(f"{key} {number}")
                at.fault(f"is {kind_of(item)}, not a table", "Write its keys")
        return [
            Table(item, self.place.at(f"{key} {number}"))
            for number, item in enumerate(items, 1)
            if isinstance(item, Record)
        ]
