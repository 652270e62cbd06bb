"""What requests of httpcore go by: an origin that carries what was decided, and how that is found.

To anybody but a pool such an origin is the one that it says: only two that both carry a decision
can differ by it.
"""

from __future__ import annotations

import functools
from typing import Any

from ..connections import ReuseKey, reuse_key_now, reuse_key_of_proxy

_TLS = b"https", b"wss"
#: What a plain origin has for a key: it is a caller's own, and no pool asks for it.
NO_POOL = object()


@functools.lru_cache(maxsize=1)
def _keyed_classes() -> tuple[Any, Any]:
    """URLs whose origin carries a key, and origins that equal each other only with the same."""
    import httpcore

    class KeyedOrigin(httpcore.Origin):
        mxcert_key: object = None

        def __eq__(self, other: object) -> bool:
            if other is self:
                return True
            key = getattr(other, "mxcert_key", NO_POOL)
            return (key is self.mxcert_key or key is NO_POOL) and super().__eq__(other)

    class KeyedURL(httpcore.URL):
        # Given to each; the property of the base makes one whenever it is asked.
        origin: Any = None

    return KeyedURL, KeyedOrigin


@functools.lru_cache(maxsize=256)
def _keyed_origin(scheme: bytes, host: bytes, port: int | None, key: ReuseKey | None) -> Any:
    import httpcore

    # It knows the port of a scheme where the URL has none.
    plain = httpcore.URL(scheme=scheme, host=host, port=port).origin
    origin = _keyed_classes()[1](scheme=plain.scheme, host=plain.host, port=plain.port)
    origin.mxcert_key = key
    return origin


def keyed_request(request: Any, proxy: Any) -> Any:
    """The request with such an origin, where TLS is spoken on its way; ``proxy`` is an origin.

    It is another request: the pool asks for the origin when it has a place, and meanwhile the
    caller may send its own once more, from elsewhere.
    """
    url = request.url
    if not _speaks_tls(url, proxy):
        return request
    keyed = _copied(request, type(request))
    keyed.url = _copied(url, _keyed_classes()[0])
    keyed.url.origin = _keyed_origin(url.scheme, url.host, url.port, find_key(request, proxy))
    return keyed


def _speaks_tls(url: Any, proxy: Any) -> bool:
    # Any other scheme httpcore refuses in its own words.
    through_tls = proxy is not None and proxy.scheme == b"https"
    return url.scheme in _TLS or (through_tls and url.scheme in (b"http", b"ws"))


def _copied(original: Any, its_class: Any) -> Any:
    # Not by its `__init__`, which would examine each part again, nor by `copy`, which takes longer.
    copied = object.__new__(its_class)
    vars(copied).update(vars(original))
    return copied


def find_key(request: Any, proxy: Any) -> ReuseKey | None:
    """The key of a request by way of the proxy with this origin, or of none."""
    url = request.url
    if proxy is None:
        leg = name_of(request, url.host), url.port or 443
        return reuse_key_of_proxy(leg) if is_to_proxy(request) else reuse_key_now(*leg)
    if proxy.scheme not in (b"http", b"https"):  # SOCKS
        return reuse_key_now(name_of(request, url.host), url.port or 443)
    through = (name_of(request, proxy.host), proxy.port) if proxy.scheme == b"https" else None
    if url.scheme in _TLS:
        return reuse_key_now(as_text(url.host), url.port or 443, through)
    return None if through is None else reuse_key_of_proxy(through)


def name_of(request: Any, host: bytes) -> str:
    """What TLS verifies on the first leg that has it; in a tunnel httpcore names the host."""
    return as_text(request.extensions.get("sni_hostname") or host)


def as_text(name: Any) -> str:
    return name.decode("ascii") if isinstance(name, bytes) else str(name)


def is_to_proxy(request: Any) -> bool:
    """Whether its target says that a proxy is to pass it on (RFC 9112, section 3.2.2)."""
    target = request.url.target
    if target.startswith(b"/"):
        return False
    return request.method == b"CONNECT" or _is_of_another_server(request.url)


def _is_of_another_server(url: Any) -> bool:
    import httpcore

    try:
        named = httpcore.URL(url.target)
        return bool(named.host) and named.origin != url.origin
    except (KeyError, ValueError):
        return False  # what is no URL names no server
