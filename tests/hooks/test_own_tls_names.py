"""What URLs of curl and targets of gRPC are read as, and what is taken for uncertain."""

from __future__ import annotations

from typing import Any

import pytest

from mxcert_runtime.hooks import grpc_targets
from mxcert_runtime.hooks.curl import urls

_OVERRIDE, _AUTHORITY = "grpc.ssl_target_name_override", "grpc.default_authority"


@pytest.mark.parametrize(
    ("url", "place", "is_plain"),
    [
        ("https://a.test/", ("a.test", 443), True),
        ("HTTPS://a.test:8443?q=@b.test", ("a.test", 8443), True),
        ("https://a.test:/#x", ("a.test", 443), True),
        ("https://[::1]:444/x", ("[::1]", 444), True),
        ("https://user:word@a.test/", ("a.test", 443), False),
        ("https://\u00e4.test/", ("xn--4ca.test", 443), False),
        ("https://a.test/\u00e4", ("a.test", 443), False),
        ("\u00a0https://a.test/", ("a.test", 443), False),
        ("wss://a.test", ("a.test", 443), True),
        ("ftps://a.test/x", ("a.test", 990), True),
        ("smtps://a.test", ("a.test", 465), True),
    ],
)
def test_urls(url: str, place: tuple[str, int], is_plain: bool) -> None:
    """The host and port that TLS is spoken to, and whether nobody could read others."""
    assert (urls.Place(*place), is_plain) == urls.read_url(url)


@pytest.mark.parametrize("url", ["http://a.test/", "a.test/x", "ftp://a.test", "file:///a"])
def test_urls_without_tls(url: str) -> None:
    """Where no TLS is spoken there is nothing to decide; some schemes may turn to it."""
    assert None is urls.read_url(url)
    if url.startswith("ftp:"):
        assert (("a.test", 21), True) == urls.read_url(url, upgrades=True)
    if url.startswith("a.test"):
        assert (("a.test", 443), True) == urls.read_url(url, "https")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://a.test\\@b.test/",
            "https://a.test@b@c.test/",
            "https://a%2etest/",
            "https:///x",
        ),
        *("https://a test/", "https://[::1%25lo]/", "https://a.test:x/", "https://"),
    ],
)
def test_uncertain_urls(url: str) -> None:
    """What may be read in two ways is read in none."""
    with pytest.raises(urls.UnreadableUrlError):
        urls.read_url(url)


def test_port_of_the_handle() -> None:
    """``PORT`` stands in for that of the URL."""
    assert (("a.test", 7), True) == urls.read_url("https://a.test:8/", port=7)


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("a.test:1", ("a.test", 1)),
        (b"a.test", ("a.test", 443)),
        ("dns:a.test:1", ("a.test", 1)),
        ("dns:///a.test:1", ("a.test", 1)),
        ("dns://8.8.8.8/a.test:1", ("a.test", 1)),
        ("ipv4:127.0.0.1:1", ("127.0.0.1", 1)),
        ("ipv6:[::1]:1", ("::1", 1)),
        ("::1", ("::1", 443)),
        ("unix:/run/x", None),
        ("unix-abstract:x", None),
        ("vsock:1:2", None),
    ],
)
def test_targets(target: str | bytes, place: tuple[str, int] | None) -> None:
    """The host and port of a channel; none for one that stays on this machine."""
    assert place == grpc_targets.place_of(target, ())


@pytest.mark.parametrize(
    "target",
    [
        *("xds:///a.test", "ipv4:1.2.3.4:1,1.2.3.5:1", "a%2etest:1", "a.test:x", "a.test/x", ""),
        *("dns:///a.test:1/x", "https://a.test", "ipv6:%5B::1%5D:1", "user@a.test:1", "a.test:1 "),
    ],
)
def test_uncertain_targets(target: str) -> None:
    """What only gRPC could tell is told as not known, also where another name is verified."""
    for options in ((), ((_OVERRIDE, "b.test"),)):
        with pytest.raises(grpc_targets.UnknownTargetError):
            grpc_targets.place_of(target, options)


@pytest.mark.parametrize(
    ("name", "fine", "refused"),
    [
        ("grpc.dns_enable_srv_queries", 0, 1),
        ("grpc.service_config_disable_resolution", 1, 0),
        (
            "grpc.service_config",
            '{"methodConfig": []}',
            '{"loadBalancingConfig": [{"rls_experimental": {}}]}',
        ),
    ],
)
def test_options_by_which_others_get_credentials(name: str, fine: Any, refused: Any) -> None:
    """Hosts that only the DNS or an option names are no part of the target."""
    assert ("a.test", 1) == grpc_targets.place_of("a.test:1", [(name, fine)])
    with pytest.raises(grpc_targets.UnknownTargetError, match=f"Leave out the option `{name}`"):
        grpc_targets.place_of("a.test:1", [(name.encode(), refused)])


@pytest.mark.parametrize(
    ("options", "host"),
    [
        (((_OVERRIDE, "b.test"),), "b.test"),
        (((_AUTHORITY, "b.test:9"),), "b.test"),
        (((_AUTHORITY, b"c.test"), (_OVERRIDE, b"b.test")), "b.test"),
        (((_OVERRIDE, "b.test"), (_OVERRIDE, "b.test"), ("grpc.x", 1)), "b.test"),
        ((), "a.test"),
    ],
)
def test_name_that_is_verified(options: tuple[tuple[str, str], ...], host: str) -> None:
    """The name that counts, on the port that is dialled."""
    assert (host, 1) == grpc_targets.place_of("a.test:1", options)


def test_two_names_to_verify() -> None:
    """Of two nobody can tell which one counts."""
    options = (_OVERRIDE, "b.test"), (_OVERRIDE, "c.test")
    with pytest.raises(grpc_targets.UnknownTargetError):
        grpc_targets.place_of("a.test:1", options)
