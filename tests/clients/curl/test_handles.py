"""pycurl: a program's handles keep class, certificate, words and secrets as without the plugin."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import pytest

pytest.importorskip("pycurl")

import pycurl

import mxcert_runtime
from mxcert_runtime.hooks.curl import handles, library
from mxcert_runtime.hooks.patching import Patches
from tests.clients.curl.handles import make_handle, shown
from tests.support.scene import NOBODY, Scene


def test_own_certificate(scene: Scene) -> None:
    """The program's own is left alone, by whatever option it came, and is there afterwards."""
    scene.activate_hosts()
    curl = make_handle(scene)
    curl.setopt(pycurl.SSLCERT_BLOB, scene.beta.pem())
    curl.setopt(pycurl.SSLKEY_BLOB, scene.beta.key_pem())
    assert [scene.beta.fingerprint] * 2 == shown(curl, scene.url(), scene.url())
    curl.unsetopt(pycurl.SSLCERT_BLOB)
    curl.setopt(pycurl.SSLKEY_BLOB, None)
    assert [scene.alpha.fingerprint] == shown(curl, scene.url())


def test_reset_and_duplicate(scene: Scene) -> None:
    """What was set is followed through ``reset()`` and ``duphandle()``."""
    scene.activate_hosts()
    curl = make_handle(scene)
    curl.setopt(pycurl.SSLCERT_BLOB, scene.beta.pem())
    curl.setopt(pycurl.SSLKEY_BLOB, scene.beta.key_pem())
    copy = curl.duphandle()
    assert [scene.beta.fingerprint] == shown(copy, scene.url())
    curl.reset()
    assert [scene.alpha.fingerprint] == shown(make_handle(scene, handle=curl), scene.url())


def test_duplicate_of_a_prepared_handle(scene: Scene) -> None:
    """A duplicate that is made while a transfer is prepared has no identity of it."""
    scene.activate_hosts()
    curl, multi = make_handle(scene), pycurl.CurlMulti()
    curl.setopt(pycurl.URL, scene.url())
    multi.add_handle(curl)
    copy = curl.duphandle()
    multi.remove_handle(curl)
    mxcert_runtime.deactivate()
    assert [None, None] == shown(copy, scene.url()) + shown(curl, scene.url())


def _misused(scene: Scene) -> list[str]:
    """What pycurl says to what it refuses."""
    curl, multi = make_handle(scene), pycurl.CurlMulti()
    curl.setopt(pycurl.URL, scene.url())
    multi.add_handle(curl)
    texts = []
    calls: list[Any] = [curl.perform, lambda: multi.add_handle(curl)]
    for call in (*calls, lambda: multi.add_handle(None)):
        with pytest.raises((pycurl.error, TypeError)) as error:
            call()
        texts.append(str(error.value))
    multi.remove_handle(curl)
    curl.close()
    with pytest.raises(pycurl.error) as error:
        curl.perform()
    return [*texts, str(error.value)]


def test_misuse_says_the_same(scene: Scene) -> None:
    """What pycurl refuses it refuses in its own words."""
    without = _misused(scene)
    scene.activate_hosts()
    assert without == _misused(scene)


def test_classes(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Every handle is a ``Curl``; names are the same; an older one is told of, and left alone."""
    older, base = make_handle(scene), pycurl.Curl
    scene.activate_hosts()
    assert 1 == sum("are older than mxcert_runtime" in each for each in caplog.messages)
    newer = pycurl.Curl()
    assert [True] * 4 == [
        isinstance(each, kind) for each in (older, newer) for kind in (base, pycurl.Curl)
    ]
    assert not isinstance(object(), pycurl.Curl)
    assert ("pycurl", "Curl", base.__doc__) == (
        type(newer).__module__.partition(".")[0],
        type(newer).__qualname__,
        type(newer).__doc__,
    )
    assert [None] == shown(older, scene.url())
    newer.info = 1
    assert 1 == newer.info
    with pytest.raises(TypeError):
        pickle.dumps(newer)
    mxcert_runtime.deactivate()
    assert pycurl.Curl is base
    assert isinstance(newer, pycurl.Curl)
    del older
    gc.collect()


def test_handles_hold_no_secrets(scene: Scene) -> None:
    """After a transfer nothing of a key is left where a program or a traceback could see it."""
    scene.activate_hosts()
    curl = make_handle(scene)
    shown(curl, scene.url())
    assert "PRIVATE KEY" not in repr({**vars(curl), **vars(handles.options_of(curl))})


@pytest.mark.parametrize(
    ("libcurl", "backend", "is_fit"),
    [
        ("8.16.0-DEV", "OpenSSL/3.5.3", True),
        ("7.88.1", "GnuTLS/3.7.9", False),
        ("8.5.0", "GnuTLS/3.8.3 (OpenSSL/3.0)", False),
        ("8.5.0", "(GnuTLS/3.8.3) OpenSSL/3.0", True),
        ("7.61.1", "OpenSSL/1.1.1k", False),
        ("8.23.0", None, False),
    ],
)
def test_libcurl(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    libcurl: str,
    backend: str | None,
    is_fit: bool,
) -> None:
    """Where libcurl takes nothing from memory, nothing is replaced, and one warning says so."""
    library._warn_of_backend.cache_clear()
    told = (0, libcurl, 0, "Linux", 0, backend)
    monkeypatch.setattr(pycurl, "version_info", lambda: told)
    patches = Patches((library.LIBRARY,))
    before = pycurl.Curl
    for _ in range(2):
        patches.apply()
        assert is_fit == (pycurl.Curl is not before)
        patches.undo()
    said = [each for each in caplog.messages if "takes no identity from memory" in each]
    assert (not is_fit) == len(said)


def test_perform_within_a_callback(scene: Scene) -> None:
    """It is refused by pycurl, and leaves no identity in the handle for another host."""
    scene.activate_hosts()
    curl, refused = make_handle(scene), []

    def write(_: bytes) -> None:
        with pytest.raises(pycurl.error) as error:
            curl.perform()
        refused.append(str(error.value))

    curl.setopt(pycurl.URL, scene.url())
    curl.setopt(pycurl.WRITEFUNCTION, write)
    curl.perform()
    assert [scene.alpha.fingerprint] == scene.seen
    assert "perform()" in refused[0]
    assert [None] == shown(curl, scene.url(NOBODY))
