"""The native settings file as text: TOML, with the line by which editors find its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from typing import Union

from ...base import Secret, dataclass
from ...settings import PUBLISHED

SCHEMA_LINE = f"#:schema ./{PUBLISHED}"

#: what its name ends in, since the format is told by it
ENDING = ".toml"

Scalar = Union[str, bool, float]
Table = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class NativeIdentity:
    """An ``[[identity]]``; keys are those of the file, and what is empty is left out."""

    name: str
    #: keys and values that say where it is: ``pkcs12``, ``certificate``, ``key``
    material: tuple[tuple[str, str], ...]
    password: Secret[str] | None = None
    #: where the password is, in the place of the password itself
    password_file: str | None = None
    hosts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class NativeFile:
    """All that is written into one file; comments stand above what they are of."""

    identities: tuple[NativeIdentity, ...]
    scalars: tuple[tuple[str, Scalar | tuple[str, ...]], ...] = ()
    authorities: tuple[str, ...] = ()
    never_hosts: tuple[str, ...] = ()
    never_services: tuple[str, ...] = ()
    services: Table = ()
    comments: tuple[str, ...] = ()
    #: what is to be filled in by hand in ``[services]``
    services_to_fill_in: tuple[str, ...] = field(default=())


def toml_text(file: NativeFile) -> Secret[str]:
    """The whole text. It holds a secret only where an identity has its password in clear."""
    return Secret("\n".join(_lines(file)) + "\n")


def quoted(text: str) -> str:
    """A text as TOML has it: a path with backslashes in single quotes, as it is."""
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _lines(file: NativeFile) -> Iterator[str]:
    yield SCHEMA_LINE
    yield from _comments(file.comments)
    head = [*(f"{key} = {_value(value)}" for key, value in file.scalars)]
    head += _lists(("ca", file.authorities))
    if head:
        yield ""
    yield from head
    for identity in file.identities:
        yield from ("", *_comments(identity.comments), "[[identity]]")
        yield from _identity_lines(identity)
    never = _lists(("hosts", file.never_hosts), ("services", file.never_services))
    if never:
        yield from ("", "[no_certificate]", *never)
    yield from _service_lines(file)


def _comments(comments: Iterable[str]) -> Iterator[str]:
    for comment in comments:
        yield "# " + "".join(each if each.isprintable() else _escaped(each) for each in comment)


def _identity_lines(identity: NativeIdentity) -> Iterator[str]:
    yield f"name = {quoted(identity.name)}"
    for key, value in identity.material:
        yield f"{key} = {quoted(value)}"
    if identity.password_file is not None:
        yield f"password_file = {quoted(identity.password_file)}"
    elif identity.password is not None:
        yield f"password = {quoted(identity.password.reveal())}"
    lists = (("hosts", identity.hosts), ("services", identity.services))
    yield from _lists(*lists, ("ca", identity.authorities))


def _service_lines(file: NativeFile) -> Iterator[str]:
    if not file.services and not file.services_to_fill_in:
        return
    yield from ("", "[services]")
    yield from (f"{quoted(name)} = {_value(hosts)}" for name, hosts in file.services)
    if file.services_to_fill_in:
        yield "# To fill in, unless the code names the service itself: the hosts of"
        for name in file.services_to_fill_in:
            yield from _comments([f'{quoted(name)} = ["..."]'])


def _lists(*lists: tuple[str, Sequence[str]]) -> list[str]:
    return [f"{key} = {_value(tuple(values))}" for key, values in lists if values]


def _value(value: Scalar | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(quoted, value))}]"
    return quoted(value) if isinstance(value, str) else repr(value)
