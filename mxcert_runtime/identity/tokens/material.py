"""An identity whose key is in a token, with its certificate in a file or in the token itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ...base import Secret, dataclass
from ...errors import IdentityError, IdentityProblem
from ..sources import MaterialFile
from .uri import TokenUri

if TYPE_CHECKING:
    from ..material.certificate import Certificate
    from ..opening import Content, Opened


@dataclass(frozen=True)
class TokenMaterial:
    """A key by its URI, without its PIN; its certificate may be in a file or be named by a URI.

    Without either, the token is searched for one that fits the key.
    """

    uri: TokenUri
    certificate_path: str | None = None
    certificate_uri: TokenUri | None = None
    module: str | None = None

    def files(self) -> tuple[MaterialFile, ...]:
        """The certificate's, where it is in one."""
        path = self.certificate_path
        return () if path is None else (MaterialFile(path, holds_key=False),)

    def read(self) -> Content:
        """The bytes of the certificate; the token is asked when it is opened."""
        from ..material.source_file import read_file

        if self.certificate_path is None:
            return TokenContent(self, None, (f"the token of {self.uri}", str(self.uri)))
        labels = (repr(self.certificate_path), str(self.uri))
        return TokenContent(self, read_file(self.certificate_path), labels)

    def shown(self) -> str:
        """The URI, and where the certificate is."""
        shown = map(str, filter(None, (self.uri, self.certificate_path, self.certificate_uri)))
        return ", ".join(dict.fromkeys(shown))


@dataclass(frozen=True)
class TokenContent:
    """What there is before the PIN is given."""

    material: TokenMaterial
    certificates: Secret[bytes] | None = field(repr=False)
    labels: tuple[str, str]

    def parts(self) -> tuple[Secret[bytes], ...]:
        """None: whether the token still has the key, the token has to say."""
        return ()

    def prepared(self, password: Secret[str] | None) -> None:
        """Nothing: the work is that of the token."""

    def open(self, password: Secret[str] | None) -> Opened:
        """The key, and the certificates of the file or of the token."""
        from ..material.certificates import load_certificates
        from ..material.public_key import read_encoded_key
        from .access import log_in, public_half, reach
        from .token_key import TokenKey

        access = reach(self.material.uri, self.material.module)
        log_in(access, password)
        public = read_encoded_key(public_half(access, password))
        key = TokenKey(
            uri=access.uri,
            pin=password,
            module=access.module_path,
            token=access.token,
            public=public,
        )
        if self.certificates is None:
            return (key,), _in_token(self.material, password)
        return (key,), load_certificates(self.certificates, self.labels[0])


def _in_token(material: TokenMaterial, pin: Secret[str] | None) -> Sequence[Certificate]:
    """Those that are named, else all of the token; what is valid longest comes first."""
    from ..material.certificate import Certificate
    from .store import certificates

    named = material.certificate_uri
    uri = named.of("cert") if named else material.uri.in_token("cert")
    found = [Certificate(der) for der in certificates(uri, pin)]
    if not found:
        message = f"there is no certificate that is what `{uri}` says"
        remedy = "Put it into the token, or name its file in `certificate`"
        raise IdentityError(IdentityProblem.NO_CERTIFICATE, message, remedy)
    return sorted(found, key=_end, reverse=True)


def _end(certificate: Certificate) -> datetime:
    begin = datetime.min.replace(tzinfo=timezone.utc)
    return certificate.validity[1] if certificate.validity else begin
