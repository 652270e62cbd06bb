"""Who waits for TLS, beside threads that import, connect or act just then: none waits for ever.

Each program has `FirstTls` alone, with an act of its own in the place of an activation.
"""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from tests.start.first_tls.calls import CONNECT
from tests.support.subprocesses import run_client

_BEGIN = f"""
{CONNECT}import os, sys, threading
from mxcert_runtime.base import call_when_loaded
from mxcert_runtime.start.finders import call_without_import_lock
from mxcert_runtime.start.first_tls import FirstTls
told = []
def write(**modules):
    for name, text in modules.items():
        with open(name + ".py", "w") as file:
            file.write(text)
"""


def _told(text: str) -> Any:
    program = f"{_BEGIN}{textwrap.dedent(text)}\nimport json; print(json.dumps(told))\n"
    return run_client(program).json()


_FAILS = """
    import ssl
    failing = threading.Event()
    def other():
        assert failing.wait(60)
        connect("another thread")
    def act():
        raise RecursionError
    def fail(error):
        failing.set()
        thread.join(0.3)
        print([*told, "failed"])
        sys.stdout.flush()
        os._exit(78)
    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    FirstTls(act, lambda name: {ready}, (), fail).start()
    connect("the one that acts")
"""


@pytest.mark.parametrize("ready", [True, False])
def test_an_act_that_fails(ready: bool) -> None:
    """No thread connects between the failure and the end of the process."""
    done = run_client(_BEGIN + textwrap.dedent(_FAILS.format(ready=ready)))

    assert (78, "['failed']\n", "") == (done.returncode, done.stdout, done.stderr)


def test_a_thread_that_comes_to_the_end_as_well() -> None:
    """It goes on with its import, which whoever acts may need."""
    program = """
        import ssl
        write(due="", inner="", outer="import inner")
        asked, acting = threading.Event(), threading.Event()
        def is_ready(name):
            if name == "inner":
                asked.set()
                assert call_without_import_lock(lambda: acting.wait(60))
            return name in ("due", "inner")
        def act():
            acting.set()
            import outer
            told.append("acted")
        FirstTls(act, is_ready).start()
        threading.Thread(target=__import__, args=("outer",), daemon=True).start()
        assert asked.wait(60)
        import due
    """

    assert ["acted"] == _told(program)


_LOADS_MEANWHILE = """
slow = "import __main__; __main__.begun.set(); assert __main__.acting.wait(60); import fast"
write(due="", fast="", slow=slow)
begun, acting = threading.Event(), threading.Event()
def act():
    acting.set()
    import slow
    told.append("acted")
threading.Thread(target=__import__, args=("slow",), daemon=True).start()
assert begun.wait(60)
FirstTls(act, lambda name: True, ("due",)).start()
{trigger}
"""
_AWAY = """\
finders = list(sys.meta_path)
sys.meta_path[:] = [each for each in finders if "mxcert" not in type(each).__module__]
import ssl
sys.meta_path[:] = finders
import colorsys
"""


@pytest.mark.parametrize(
    "trigger",
    ["import ssl", "import _ssl", "import OpenSSL", "import due", _AWAY],
    ids=["ssl", "_ssl", "OpenSSL", "partner", "a look"],
)
def test_what_another_thread_is_loading(trigger: str) -> None:
    """Who acts needs it, while that thread asks the finders: the import lock is held by neither."""
    assert ["acted"] == _told(_LOADS_MEANWHILE.format(trigger=trigger))


def test_a_thread_that_looks_at_the_end_of_the_load() -> None:
    """It leaves it to the one that loads it: both would wait for each other."""
    program = """
        from importlib.machinery import PathFinder
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "ssl":
                    spec = PathFinder.find_spec(name, path, target)
                    call_when_loaded(spec, lambda: (thread.start(), thread.join(3)))
                    return spec
        thread = threading.Thread(target=__import__, args=("colorsys",), daemon=True)
        sys.meta_path.insert(0, Finder())
        FirstTls(lambda: told.append("acted"), lambda name: True).start()
        connect("connected")
        thread.join()
    """

    assert ["acted", "connected"] == _told(program)


def test_a_look_while_another_thread_acts() -> None:
    """It does not wait: whoever looks may hold the lock of a module that the act needs."""
    program = """
        import ssl
        held, seen = threading.Event(), threading.Event()
        def hold():
            with wait._lock:
                held.set()
                assert seen.wait(60)
        wait = FirstTls(lambda: told.append("acted"), lambda name: True)
        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        assert held.wait(60)
        wait.look()
        told.append("looked")
        seen.set()
        thread.join()
        connect("connected")
    """

    assert ["looked", "acted", "connected"] == _told(program)


def test_an_import_that_fails_while_another_thread_loads_it() -> None:
    """Who acts all the same and that thread do not wait for each other, nor does it connect yet."""
    program = """
        failed, acting, loading = [], threading.Event(), threading.Event()
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "ssl" and not failed:
                    failed.append(name)
                    raise ImportError(name)
                if name == "ssl":
                    loading.set()
        def act():
            acting.set()
            assert call_without_import_lock(lambda: loading.wait(60))
            import ssl
            told.append("acted")
        def other():
            assert acting.wait(60)
            connect("connected")
        sys.meta_path.insert(0, Finder())
        wait = FirstTls(act, lambda name: True)
        wait.start()
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        wait.catch_up()
        thread.join()
    """

    assert ["acted", "connected"] == _told(program)


def test_a_search_that_finds_nothing() -> None:
    """A Python without TLS is told so."""
    program = """
        import importlib.util
        FirstTls(lambda: told.append("acted"), lambda name: True).start()
        finders = list(sys.meta_path)
        sys.meta_path[:] = [each for each in finders if "mxcert" in type(each).__module__]
        told.append(importlib.util.find_spec("ssl"))
        sys.meta_path[:] = finders
    """

    assert [None] == _told(program)


def test_who_asks_for_the_act() -> None:
    """He has it, where `ssl` came unseen too."""
    program = """
        wait = FirstTls(lambda: told.append("acted"), lambda name: True)
        wait.start()
        finders = list(sys.meta_path)
        sys.meta_path[:] = [each for each in finders if "mxcert" not in type(each).__module__]
        import ssl
        sys.meta_path[:] = finders
        wait.catch_up()
        told.append("asked")
    """

    assert ["acted", "asked"] == _told(program)


def test_who_asks_for_the_act_meanwhile() -> None:
    """He waits for the thread that acts."""
    program = """
        import ssl
        def ask():
            wait.catch_up()
            told.append("asked")
        thread = threading.Thread(target=ask, daemon=True)
        def act():
            thread.start()
            thread.join(0.3)
            told.append("acted")
        wait = FirstTls(act, lambda name: False)
        wait.start()
        connect("connected")
        thread.join()
    """

    assert ["acted", "asked"] == [each for each in _told(program) if each != "connected"]


def test_nothing_is_left() -> None:
    """Whoever asks again while the gate is closed closes no other."""
    program = """
        import ssl
        wait = FirstTls(lambda: told.append("acted"), lambda name: False)
        wait.start()
        wait.catch_up()
        wait.reach()
        connect("connected")
        told.extend(name for name in vars(ssl.SSLContext) if name.startswith("_wrap"))
    """

    assert ["acted", "connected"] == _told(program)


def test_an_import_that_has_begun_before_the_start() -> None:
    """Who is handed over to one that waits, and has not been started yet, is seen all the same."""
    program = """
        class Before:
            mxcert_only_watches = True
            def find_spec(self, name, path=None, target=None):
                return wait.find_spec(name, path, target)
        wait = FirstTls(lambda: told.append("acted"), lambda name: True)
        sys.meta_path.insert(0, Before())
        connect("connected")
    """

    assert ["acted", "connected"] == _told(program)


def test_an_act_without_a_partner_half_loaded() -> None:
    """What takes part in the act, and imports TLS itself, is loaded after it, and only once."""
    program = """
        write(partner="import __main__, ssl; __main__.told.append('loaded'); name = 1")
        def act():
            from partner import name
            told.append("acted")
        FirstTls(act, lambda name: True, ("partner",)).start()
        import partner
    """

    assert ["loaded", "acted"] == _told(program)
