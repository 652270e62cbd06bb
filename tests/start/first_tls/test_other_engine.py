"""pyOpenSSL makes no connection before the act either, whenever it is loaded.

But for the first, each program has `FirstTls` alone, with an act of its own in the place of an
activation.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from tests.start.first_tls.calls import assert_presented
from tests.support.installation import Installations, make_environment
from tests.support.pki import Leaf
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

_WITHOUT_SSL = """\
import os, site, socket, sys
from OpenSSL import SSL
site.addsitedir({packages!r})
assert {is_loaded} == ("ssl" in sys.modules)
connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), socket.socket())
connection.connect(("localhost", int(os.environ["TARGET_PORT"])))
connection.set_tlsext_host_name(b"localhost")
connection.do_handshake()
connection.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
try:
    while connection.recv(4096):
        pass
except SSL.ZeroReturnError:
    pass
"""


def test_a_program_that_has_no_other(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """Its identity is presented where the plugin comes after it, and `ssl` never."""
    program = make_environment(tmp_path / "environment")
    text = _WITHOUT_SSL.format(packages=str(installations.wheel.packages), is_loaded=True)

    done = program.run(program.python, "-c", text, environment=environment)

    assert_presented(done, server, alpha.fingerprint)


def test_without_autostart(
    installations: Installations, environment: dict[str, str], server: TlsServer, tmp_path: Path
) -> None:
    """The twin: nothing is presented, and `ssl` is not even loaded."""
    program = make_environment(tmp_path / "environment")
    text = _WITHOUT_SSL.format(packages=str(installations.wheel.packages), is_loaded=False)
    asked = {**environment, "MXCERT_AUTOSTART": "0"}

    done = program.run(program.python, "-c", text, environment=asked)

    assert_presented(done, server, None)


_CONNECT = """
import json, sys, threading
from mxcert_runtime.start.first_tls import FirstTls
from mxcert_runtime.start.finders import call_without_import_lock
told = []
def connect():
    from OpenSSL import SSL
    SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    told.append("connected")
"""


def _told(text: str) -> object:
    program = f"{_CONNECT}{textwrap.dedent(text)}\nprint(json.dumps(told))\n"
    return run_client(program).json()


def test_loaded_before_the_wait() -> None:
    """Its connection is what ends the wait, where not all is ready."""
    program = """
        import OpenSSL.SSL
        FirstTls(lambda: told.append("acted"), lambda name: False).start()
        told.append("waits")
        connect()
    """

    assert ["waits", "acted", "connected"] == _told(program)


def test_loaded_while_it_waits() -> None:
    """The same, and its import does not end the wait."""
    program = """
        import ssl
        FirstTls(lambda: told.append("acted"), lambda name: False).start()
        import OpenSSL.SSL
        told.append("waits")
        connect()
    """

    assert ["waits", "acted", "connected"] == _told(program)


def test_loaded_before_and_used_meanwhile() -> None:
    """Its connections in other threads wait for the end of the act."""
    program = """
        import OpenSSL.SSL
        thread = threading.Thread(target=connect, daemon=True)
        def act():
            thread.start()
            thread.join(0.3)
            told.append("acted")
        FirstTls(act, lambda name: name == "colorsys").start()
        import colorsys
        thread.join()
    """

    assert ["acted", "connected"] == _told(program)


def test_a_load_that_fails() -> None:
    """The program is told what it would be told anyway."""
    program = """
        import ssl
        FirstTls(lambda: None, lambda name: False).start()
        sys.modules["OpenSSL._util"] = None
        try:
            import OpenSSL.SSL
        except ImportError as error:
            told.append(error.name)
    """

    assert ["OpenSSL._util"] == _told(program)


def test_a_load_that_ends_after_the_act() -> None:
    """Nothing is left standing before its connections."""
    program = """
        loading, acted = threading.Event(), threading.Event()
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "OpenSSL._util":
                    loading.set()
                    assert call_without_import_lock(lambda: acted.wait(60))
        sys.meta_path.insert(0, Finder())
        thread = threading.Thread(target=connect, daemon=True)
        def act():
            thread.start()
            assert loading.wait(60)
        FirstTls(act, lambda name: True).start()
        import ssl
        acted.set()
        thread.join()
        told.append(sys.modules["OpenSSL.SSL"].Connection.__init__.__module__)
    """

    assert ["connected", "OpenSSL.SSL"] == _told(program)


def test_threads_that_import_it_by_two_names() -> None:
    """Neither waits for what the other holds: only its connections are awaited."""
    program = """
        def load():
            import OpenSSL.SSL
            told.append("loaded")
        def act():
            thread.start()
            call_without_import_lock(lambda: thread.join(0.3))
            told.append("acted")
        thread = threading.Thread(target=load, daemon=True)
        FirstTls(act, lambda name: True).start()
        import OpenSSL
        thread.join()
    """

    assert ["acted", "loaded"] == _told(program)
