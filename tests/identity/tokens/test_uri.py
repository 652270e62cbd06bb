"""PKCS#11 URIs are read strictly, and what shows of them has no PIN."""

from __future__ import annotations

import pytest

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.identity.tokens.scheme import is_token_uri
from mxcert_runtime.identity.tokens.uri import MalformedUriError, parse_token_uri, with_pin

PIN = "12;34&56%"
FULL = (
    "pkcs11:token=The%20Token;manufacturer=M;serial=1a;model=X;object=my%3Bkey;id=%01%ff;type=private"
    "?pin-value=12%3B34%2656%25&module-path=/usr/lib/x.so"
)


def test_all_attributes() -> None:
    """Each is decoded; what is written again means the same."""
    uri = parse_token_uri(FULL)

    assert {"token": "The Token", "manufacturer": "M", "serial": "1a", "model": "X"} == (
        uri.of_token()
    )
    assert PIN == (uri.pin or Secret("")).reveal()
    assert "/usr/lib/x.so" == uri.module_path
    assert uri.without_pin().attributes == parse_token_uri(str(uri)).attributes
    assert b"\x01\xff" == dict(uri.attributes)["id"]


def test_what_is_asked_of_the_provider() -> None:
    """The class stands once, objects of the whole token are without name and number."""
    uri = parse_token_uri("pkcs11:token=a;object=b;id=%01;type=private")

    assert "pkcs11:token=a;object=b;id=%01;type=private" == uri.of("private")
    assert "pkcs11:token=a;type=cert" == uri.in_token("cert")
    assert "pkcs11:token=a?pin-value=12%3B34%2656%25" == (
        with_pin("pkcs11:token=a", Secret(PIN)).reveal()
    )
    assert "pkcs11:token=a" == with_pin("pkcs11:token=a", None).reveal()


def test_nothing_shows_a_pin() -> None:
    """Neither text nor repr, of the URI or of its errors."""
    uri = parse_token_uri(FULL)
    assert not [text for text in (str(uri), repr(uri), f"{uri}") if "34" in text]
    with pytest.raises(MalformedUriError) as caught:
        parse_token_uri(FULL + "&pin-value=1")
    assert "34" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pkcs11:token=a;object=b;type=cert", "type `cert`"),
        ("pkcs11:object=b", "in which token"),
        ("pkcs11:token=a;lable=b", "does not know"),
        ("pkcs11:token=a;object", "no value"),
        ("pkcs11:token=a;token=b", "twice"),
        ("pkcs11:token=a;object=50%", "no escape"),
        ("pkcs11:slot-id=first", "no number"),
        ("pkcs11:token=a?pin-source=|cat%20pin", "a command"),
        ("pkcs11:token=a?pin-value=12;34&56", "does not know"),
        ("pkcs11:token=a?module-name=x", "module-name"),
    ],
)
def test_what_is_refused(text: str, problem: str) -> None:
    """What leaves the choice to chance, and what nobody would do."""
    with pytest.raises(MalformedUriError) as caught:
        parse_token_uri(text)
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("source", "path"),
    [("file:/run/pin", "/run/pin"), ("file:///run/pin", "/run/pin"), ("pin", "pin")],
)
def test_the_file_of_a_pin(source: str, path: str) -> None:
    """A ``file:`` URI or a path."""
    assert path == parse_token_uri(f"pkcs11:token=a?pin-source={source}").pin_source


def test_what_is_meant_as_a_uri() -> None:
    """The scheme in whatever case; a file of such a name needs ``./`` in front."""
    assert is_token_uri("PKCS11:token=a")
    assert not is_token_uri("./pkcs11:token=a")
    assert not is_token_uri("pkcs11.pem")
