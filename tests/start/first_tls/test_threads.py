"""Threads that come while another activates wait with their connections, and miss no module."""

from __future__ import annotations

import sys

import pytest

from tests.start.first_tls.calls import assert_presented, run
from tests.support.installation import Installations
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

_THREADS = """\
import threading
barrier = threading.Barrier(8)
def connect(number):
    barrier.wait()
    call("/%d" % number)
threads = [threading.Thread(target=connect, args=(number,)) for number in range(8)]
sys = __import__("sys"); sys.setswitchinterval(1e-5)
for each in threads: each.start()
for each in threads: each.join()
"""


def test_threads_that_import_it_at_once(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """Whoever does not come first waits for the one that does."""
    assert_presented(run(installations, _THREADS, environment), server, *[alpha.fingerprint] * 8)


#: another thread imports `ssl` while the first one activates
_WHILE_IT_ACTIVATES = """\
import sys, threading
from mxcert_runtime.start.finders import call_without_import_lock
told = []
acting = threading.Event()
def other():
    assert acting.wait(60)
    import ssl
    in_force = sys.modules.get("mxcert_runtime.decisions.in_force")
    told.append(in_force is not None and in_force.current is not None)
thread = threading.Thread(target=other)
thread.start()
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "mxcert_runtime.hooks":
            acting.set()
            call_without_import_lock(lambda: thread.join(0.3))
sys.meta_path.insert(0, Finder())
import ssl
thread.join()
call()
assert told == [True], told
"""


def test_a_thread_that_imports_it_meanwhile(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """It has the module only once the plugin is active."""
    assert_presented(
        run(installations, _WHILE_IT_ACTIVATES, environment), server, alpha.fingerprint
    )


#: another thread is before the last of the finders while the first one activates
_BETWEEN_TWO_FINDERS = """\
import sys, threading
from mxcert_runtime.start.finders import call_without_import_lock
between, acting, found = threading.Event(), threading.Event(), threading.Event()
def unlocked(wait):
    assert call_without_import_lock(lambda: wait(60))
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "colorsys" and not between.is_set():
            between.set()
            unlocked(acting.wait)
        elif name == "cryptography" and not acting.is_set():
            acting.set()
            unlocked(found.wait)
sys.meta_path.insert(-1, Finder())
def other():
    try:
        import colorsys
    finally:
        found.set()
threading.Thread(target=other).start()
assert between.wait(60)
call()
assert "colorsys" in sys.modules
"""


def test_a_thread_that_is_asking_the_finders(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """It finds what it imports, however the plugin's own finders come and go meanwhile."""
    assert_presented(
        run(installations, _BETWEEN_TWO_FINDERS, environment), server, alpha.fingerprint
    )


#: another thread is handed `ssl` while the first one activates: by `sys.modules`, past its lock
_PAST_THE_LOCK = """\
import sys, threading
from mxcert_runtime.start.finders import call_without_import_lock
told = []
begun, done = threading.Event(), threading.Event()
def other():
    assert begun.wait(60)
    import os, socket
    ssl = sys.modules["ssl"]
    context = ssl.create_default_context()
    plain = socket.create_connection(("localhost", int(os.environ["TARGET_PORT"])))
    told.append("tried")
    done.set()
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        while connection.recv(4096):
            pass
thread = threading.Thread(target=other)
thread.start()
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "cryptography" and not begun.is_set():
            begun.set()
            assert call_without_import_lock(lambda: done.wait(60))
            call_without_import_lock(lambda: thread.join(0.3))
sys.meta_path.insert(0, Finder())
import ssl
thread.join()
assert told
"""


def test_a_thread_that_has_it_too_early(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """One that gets at the module while the plugin is being activated waits with its connection."""
    assert_presented(run(installations, _PAST_THE_LOCK, environment), server, alpha.fingerprint)


#: another thread imports what shares its modules with an activation, while the first one activates
_A_USER = """\
import sys, threading
from mxcert_runtime.start.finders import call_without_import_lock
acting = threading.Event()
told = []
def other():
    assert acting.wait(60)
    import {user}
    told.append(sys.modules["mxcert_runtime.decisions.in_force"].current is not None)
thread = threading.Thread(target=other)
thread.start()
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "mxcert_runtime.start.activation" and not acting.is_set():
            acting.set()
            call_without_import_lock(lambda: thread.join(0.5))
sys.meta_path.insert(0, Finder())
import ssl
thread.join()
call()
assert told == [True], told
"""


@pytest.mark.parametrize("user", ["mxcert_runtime.telemetry", "mxcert_runtime.prometheus"])
def test_a_thread_that_imports_a_part_of_it(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    user: str,
) -> None:
    """It waits, and neither of the two gets a module that the other has half loaded."""
    assert_presented(
        run(installations, _A_USER.format(user=user), environment), server, alpha.fingerprint
    )


#: another thread imports pyOpenSSL, and connects by it, while the first one activates
_THE_OTHER_ENGINE = """\
import sys, threading
from mxcert_runtime.start.finders import call_without_import_lock
told = []
acting, tried = threading.Event(), threading.Event()
def other():
    assert acting.wait(60)
    import os, socket
    try:
        from OpenSSL import SSL
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        plain = socket.create_connection(("localhost", int(os.environ["TARGET_PORT"])))
        told.append("mxcert_runtime.hooks.pyopenssl.connections" in sys.modules)
        tried.set()
        connection = SSL.Connection(context, plain)
        connection.set_tlsext_host_name(b"localhost")
        connection.set_connect_state()
        connection.do_handshake()
        connection.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        try:
            while connection.recv(4096):
                pass
        except SSL.ZeroReturnError:
            pass
        assert SSL.Connection.__init__.__module__ == "OpenSSL.SSL", SSL.Connection.__init__
    finally:
        tried.set()
thread = threading.Thread(target=other)
thread.start()
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "mxcert_runtime.hooks" and not acting.is_set():
            acting.set()
            assert call_without_import_lock(lambda: tried.wait(60))
            call_without_import_lock(lambda: thread.join(0.3))
sys.meta_path.insert(0, Finder())
import ssl
thread.join()
assert told == [False], told
"""


def test_a_thread_that_imports_the_other_engine(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """pyOpenSSL, which comes while another thread activates, waits with its connection."""
    assert_presented(run(installations, _THE_OTHER_ENGINE, environment), server, alpha.fingerprint)


_FORKED = """\
import os, sys, threading
from mxcert_runtime.start.first_tls import FirstTls
begun, go = threading.Event(), threading.Event()
def act():
    begun.set()
    go.wait(0.5)
def catch_up():  # in another thread than the one that has forked
    thread = threading.Thread(target=wait.catch_up, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
wait = FirstTls(act, lambda name: True)
wait.start()
thread = threading.Thread(target=lambda: __import__("ssl"))
thread.start()
begun.wait()
child = os.fork()
if not child:
    import ssl
    context = ssl.create_default_context()
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")
    catch_up()
    os._exit(0)
thread.join()
catch_up()
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_child_that_forks_meanwhile(installations: Installations) -> None:
    """It waits until the plugin is there, and is no child that waits for ever."""
    done = installations.wheel.run(
        *(installations.wheel.python, "-W", "ignore", "-c", _FORKED), environment={}
    )

    assert (0, "0\n", "") == (done.returncode, done.stdout, done.stderr)


#: the thread that has acted has the end of its import of `ssl` before it when the child is forked
_FORKED_AT_THE_END = """\
import os, sys, threading
from mxcert_runtime.base import call_when_loaded
from mxcert_runtime.start.first_tls import FirstTls
forked, ending = threading.Event(), threading.Event()
def end():
    ending.set()
    assert forked.wait(60)
wait = FirstTls(lambda: call_when_loaded(sys.modules["ssl"].__spec__, end), lambda name: True)
wait.start()
thread = threading.Thread(target=lambda: __import__("ssl"))
thread.start()
assert ending.wait(60)
child = os.fork()
if not child:
    import ssl
    ssl.create_default_context()
    os._exit(0)
forked.set()
thread.join()
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_child_that_forks_at_the_end(installations: Installations) -> None:
    """Nobody ends the import that its parent's thread had begun, and it has the module."""
    done = installations.wheel.run(
        *(installations.wheel.python, "-W", "ignore", "-c", _FORKED_AT_THE_END), environment={}
    )

    assert (0, "0\n", "") == (done.returncode, done.stdout, done.stderr)
