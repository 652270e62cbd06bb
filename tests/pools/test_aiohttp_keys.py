"""The keys by which aiohttp keeps connections, in the two forms that its releases have."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from mxcert_runtime.hooks.aiohttp_connector import _marking
from mxcert_runtime.kept_connections import ReuseKey

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
