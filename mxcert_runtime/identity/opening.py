"""Opens what was read: keys and certificates out of PKCS12 or PEM, whatever gave the bytes.

The readers of a form are loaded with the first content that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from ..base import Secret, dataclass

if TYPE_CHECKING:
    from .key import Key
    from .material.certificate import Certificate
    from .source import Credentials

    Opened = tuple[Sequence[Key], Sequence[Certificate]]

#: what no PKCS12 has in it, armoured or not
_PEM_MARKS = (b"-----BEGIN CERTIFICATE-----", b"PRIVATE KEY-----")


class Content(Protocol):
    """What material held when it was read; nothing of it is decrypted."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What errors call the parts: that with the certificates first, that with the key last."""

    def parts(self) -> tuple[Secret[bytes], ...]:
        """The bytes: what has the same ones and the same password is opened once in a process.

        None at all is never kept, since its bytes do not tell whether it has changed.
        """

    def open(self, password: Secret[str] | None) -> Opened:
        """Keys and certificates, each in its order.

        Raises :class:`~.errors.IdentityError`.
        """

    def prepared(self, password: Secret[str] | None) -> Preparation | None:
        """What is to be opened, where some of the work can be done in other threads before.

        Raises :class:`~.errors.IdentityError`.
        """


class Preparation(Protocol):
    """Content whose outside has been read."""

    def derivations(self) -> Iterator[Callable[[], None]]:
        """What may be done before :meth:`open`, in any thread; each fails as that would."""

    def open(self) -> Opened:
        """Keys and certificates, as those of the content."""


@dataclass(frozen=True)
class Pkcs12Content:
    """The bytes of a PKCS12 file."""

    content: Secret[bytes] = field(repr=False)
    label: str

    @property
    def labels(self) -> tuple[str, ...]:
        """One for both."""
        return (self.label,)

    def parts(self) -> tuple[Secret[bytes], ...]:
        """The one content."""
        return (self.content,)

    def open(self, password: Secret[str] | None) -> Opened:
        """All keys of the file."""
        from .material.pkcs12 import open_pkcs12

        return open_pkcs12(self.content, password, self.label)

    def prepared(self, password: Secret[str] | None) -> Preparation:
        """The outside of the file, read."""
        from .material.pkcs12 import Pkcs12

        return Pkcs12(self.content, password, self.label)


@dataclass(frozen=True)
class PemContent:
    """PEM text with certificates and PEM text with a key, which may be the same text."""

    certificates: Secret[bytes] = field(repr=False)
    key: Secret[bytes] = field(repr=False)
    labels: tuple[str, str]

    def parts(self) -> tuple[Secret[bytes], ...]:
        """Both texts."""
        return self.certificates, self.key

    def open(self, password: Secret[str] | None) -> Opened:
        """The first key of its text, and every certificate of the other."""
        from .material.certificates import load_certificates
        from .material.pem_key import open_pem_key

        certificates = load_certificates(self.certificates, self.labels[0])
        return (open_pem_key(self.key, password, self.labels[1]),), certificates

    def prepared(self, password: Secret[str] | None) -> Preparation | None:
        """Nothing: keys in PEM are read in one go."""
        return None


@dataclass(frozen=True)
class CredentialsContent:
    """What a source gives, with the password and the CAs that the source has for it."""

    content: Pkcs12Content | PemContent
    password: Secret[str] | None = None
    authorities: bytes = field(default=b"", repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of the content."""
        return self.content.labels

    def parts(self) -> tuple[Secret[bytes], ...]:
        """The content, and the password that opens it."""
        text = self.password.reveal() if self.password else ""
        password = Secret(text.encode("utf-8", "surrogatepass"))
        return (*self.content.parts(), password)

    def open(self, password: Secret[str] | None) -> Opened:
        """The content, by the password that came with it, or else by that of the settings."""
        return self.content.open(password if self.password is None else self.password)

    def prepared(self, password: Secret[str] | None) -> Preparation | None:
        """That of the content."""
        return self.content.prepared(password if self.password is None else self.password)


def content_of(credentials: Credentials, label: str) -> CredentialsContent:
    """The content of credentials, PEM or PKCS12 by what it holds; ``label`` is what errors call it.

    Raises :class:`~.errors.IdentityError` where there is none, or too much.
    """
    from .material.source_file import refuse_size

    material = credentials.sealed
    refuse_size(material, label)
    is_pem = any(mark in material.reveal() for mark in _PEM_MARKS)
    content = (
        PemContent(material, material, (label, label)) if is_pem else Pkcs12Content(material, label)
    )
    return CredentialsContent(content, credentials.password, credentials.authorities)
