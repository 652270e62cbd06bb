"""What an identity or an authority is made from, as the settings name it; nothing here reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ..base.faults import Origin
from ..base.secret import Secret


@dataclass(frozen=True)
class Pkcs12File:
    """A PKCS12 file by its path."""

    path: str


@dataclass(frozen=True)
class Pkcs12Inline:
    """The bytes of a PKCS12 file, given in the settings themselves."""

    content: Secret[bytes]


@dataclass(frozen=True)
class PemFiles:
    """A PEM certificate file (leaf and chain) and its key file, which may be the same file."""

    certificate_path: str
    key_path: str


Material = Union[Pkcs12File, Pkcs12Inline, PemFiles]


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
    #: when not empty, these authorities alone count for the hosts of this identity's rules
    authorities: tuple[Authority, ...] = ()
