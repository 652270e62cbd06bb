"""PKCS#11 URIs (RFC 7512): which key or certificate in which token; what shows has no PIN.

A URI is read strictly: an attribute that nobody knows would leave the choice among several keys to
chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field, replace
from urllib.parse import quote, unquote_to_bytes

from ...base import Secret, dataclass
from .scheme import SCHEME

#: what tells tokens apart, and what tells objects in a token apart
_TOKEN = ("token", "manufacturer", "serial", "model")
_SLOT = ("slot-manufacturer", "slot-description", "slot-id")
_LIBRARY = ("library-manufacturer", "library-version", "library-description")
_OBJECT = ("object", "id")
_PATH = (*_TOKEN, *_SLOT, *_LIBRARY, *_OBJECT, "type")
_QUERY = ("pin-source", "pin-value", "module-path", "module-name")
#: RFC 7512, section 2.3, what may stand in a value as it is, without `&`, which ends one in a query
_PLAIN = "-._~:[]@!$'()*+,="
#: an attribute of the query: elsewhere it would be shown with what it stands in
_PIN = "pin-value="
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class MalformedUriError(ValueError):
    """A text is no PKCS#11 URI for a private key; it is not quoted, since it may hold a PIN."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(problem, remedy)


@dataclass(frozen=True)
class TokenUri:
    """Where a key is: attributes of its token and of itself, each decoded, in their order."""

    attributes: tuple[tuple[str, bytes], ...]
    #: the file that holds the PIN
    pin_source: str | None = None
    pin: Secret[str] | None = field(default=None, repr=False)
    module_path: str | None = None

    def __str__(self) -> str:
        """The URI without its PIN."""
        return _written(self.attributes)

    def without_pin(self) -> TokenUri:
        """The same key, whoever knows the PIN."""
        return replace(self, pin=None, pin_source=None)

    def of(self, kind: str) -> str:
        """The URI of the objects of a class, such as ``private``."""
        return f"{self};type={kind}"

    def in_token(self, kind: str) -> str:
        """The URI of all objects of a class in the token of the key."""
        kept = (each for each in self.attributes if each[0] not in _OBJECT)
        return f"{_written(kept)};type={kind}"

    def of_token(self) -> dict[str, str]:
        """What the token must be: its label, maker, serial number and model, as far as given."""
        return {name: _text(value) for name, value in self.attributes if name in _TOKEN}

    @property
    def slot(self) -> int | None:
        """The number of the slot, where it is given."""
        value = dict(self.attributes).get("slot-id")
        return None if value is None else int(value)


def with_pin(uri: str, pin: Secret[str] | None) -> Secret[str]:
    """A URI as OpenSSL gets it: with its PIN."""
    return Secret(uri if pin is None else f"{uri}?pin-value={quote(pin.reveal(), safe='')}")


def parse_token_uri(text: str, kind: str = "private") -> TokenUri:
    """The key that a URI names, or the certificate (``cert``).

    Raises :class:`MalformedUriError`.
    """
    path, _, query = text[len(SCHEME) :].partition("?")
    attributes = _attributes(path.split(";"), _PATH)
    asked = dict(_attributes(query.split("&"), _QUERY))
    _refuse_class(dict(attributes), kind)
    if "module-name" in asked:
        problem = "has the attribute `module-name`"
        raise MalformedUriError(problem, "Write `module-path`, or the setting `pkcs11_module`")
    pin = asked.get("pin-value")
    return TokenUri(
        tuple(each for each in attributes if each[0] != "type"),
        _file_of(asked.get("pin-source")),
        None if pin is None else Secret(_text(pin)),
        _text(asked["module-path"]) if "module-path" in asked else None,
    )


def _refuse_class(given: dict[str, bytes], kind: str) -> None:
    if _text(given.get("type", kind.encode())) != kind:
        problem = f"names an object of the type `{_text(given['type'])}`"
        raise MalformedUriError(problem, f"Write `type={kind}`, which is what is needed here")
    if not any(name in given for name in (*_TOKEN, *_SLOT)):
        problem = "does not say in which token the key is"
        raise MalformedUriError(problem, "Write `token=` with the label of the token")
    if not given.get("slot-id", b"0").isdigit():
        raise MalformedUriError("has a `slot-id` that is no number", "Write the number of the slot")


def _attributes(parts: Iterable[str], known: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    found: dict[str, bytes] = {}
    for part in filter(None, parts):
        name, equals, value = part.partition("=")
        if not equals or name not in known:
            # What is not known may be a PIN with a character that ends its attribute.
            problem = "has an attribute that RFC 7512 does not know, or that has no value"
            remedy = f"Write {', '.join(known)}; and `;` and `&` in a value as %3B and %26"
            raise MalformedUriError(problem, remedy)
        if name in found:
            problem = f"has the attribute `{name}` twice"
            raise MalformedUriError(problem, "Keep one of the two")
        if _PIN in value.lower():
            problem = f"has a PIN in the value of `{name}`"
            raise MalformedUriError(problem, "Write `?` in front of `pin-value=`")
        if _ESCAPE.search(value):
            problem = f"has a `%` in `{name}` that begins no escape"
            raise MalformedUriError(problem, "Write %25 for a percent sign")
        found[name] = unquote_to_bytes(value)
    return tuple(found.items())


def _file_of(source: bytes | None) -> str | None:
    """RFC 7512, section 2.4: a file, or a command behind a bar."""
    if source is None:
        return None
    text = _text(source)
    if text.startswith("|"):
        problem = "has a command as its `pin-source`"
        raise MalformedUriError(problem, "Name a file: `pin-source=file:/run/secrets/pin`")
    return re.sub(r"^file:(//)?", "", text)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _written(attributes: Iterable[tuple[str, bytes]]) -> str:
    return SCHEME + ";".join(f"{name}={_quoted(name, value)}" for name, value in attributes)


def _quoted(name: str, value: bytes) -> str:
    if name == "id":  # whatever it is, it is no text
        return "".join(f"%{byte:02X}" for byte in value)
    return quote(value, safe=_PLAIN)
