"""Modules that another thread is importing just now are in nobody's way."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from mxcert_runtime.base import loaded_module
from mxcert_runtime.identity.spiffe import library
from mxcert_runtime.monitoring.metrics import metrics
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import run_client


def _begun(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module whose code has not got far, as others find it."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    monkeypatch.setattr(module.__spec__, "_initializing", True, raising=False)
    monkeypatch.setitem(sys.modules, name, module)
    return module


def test_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module is there once its code has ended, however it came to be there."""
    module = _begun("mxcert_test_begun", monkeypatch)
    begun = loaded_module(module.__name__)
    monkeypatch.setattr(module.__spec__, "_initializing", False)
    found = [loaded_module(name) for name in (module.__name__, "sys", "mxcert_test_absent")]
    assert [None, module, sys, None] == [begun, *found]


def test_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for the numbers while another thread activates for the first time gets them."""
    _begun("mxcert_runtime.decisions.in_force", monkeypatch)
    assert (False, 0) == (metrics()["active"], metrics()["generation"])


def test_gevent(monkeypatch: pytest.MonkeyPatch) -> None:
    """gevent's patches are none before it is imported."""
    _begun("gevent.monkey", monkeypatch)
    library._serve_gevent()
    assert not library._serves_gevent


_BEFORE_IT_IS_BOUND = """
    import pathlib, sys, threading, types
    from mxcert_runtime.base import call_when_loaded, first_found
    unbound, looked = threading.Event(), threading.Event()

    class Package(types.ModuleType):
        def __setattr__(self, name, value):
            if name == "child" and not value.__spec__._initializing and name not in vars(self):
                unbound.set()
                assert looked.wait(60)
            super().__setattr__(name, value)

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "package.child":
                spec = first_found(sys.meta_path[1:], name, path, target)
                assert call_when_loaded(spec, lambda: None)
                return spec

    def look():
        unbound.wait()
        import package.child
        print(hasattr(package, "child"))
        looked.set()

    pathlib.Path("package").mkdir()
    for name in ("__init__", "child"):
        pathlib.Path("package", name + ".py").touch()
    import package
    package.__class__ = Package
    sys.meta_path.insert(0, Finder())
    thread = threading.Thread(target=look)
    thread.start()
    import package.child
    unbound.set()
    thread.join()
"""


def test_who_gets_it_finds_it_in_its_package() -> None:
    """Others have a watched module only once ``package.child`` can be read; importlib by itself
    hands it out before, and a thread that comes just then is without it."""
    assert "True\n" == run_client(_BEFORE_IT_IS_BOUND).stdout


def test_certifi(
    client_files: ClientFiles, alpha: Leaf, authority: Authority, client_authority: Authority
) -> None:
    """A program loads its CAs while another of its threads is half through importing certifi."""
    program = """
        import json, pathlib, ssl, sys, threading
        import mxcert_runtime
        begun, ending = threading.Event(), threading.Event()
        pathlib.Path("certifi.py").write_text(
            "import __main__\\n__main__.begun.set()\\nassert __main__.ending.wait(60)\\n"
            "def where():\\n    return '/nowhere'\\n"
        )
        thread = threading.Thread(target=lambda: __import__("certifi"))
        thread.start()
        assert begun.wait(60)
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(sys.argv[1])
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
        finally:
            ending.set()
            thread.join(60)
        print(json.dumps(len(context.get_ca_certs())))
    """
    bundle = str(client_files.authority(authority))
    environment = client_files.variables(alpha, authorities=[client_authority])
    assert 1 == run_client(program, bundle, environment=environment).json()
