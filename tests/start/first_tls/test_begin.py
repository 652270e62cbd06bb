"""The beginning of the wait: beside another thread, within an import, or where there is no TLS.

The package is added by the program itself, at the moment that each test is about.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.start.first_tls.calls import CALL, assert_presented
from tests.support.installation import Installations, make_environment
from tests.support.pki import Leaf
from tests.support.subprocesses import Finished
from tests.support.tls_server import TlsServer

_BEGIN = f"""\
{CALL}
import faulthandler, os, site, sys, threading
faulthandler.dump_traceback_later(60, exit=True)  # of threads that wait for each other
def unlocked(call):
    import _imp
    held = 0
    try:
        while _imp.lock_held():
            _imp.release_lock()
            held += 1
    except RuntimeError:
        pass
    try:
        assert call()
    finally:
        for _ in range(held):
            _imp.acquire_lock()
class Finder:
    def __init__(self, **calls):
        self.calls = calls
        sys.meta_path.insert(0, self)
    def find_spec(self, name, path=None, target=None):
        call = self.calls.pop(name.rpartition(".")[2], None)
        if call is not None:
            call()
"""
_ADD = "site.addsitedir({packages!r})"


def _run(
    installations: Installations, folder: Path, environment: dict[str, str], text: str
) -> Finished:
    program = make_environment(folder / "environment")
    add = _ADD.format(packages=str(installations.wheel.packages))
    script = _BEGIN + textwrap.dedent(text).replace("ADD", add)
    return program.run(program.python, "-c", script, environment=environment)


_TWO_WAIT = """
    ADD
    main, making = threading.get_ident(), threading.Event()
    def is_waiting():
        frame, names = sys._current_frames()[main], set()
        while frame:
            names.add(frame.f_code.co_name)
            frame = frame.f_back
        return "wait_for_tls" in names
    def park():
        making.set()
        import time
        def wait():
            for _ in range(2000):
                if is_waiting():
                    return True
                time.sleep(0.01)
        unlocked(wait)
    Finder(first_tls=park)
    thread = threading.Thread(target=__import__, args=("socket",))
    thread.start()
    assert making.wait(20)
    import _ssl
    thread.join()
    call()
    watches = [each for each in sys.meta_path if type(each).__name__ == "_TlsWatch"]
    assert len(watches) == 1, watches
"""

_LOADS_MEANWHILE = """
    import ssl
    loading, acting = threading.Event(), threading.Event()
    def park():
        loading.set()
        unlocked(lambda: acting.wait(20))
    # what another thread loads, and the activation needs: it asks the finders while that goes on
    Finder(__about__=park, activation=acting.set)
    thread = threading.Thread(target=__import__, args=("cryptography",))
    thread.start()
    assert loading.wait(20)
    ADD
    thread.join()
    call()
"""

_WITHIN_SSL = """
    import _socket, _ssl, array, base64, encodings.idna, errno, json, selectors, warnings
    def add():
        ADD
    Finder(socket=add)
    import ssl
    call()
"""

#: past every finder, as the documentation of importlib has it
_SOCKET_BY_HAND = """
    import _socket, _ssl, array, base64, encodings.idna, errno, json, selectors, warnings
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec
    ADD
    spec = PathFinder.find_spec("socket")
    sys.modules["socket"] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules["socket"])
    import ssl
    call()
"""


@pytest.mark.parametrize(
    "text",
    [_TWO_WAIT, _LOADS_MEANWHILE, _WITHIN_SSL, _SOCKET_BY_HAND],
    ids=["two that wait", "one that loads", "within ssl", "socket by hand"],
)
def test_the_identity_is_presented(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
    text: str,
) -> None:
    """Whoever comes first makes what waits, once, and none waits for the other for ever."""
    done = _run(installations, tmp_path, environment, text)

    assert_presented(done, server, alpha.fingerprint)


_SSL_FAILS = """
    ADD
    sys.modules["_ssl"] = None
    try:
        import ssl
    except ImportError:
        print("goes on", flush=True)
    del sys.modules["_ssl"]
    call()
"""


def test_an_import_that_fails(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """A Python without TLS goes on without the plugin; once TLS is there, so is the identity."""
    done = _run(installations, tmp_path, environment, _SSL_FAILS)

    assert "goes on\n" == done.stdout
    assert_presented(done, server, alpha.fingerprint)


_WITHOUT_SSL = """
    ADD
    sys.modules["ssl"] = None
    {wanted}
    print("after")
"""


@pytest.mark.parametrize(
    "wanted", ["import _ssl", "import mxcert_runtime; mxcert_runtime.identities"]
)
def test_its_half_in_c_alone(
    installations: Installations, environment: dict[str, str], tmp_path: Path, wanted: str
) -> None:
    """Where the plugin cannot start for want of `ssl`, nobody has the other half: 78."""
    done = _run(installations, tmp_path, environment, _WITHOUT_SSL.format(wanted=wanted))

    assert (78, "") == (done.returncode, done.stdout)
