"""Host names, addresses and patterns: what is the same host, and what is none."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable

import pytest
from hypothesis import example, given, strategies as st

from mxcert_runtime.base.hosts import (
    HostPattern,
    UnnamedHost,
    canonical_host,
    host_dialled,
    parse_any_pattern,
    parse_pattern,
)
from mxcert_runtime.errors import HostNameError
from tests.support.properties import examples

ADDRESSES_DIALLED = [
    *("10.0.0.1", "10.0.0.1.", "::1", "fe80::1%lo", "127.1", "2130706433", ""),
    *("0x7f000001", "0x7f.0x1", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021"),
]


@pytest.mark.parametrize("address", ADDRESSES_DIALLED)
def test_an_address_is_no_name(address: str) -> None:
    """Whatever a socket takes for an address hides the name."""
    assert UnnamedHost(address) == host_dialled(address)
    assert "unnamed" in str(UnnamedHost(None))


@pytest.mark.parametrize("name", ["localhost", "a.example", "0x.example", "bücher.example."])
def test_a_name_is_what_is_dialled(name: str) -> None:
    """A name stays as it is."""
    assert name == host_dialled(name)


SAME_HOSTS = [
    ("API.Example.COM", "api.example.com"),
    ("api.example.com.", "api.example.com"),
    ("bücher.example", "xn--bcher-kva.example"),
    ("BÜCHER.example.", "xn--bcher-kva.example"),
    ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
    ("bücher。example", "xn--bcher-kva.example"),
    ("straße.example", "strasse.example"),  # as CPython's `ssl` encodes it
    ("my_host", "my_host"),
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"),
    ("\uff11\uff12\uff17.0.0.1", "127.0.0.1"),
    ("::1", "::1"),
    ("0:0:0:0:0:0:0:1", "::1"),
    ("2001:DB8::00A", "2001:db8::a"),
    ("2001:0db8:0000:0000:0000:0000:0000:000a", "2001:db8::a"),
    ("2001:db8::0.0.0.10", "2001:db8::a"),
    ("[2001:db8::A]", "2001:db8::a"),
    # One host, however it is dialled: what a rule withholds from it goes to none of these.
    *((each, "127.0.0.1") for each in ("::ffff:127.0.0.1", "::FFFF:7f00:1")),
    *((each, "127.0.0.1") for each in ("127.0.0.01", "127.1", "0177.1", "0X7f.0x0.1")),
    *((each, "127.0.0.1") for each in ("2130706433", "0x7f000001", "127.1.")),
    ("010.0.0.1", "8.0.0.1"),
    ("fe80::1%eth0", "fe80::1%eth0"),
]

OTHER_HOSTS = [
    ("127.0.0.1", "127.0.0.010"),
    ("127.0.0.1", "127.0.0.0x"),
    ("127.0.0.1", "127.0.0.0.1"),
    ("::1", "::2"),
    ("127.0.0.1", "::127.0.0.1"),
    ("127.0.0.1", "64:ff9b::7f00:1"),
    ("fe80::1%eth0", "fe80::1%eth1"),
    ("example.com", "example.com.evil"),
    ("example.com", "xn--example.com"),
    ("bücher.example", "bucher.example"),
]


@pytest.mark.parametrize(("host", "expected"), SAME_HOSTS)
def test_canonical_host(host: str, expected: str) -> None:
    """Every spelling of a host has one canonical form."""
    assert expected == canonical_host(host)
    assert expected == canonical_host(expected)


@pytest.mark.parametrize(("host", "other"), OTHER_HOSTS)
def test_other_hosts_stay_others(host: str, other: str) -> None:
    """Hosts that are not the same do not become the same."""
    assert canonical_host(host) != canonical_host(other)


def test_a_foreign_full_stop_at_the_end_is_a_trailing_dot() -> None:
    """IDNA takes U+3002 for a dot (RFC 3490, section 3.1), at the end as well."""
    assert "bücher。".encode("idna").endswith(b".")
    assert "xn--bcher-kva" == canonical_host("bücher。")


@pytest.mark.parametrize("host", ["", ".", "a" * 64 + "ü", "ü..example", "\udc80", "a b", "\x00"])
def test_no_host_name_raises_nothing(host: str) -> None:
    """What is no host name has a canonical form that no rule has."""
    with pytest.raises(HostNameError):
        parse_pattern(canonical_host(host))


@pytest.mark.parametrize("host", ["bücher.example", "straße.example", "münchen.DE", "日本.example"])
def test_names_are_encoded_as_ssl_does(host: str) -> None:
    """CPython sends and verifies the very name that rules are compared with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    connection = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host)
    assert connection.server_hostname is not None
    assert connection.server_hostname.lower() == canonical_host(host)


@examples(300)
@given(st.one_of(st.text(), st.from_regex(r"[a-zA-Zßü。.0-9:-]{0,20}", fullmatch=True)))
def test_canonical_host_raises_nothing(host: str) -> None:
    """Whatever a client calls a host, the question about it is answered."""
    assert isinstance(canonical_host(host), str)


labels = st.from_regex(r"[a-zA-Z0-9_üéñ]([a-zA-Z0-9_üéñ-]{0,8}[a-zA-Z0-9_üéñ])?", fullmatch=True)
host_names = st.lists(labels, min_size=1, max_size=4).map(".".join)
addresses = st.ip_addresses().map(str)
hosts = st.one_of(host_names, addresses)
ports = st.one_of(st.none(), st.integers(1, 65535))


@examples(300)
@given(hosts)
def test_canonical_host_is_idempotent(host: str) -> None:
    """The canonical form is its own canonical form."""
    once = canonical_host(host)
    assert (
        once == canonical_host(once) == canonical_host(once.upper()) == canonical_host(f"{once}.")
    )


@examples(300)
@given(st.ip_addresses(v=6))
def test_addresses_are_compared_by_value(address: ipaddress.IPv6Address) -> None:
    """The long and the short spelling of an address are the same rule."""
    expected = HostPattern(str(address.ipv4_mapped or address))
    spellings = [address.exploded, address.compressed, str(address).upper(), f"[{address}]"]
    assert [expected] * 4 == [parse_pattern(text) for text in spellings]


@st.composite
def _pattern_texts(draw: st.DrawFn) -> str:
    port = draw(ports)
    suffix = "" if port is None else f":{port}"
    if draw(st.booleans()):
        return f"*.{draw(host_names)}{suffix}"
    host = draw(hosts)
    return f"[{host}]{suffix}" if ":" in host else f"{host}{suffix}"


@examples(300)
@given(_pattern_texts())
def test_a_pattern_survives_its_text(text: str) -> None:
    """A pattern reads its own text as itself."""
    try:
        pattern = parse_pattern(text)
    except HostNameError:
        # Such as `xn--` with nothing that punycode can have made.
        return
    assert pattern == parse_pattern(str(pattern))


def _outcome(parse: Callable[[str], HostPattern], text: str) -> object:
    try:
        return parse(text)
    except HostNameError as error:
        return error.text, error.problem, error.remedy


#: what plain names are made of, and what makes one more than plain
_NEARLY_PLAIN = st.from_regex(
    r"(\*\.)?(([a-z]|[0-9x_-]|[A-Zßé@\n]|[a-z]{60,64})[a-z0-9-]{0,2}\.){0,5}"
    r"([a-z0-9_]|0x[0-9a-f]|[a-z][a-z-]|[a-z]{61,64}|\.)(:[0-9]{0,6})?\n?",
    fullmatch=True,
)


@examples(300)
@given(st.one_of(_NEARLY_PLAIN, _pattern_texts(), st.text()))
@example("a" * 63)
@example("a" * 64)
@example("_")
@example("a.0x7")
@example("a.-b.c")
@example("a-.b")
@example("-a.b")
@example("a-")
@example("a.")
@example("")
def test_a_plain_name_is_read_as_any_other(text: str) -> None:
    """What is read by a short look is what it would be step by step, faults included."""
    assert _outcome(parse_any_pattern, text) == _outcome(parse_pattern.__wrapped__, text)


PATTERNS = [
    ("api.example.com", HostPattern("api.example.com")),
    ("API.example.com.", HostPattern("api.example.com")),
    ("api.example.com:8443", HostPattern("api.example.com", 8443)),
    ("api.example.com.:8443", HostPattern("api.example.com", 8443)),
    ("api.example.com:00443", HostPattern("api.example.com", 443)),
    ("localhost", HostPattern("localhost")),
    ("*.example.com", HostPattern("example.com", None, wildcard=True)),
    ("*.Example.com.:443", HostPattern("example.com", 443, wildcard=True)),
    ("*.bücher.example", HostPattern("xn--bcher-kva.example", None, wildcard=True)),
    ("*.zone1", HostPattern("zone1", None, wildcard=True)),
    ("10.0.0.1", HostPattern("10.0.0.1")),
    ("10.0.0.1:65535", HostPattern("10.0.0.1", 65535)),
    ("::1", HostPattern("::1")),
    ("[::1]", HostPattern("::1")),
    ("[0:0::1]:1", HostPattern("::1", 1)),
    ("2001:DB8::443", HostPattern("2001:db8::443")),  # no port, for want of brackets
    ("a" * 63 + ".example", HostPattern("a" * 63 + ".example")),
]


@pytest.mark.parametrize(("text", "expected"), PATTERNS)
def test_parse_pattern(text: str, expected: HostPattern) -> None:
    """Each form of a pattern, in whatever spelling."""
    assert expected == parse_pattern(text)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (HostPattern("a.example"), "a.example"),
        (HostPattern("a.example", 443), "a.example:443"),
        (HostPattern("example", 443, wildcard=True), "*.example:443"),
        (HostPattern("::1"), "[::1]"),
        (HostPattern("::1", 443), "[::1]:443"),
    ],
)
def test_text_of_a_pattern(pattern: HostPattern, expected: str) -> None:
    """The text is what the settings would say; an IPv6 address has brackets."""
    assert expected == str(pattern)


def test_a_port_makes_another_pattern() -> None:
    """``:443`` and no port are not the same rule."""
    assert parse_pattern("a.example:443") != parse_pattern("a.example")
    assert parse_pattern("*.example") != parse_pattern("example")


REFUSED = [
    "",
    ".",
    "..",
    "*",
    "*.",
    "*.*",
    "*.*.example",
    "a.*.example",
    "api*.example",
    "*example.com",
    "**.example",
    "a..example",
    ".example",
    "a.example..",
    "-a.example",
    "a-.example",
    "a" * 64 + ".example",
    ".".join(["a" * 60] * 5),
    "a b.example",
    "a.example\n",
    "a.example\x00",
    "a.example:",
    "a.example:0",
    "a.example:65536",
    "a.example:-1",
    "a.example:+1",
    "a.example: 1",
    "a.example:https",
    "a.example:\uff14\uff14\uff13",
    "a.example:123456",
    "a:b:c",
    "[a.example]",
    "[10.0.0.1]",
    "[::1",
    "::1]",
    "[::1]443",
    "[::1]:",
    "[::1]:x",
    "[]",
    "[::1]:1:2",
    "::g",
    "*.::1",
    "*.[::1]",
    "https://a.example",
    "a.example/path",
    "user@a.example",
    "a.example?query",
    "a,b",
    "a\\b",
    "\udc80.example",
]


@pytest.mark.parametrize("text", REFUSED)
def test_refused_patterns(text: str) -> None:
    """What cannot be the host of a connection is refused, with the text and a remedy as data."""
    with pytest.raises(HostNameError) as caught:
        parse_pattern(text)
    error = caught.value
    assert (text, True, True) == (error.text, bool(error.problem), bool(error.remedy))
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("text", ["*.127.0.0.1", "*.10.0.0.1:443"])
def test_no_wildcard_for_addresses(text: str) -> None:
    """A wildcard never stands for part of an address, so such a rule would never apply."""
    with pytest.raises(HostNameError):
        parse_pattern(text)


@pytest.mark.parametrize("text", ["10.0.0.256", "10.0.0", "127.1", "192.168.1.1.1"])
def test_no_misspelt_addresses(text: str) -> None:
    """A name whose last label is a number is a misspelt address, which is nobody's name."""
    with pytest.raises(HostNameError):
        parse_pattern(text)


@pytest.mark.parametrize("character", ["ß", "ς", "\u200c", "\u200d", "ẞ"])
def test_deviation_characters_are_refused(character: str) -> None:
    """What IDNA 2003 and 2008 encode differently names two domains, so no rule may have it."""
    for text in (f"fa{character}x.example", f"*.fa{character}x.example:443"):
        with pytest.raises(HostNameError) as caught:
            parse_pattern(text)
        assert "xn--" in caught.value.remedy


def test_a_pattern_is_a_value() -> None:
    """Equal patterns are one key."""
    assert 1 == len({parse_pattern("A.example:443"), parse_pattern("a.example.:443")})
