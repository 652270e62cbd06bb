"""Keys in PKCS#11 tokens, as settings name them: by a URI in the place of a path.

A PIN in a URI is taken out of it before anything else is done, and the URI goes on without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..base import Origin, Secret, dataclass
from ..identity import (
    IdentitySettings,
    MalformedUriError,
    Material,
    TokenMaterial,
    TokenUri,
    is_token_uri,
    parse_token_uri,
)
from .draft import Place
from .files import is_path, read_value, resolved
from .table import Table


@dataclass(frozen=True)
class TokenEntry:
    """What an identity is made from, and the PIN as far as the URI gives it."""

    material: TokenMaterial
    pin: Secret[str] | None
    pin_origin: Origin | None


def token_entry(text: str, place: Place, certificate: str | None = None) -> TokenEntry | None:
    """The key of a URI; the certificate may be a path, another URI, or in the token as well."""
    uri = _parsed(text, place)
    if uri is None:
        return None
    at = place.at_pointer("pin-source") if uri.pin_source else place
    pin = uri.pin if uri.pin_source is None else _pin_of_file(uri.pin_source, at)
    if uri.pin_source and uri.pin:
        place.fault("has both a `pin-source` and a `pin-value`", "Keep the `pin-source`")
    material = TokenMaterial(uri.without_pin())
    if certificate is not None and is_token_uri(certificate):
        named = _parsed(certificate, place, "cert")
        material = replace(material, certificate_uri=named and named.without_pin())
    elif certificate is not None:
        material = replace(material, certificate_path=resolved(certificate, place))
    return TokenEntry(material, pin, None if pin is None else at.origin)


def table_entry(entry: Table) -> TokenEntry | None:
    """The key of an identity of the native file that is in a token."""
    if entry.has("pkcs12") | entry.has("source"):
        entry.place.fault("has a key in a token, and another beside it", "Keep one of the two")
    key, at = entry.text("key") or "", entry.place.at("key")
    certificate = entry.text("certificate")
    if certificate is not None and not (
        is_token_uri(certificate) or is_path(certificate, entry.place.at("certificate"))
    ):
        return None
    return token_entry(key, at, certificate)


def name_of(path: str, place: Place) -> str:
    """How an identity is called that is listed by a path or a URI: never by its PIN."""
    if not is_token_uri(path):
        return resolved(path, place)
    try:
        return str(parse_token_uri(path))
    except MalformedUriError:
        return "a PKCS#11 URI"  # a fault that is told where it is listed


def with_module(
    identities: Iterable[IdentitySettings], module: str
) -> tuple[IdentitySettings, ...]:
    """The identities, those in tokens with the module that the settings name for all."""
    return tuple(replace(each, material=_reached_by(each.material, module)) for each in identities)


def _reached_by(material: Material, module: str) -> Material:
    if not isinstance(material, TokenMaterial):
        return material
    return replace(material, module=module)


def _parsed(text: str, place: Place, kind: str = "private") -> TokenUri | None:
    try:
        return parse_token_uri(text, kind)
    except MalformedUriError as error:
        place.fault(f"is a PKCS#11 URI that {error.problem}", error.remedy)
        return None


def _pin_of_file(path: str, place: Place) -> Secret[str] | None:
    return read_value(resolved(path, place), place, written=path)
