"""What an identity or an authority is made from, as the settings name it.

Nothing is read before it is asked for, and nothing here is decrypted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING, Protocol, Union

from ..base import Origin, Secret, dataclass

if TYPE_CHECKING:
    from .opening import Content
    from .source import Source

#: what is shown of material that stands in the settings themselves
INLINE = "(in the settings)"
_INLINE_LABEL = "the PKCS12 content in the settings"


@dataclass(frozen=True)
class MaterialFile:
    """A file that material is read from, and whether there is a private key in it."""

    path: str
    holds_key: bool


class Material(Protocol):
    """What an identity is made from; one kind of source is one class of this shape."""

    def files(self) -> tuple[MaterialFile, ...]:
        """The files that it is read from, each once: a change of one changes the identity."""

    def read(self) -> Content:
        """What it holds now.

        Raises :class:`~.errors.IdentityError`: ``UNREADABLE``, or ``DAMAGED`` where it is empty.
        """

    def shown(self) -> str:
        """What is shown of it; never a secret."""


# What reads and opens is imported late: settings are read where nothing is opened, too.


@dataclass(frozen=True)
class Pkcs12File:
    """A PKCS12 file by its path."""

    path: str

    def files(self) -> tuple[MaterialFile, ...]:
        """The one file."""
        return (MaterialFile(self.path, holds_key=True),)

    def read(self) -> Content:
        """The bytes of the file."""
        from .material.source_file import read_file
        from .opening import Pkcs12Content

        return Pkcs12Content(read_file(self.path), repr(self.path))

    def shown(self) -> str:
        """The path."""
        return self.path


@dataclass(frozen=True)
class Pkcs12Inline:
    """The bytes of a PKCS12 file, given in the settings themselves."""

    content: Secret[bytes]

    def files(self) -> tuple[MaterialFile, ...]:
        """None."""
        return ()

    def read(self) -> Content:
        """The bytes that are at hand."""
        from .material.source_file import refuse_size
        from .opening import Pkcs12Content

        refuse_size(self.content, _INLINE_LABEL)
        return Pkcs12Content(self.content, _INLINE_LABEL)

    def shown(self) -> str:
        """Where it is, and nothing of it."""
        return INLINE


@dataclass(frozen=True)
class PemFiles:
    """A PEM certificate file (leaf and chain) and its key file, which may be the same file."""

    certificate_path: str
    key_path: str

    def files(self) -> tuple[MaterialFile, ...]:
        """One or two."""
        key = MaterialFile(self.key_path, holds_key=True)
        if self.certificate_path == self.key_path:
            return (key,)
        return MaterialFile(self.certificate_path, holds_key=False), key

    def read(self) -> Content:
        """The texts of both."""
        from .material.source_file import read_file
        from .opening import PemContent

        certificates = read_file(self.certificate_path)
        is_one = self.certificate_path == self.key_path
        key = certificates if is_one else read_file(self.key_path)
        return PemContent(certificates, key, (repr(self.certificate_path), repr(self.key_path)))

    def shown(self) -> str:
        """The paths."""
        return ", ".join(each.path for each in self.files())


@dataclass(frozen=True)
class SourceMaterial:
    """What a source gives, whenever it is asked; two of the same source are one."""

    source: Source = field(repr=False)

    def files(self) -> tuple[MaterialFile, ...]:
        """Those by which the source goes; what is in them is its own affair."""
        return tuple(MaterialFile(path, holds_key=False) for path in self.source.files())

    def read(self) -> Content:
        """What the source holds."""
        from .opening import content_of

        return content_of(self.source.read(), self.shown())

    def shown(self) -> str:
        """What the source shows of itself."""
        return self.source.shown()


@dataclass(frozen=True)
class AuthorityFile:
    """A file of one or more PEM certificates of authorities."""

    path: str
    origin: Origin


@dataclass(frozen=True)
class AuthorityText:
    """PEM text of one or more certificates of authorities, given in the settings themselves."""

    pem: str
    origin: Origin


Authority = Union[AuthorityFile, AuthorityText]


@dataclass(frozen=True)
class IdentitySettings:
    """One identity as the settings describe it; ``name`` is unique among them."""

    name: str
    material: Material
    password: Secret[str] | None
    origin: Origin
    password_origin: Origin | None = None
    #: pinned CAs: when not empty, only these count for the hosts of this identity's rules
    authorities: tuple[Authority, ...] = ()


def sources_of(identities: Iterable[IdentitySettings]) -> tuple[Source, ...]:
    """The sources among what identities are made from, each once."""
    materials = [each.material for each in identities]
    found = [each.source for each in materials if isinstance(each, SourceMaterial)]
    return tuple({id(each): each for each in found}.values())
