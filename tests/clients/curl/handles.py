"""Handles as programs of pycurl have them, what they fetch, and what this libcurl does."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

pytest.importorskip("pycurl")

import pycurl

from mxcert_runtime.hooks.curl import library, transfers
from tests.support.scene import ALPHA_HOST, BETA_HOST, NOBODY, Scene
from tests.support.tls_server import TlsServer

HOSTS = ALPHA_HOST, BETA_HOST, NOBODY

if not library.is_fit():
    pytest.skip(f"{pycurl.version} takes no identity from memory", allow_module_level=True)

#: whether libcurl itself presents a certificate to the host of the URL alone
KEEPS_TO_ITSELF = transfers.libcurl_version() >= (8, 23)
#: whether the server sees it before it is verified
IS_LATE = transfers.libcurl_version() >= (8, 17)


def make_handle(scene: Scene, *more: TlsServer, handle: Any = None) -> Any:
    """A handle of a program that trusts the server, which has its names."""
    curl = handle or pycurl.Curl()
    ports = [server.port for server in (scene.server, *more)]
    names = [f"{host}:{port}:127.0.0.1" for host in HOSTS for port in ports]
    curl.setopt(pycurl.RESOLVE, names)
    curl.setopt(pycurl.CAINFO, scene.ca_file)
    curl.setopt(pycurl.TIMEOUT, 30)
    return curl


def get(curl: Any, url: str, perform: str = "perform") -> Any:
    """What the server answers."""
    curl.setopt(pycurl.URL, url)
    if perform != "perform":
        return json.loads(getattr(curl, perform)())
    body = io.BytesIO()
    curl.setopt(pycurl.WRITEFUNCTION, body.write)
    curl.perform()
    return json.loads(body.getvalue())


def shown(curl: Any, *urls: str, perform: str = "perform") -> list[str | None]:
    return [get(curl, url, perform)["fingerprint"] for url in urls]


def activate_pinning(scene: Scene, **more: Any) -> None:
    identity = scene.files.identity(
        "alpha", scene.alpha, hosts=[ALPHA_HOST], authorities=[scene.authority]
    )
    scene.activate(identity, **more)


def finish(multi: Any, running: int) -> tuple[list[Any], list[Any]]:
    good: list[Any] = []
    bad: list[Any] = []
    while len(good) + len(bad) < running:
        while multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        multi.select(1.0)
        _, fine, failed = multi.info_read()
        good, bad = good + fine, bad + failed
    return good, bad
