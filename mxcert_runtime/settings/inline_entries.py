"""An entry of a list whose items are certificates themselves: PKCS12 content, password and pins.

What it holds stays in memory: nothing is written out, and nothing of it is ever quoted.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from ..base import Secret, dataclass
from ..identity import IdentitySettings, Pkcs12Inline
from .draft import Draft, Place
from .identifiers import rules_of
from .model import RuleKind
from .table import Table
from .values import Record, SecretText, kind_of


@dataclass(frozen=True)
class Fields:
    """What a format calls the parts of an entry, and how it writes a password."""

    content: str
    pins: str
    password: Callable[[Table], Secret[str] | None]


def add_entries(items: Iterable[object], place: Place, fields: Fields, draft: Draft) -> None:
    """Add the identity and the rules of each entry; a name is its list's with its number."""
    name = place.origin.place or place.origin.source.rpartition(" ")[2]
    for number, item in enumerate(items, 1):
        at = place.at(f"entry {number}")
        if isinstance(item, Record):
            _add_entry(f"{name}[{number}]", Table(item, at), fields, draft)
        else:
            at.fault(f"is {kind_of(item)}, not a table", "Write name and value of each field")


def _add_entry(name: str, entry: Table, fields: Fields, draft: Draft) -> None:
    # An entry with a fault makes no identity: it would only lead to further faults.
    faults_before = entry.faults
    content = _content(entry, fields.content)
    password = fields.password(entry)
    pins = entry.texts(fields.pins)
    entry.refuse_unread()
    if content is not None and entry.faults == faults_before:
        at = None if password is None else entry.place.at("password").origin
        material = Pkcs12Inline(content)
        draft.identities.append(
            IdentitySettings(
                name=name,
                material=material,
                password=password,
                origin=entry.origin,
                password_origin=at,
            )
        )
    place = entry.place.at(fields.pins)
    draft.rules += rules_of(pins, RuleKind.HOST_OR_SERVICE, name, place)


def _content(entry: Table, field: str) -> Secret[bytes] | None:
    if not entry.has(field):
        remedy = "Write the base64 of the PKCS12 file"
        entry.place.fault(f"has no `{field}`, which is required", remedy)
        return None
    text = entry.secret(field)
    if text is None:
        return None
    content = decoded(text)
    if content:
        return content
    problem = "is empty" if content is not None else "is not valid base64"
    remedy = (
        "Write the base64 of the PKCS12 file itself, from `base64 -w0`: not its path, not PEM text,"
        " not a `data:` URL"
    )
    entry.place.at(field).fault(problem, remedy)
    return None


def decoded(text: SecretText) -> Secret[bytes] | None:
    """What a text is the base64 of, if it is."""
    try:
        return Secret(base64.b64decode("".join(text.reveal().split()), validate=True))
    except ValueError:
        return None


def utf_8(content: Secret[bytes]) -> Secret[str] | None:
    """The text that bytes are, if they are UTF-8."""
    try:
        return Secret(content.reveal().decode())
    except UnicodeDecodeError:
        return None
