"""The keys by which aiohttp keeps connections, in the two forms that its releases have."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

import pytest

from mxcert_runtime.connections.reuse import ReuseKey
from mxcert_runtime.hooks.aiohttp_connector import _marking

attr = pytest.importorskip("attr")


class _Tuple(NamedTuple):
    """As from aiohttp 3.11 on."""

    host: str
    proxy_headers_hash: int | None
    server_hostname: str | None = None


@attr.s(auto_attribs=True, slots=True, frozen=True)
class _Attrs:
    """As before."""

    host: str
    proxy_headers_hash: int | None
    server_hostname: str | None = None


@pytest.mark.parametrize("key_class", [_Tuple, _Attrs])
def test_marked_keys(key_class: Any) -> None:
    """A key with a mark equals one with the same mark, and no other, in all releases."""
    mark, plain = _marking(key_class), key_class("a.example", 7)
    first, second = ReuseKey(), ReuseKey()
    marked = mark(plain, first)
    assert (marked, hash(marked)) == (mark(plain, first), hash(mark(plain, first)))
    assert len({plain, marked, mark(plain, second)}) == 3
    assert (type(marked), marked.host, marked.server_hostname) == (key_class, "a.example", None)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_with_a_key(protocol: int) -> None:
    """aiohttp's errors hold the key, and can be pickled as before, into plain data."""
    marked = _marking(_Tuple)(_Tuple("a.example", 7), ReuseKey())
    expected = _Tuple("a.example", (7, False))  # type: ignore[arg-type]
    assert expected == pickle.loads(pickle.dumps(marked, protocol))  # noqa: S301 - our own
