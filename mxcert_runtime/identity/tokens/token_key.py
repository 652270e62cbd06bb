"""A private key in a PKCS#11 token: OpenSSL gets its URI, and the token signs."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any

from ...base import Secret, dataclass, memory_file, public_file, temporary_file, write_all
from ...errors import IdentityError, IdentityProblem, MxcertError
from ..key import LoadArguments
from ..material.ber import SEQUENCE, encode
from ..material.pem import pem_text
from ..material.public_key import PublicKey
from ..openssl_reason import Refusal, is_known_reason
from .access import log_in_again, reach
from .cryptoki import Token
from .provider import keeps_pins
from .uri import TokenUri, with_pin

_VISIBLE_STRING, _UTF8_STRING = 0x1A, 0x0C
_LABEL, _VERSION = "PKCS#11 PROVIDER URI", b"PKCS#11 Provider URI v1.0"
_ANSWERS_NOT = "the token does not give its key"


class TokenRefusedError(MxcertError, ssl.SSLError):
    """The key in a token cannot be had now; ``refusal`` says why, as far as the token tells."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(1, f"{refusal}. {refusal.remedy}")
        self.library, self.reason = "PKCS11", refusal.reason


@dataclass(frozen=True, eq=False)
class TokenKey:
    """A key that cannot be exported."""

    uri: TokenUri
    pin: Secret[str] | None = field(repr=False)
    module: str
    token: Token
    public: PublicKey = field(repr=False)

    @property
    def kind(self) -> str:
        """By its public half."""
        return self.public.kind

    def public_key(self) -> PublicKey:
        """What the token tells of it."""
        return self.public

    @contextlib.contextmanager
    def for_ssl(self, certificates: bytes) -> Iterator[LoadArguments]:
        """A file with the certificates and one with the URI, which OpenSSL's provider takes."""
        refusal = self._absence()
        if refusal is not None:
            raise TokenRefusedError(refusal)
        with public_file(certificates) as path, self._reference() as (reference, password):
            try:
                yield LoadArguments(path, reference, password)
            except ssl.SSLError as error:
                if is_known_reason(error):
                    raise
                refusal = self._explain()
        if refusal is not None:
            raise TokenRefusedError(refusal)

    @contextlib.contextmanager
    def _reference(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """The PIN goes apart from the URI, which the provider's log shows.

        A provider that does not keep it would have to ask for it again, and can ask nobody.
        """
        uri, pin = self.uri.of("private"), self.pin or Secret("")
        with memory_file() as memory:
            if memory is not None:
                path, file = memory
                kept = keeps_pins() or not self.pin
                write_all(file, reference_pem(Secret(uri) if kept else with_pin(uri, self.pin)))
                yield path, pin.reveal
                return
        with temporary_file(reference_pem(Secret(uri))) as path:
            yield path, pin.reveal

    def _absence(self) -> Refusal | None:
        """Why the token cannot be used now."""
        try:
            log_in_again(reach(self.uri, self.module), self.pin)
        except IdentityError as error:
            is_pin = error.problem is IdentityProblem.WRONG_PIN
            reason = "PIN_REFUSED" if is_pin else "TOKEN_NOT_THERE"
            return Refusal(reason, error.message, error.remedy)
        return None

    def _explain(self) -> Refusal:
        """Why OpenSSL does not get the key."""
        absence = self._absence()
        if absence is not None:
            return absence
        remedy = "See `mxcert check`; a PIN or key that was changed counts from the next start on"
        return Refusal("TOKEN_REFUSED", f"{_ANSWERS_NOT}, {self.uri}", remedy)

    def for_pyopenssl(self) -> Any:
        """Only where pyOpenSSL shares the OpenSSL of ``ssl``, as in a distribution's packages."""
        from OpenSSL import crypto

        # Where the two share their OpenSSL, its provider would try a refused PIN again each time.
        log_in_again(reach(self.uri, self.module), self.pin)
        pem = reference_pem(with_pin(self.uri.of("private"), self.pin))
        with contextlib.suppress(crypto.Error):
            return crypto.load_privatekey(crypto.FILETYPE_PEM, pem.reveal(), b"")
        message = (
            f"the key `{self.uri}` is in a token, which the OpenSSL of pyOpenSSL cannot use: it is"
            " another one than that of `ssl`"
        )
        remedy = (
            "Let this client use `ssl` (for urllib3: without `inject_into_urllib3`), or build"
            " cryptography against the system's OpenSSL"
        )
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)


def reference_pem(uri: Secret[str]) -> Secret[bytes]:
    """The PEM block that the provider reads as the key: a version, and the URI."""
    version = encode(_VISIBLE_STRING, _VERSION)
    der = Secret(encode(SEQUENCE, version, encode(_UTF8_STRING, uri.reveal().encode())))
    return pem_text(_LABEL, der)
