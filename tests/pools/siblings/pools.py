"""Pools that remember their connections, and how services use them."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from typing import Any

import urllib3

from tests.pools.clients import scope
from tests.support.scene import ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE

SERVICES = (ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE)

Make = Callable[..., Any]


class Connection(urllib3.connection.HTTPSConnection):
    """Remembers all that were made."""

    made: list[Any] = []  # noqa: RUF012 - one list for each test, by the fixture

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made.append(weakref.ref(self))


class Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = Connection


def ask(pool: Any, service: str | None, path: str = "/", **more: Any) -> Any:
    with scope(service):
        return json.loads(pool.request("GET", path, **more).data)


def ask_all(pool: Any, path: str = "/") -> list[Any]:
    return [ask(pool, service, path)["fingerprint"] for service in SERVICES]


def open_of(made: list[Any]) -> list[Any]:
    living = [connection for connection in (each() for each in made) if connection is not None]
    return [connection for connection in living if connection.sock is not None]
