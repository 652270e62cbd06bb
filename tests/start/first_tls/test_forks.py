"""A fork while another thread begins, or acts: the child has its identity, and nobody hangs.

Each program has `FirstTls` alone, with an act of its own in the place of an activation.
"""

from __future__ import annotations

import sys
import textwrap

import pytest

from tests.start.first_tls.calls import CONNECT
from tests.support.subprocesses import run_client

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")

_BEGIN = f"""
{CONNECT}import os, socket, sys, threading, warnings
warnings.simplefilter('ignore', DeprecationWarning)  # of threads and forks, from Python 3.12 on
from mxcert_runtime.start import first_tls
from mxcert_runtime.start.finders import call_without_import_lock
told, begun, forked = [], threading.Event(), threading.Event()
def begin(act):
    first_tls.FirstTls(act, lambda name: True).start()
    import logging  # whose lock a fork takes
    thread = threading.Thread(target=__import__, args=("ssl",), daemon=True)
    thread.start()
    assert begun.wait(60)
    return thread
def fork(expected):
    child = os.fork()
    if not child:
        connect("child")
        os._exit(told != expected)
    forked.set()
    assert 0 == os.waitpid(child, 0)[1]
"""


def _run(program: str) -> tuple[int, str]:
    done = run_client(_BEGIN + textwrap.dedent(program))
    return done.returncode, done.stderr


def test_before_the_gate_stands() -> None:
    """The child, whose parent's thread was about to close it, closes its own, and acts."""
    program = """
        class Gate(first_tls.ConnectionGate):
            def close(self):
                if not begun.is_set():
                    begun.set()
                    assert forked.wait(60)
                super().close()
        first_tls.ConnectionGate = Gate
        thread = begin(lambda: told.append("acted"))
        fork(["acted", "child"])
        thread.join()
        assert ["acted"] == told
    """

    assert (0, "") == _run(program)


def test_an_act_that_needs_a_lock_of_another_library() -> None:
    """The fork waits before it takes that lock, as `logging` has it taken."""
    program = """
        def act():
            import logging
            begun.set()
            call_without_import_lock(lambda: forked.wait(0.3))
            logging.getLogger("of the act")
            told.append("acted")
        thread = begin(act)
        fork(["acted", "child"])
        thread.join()
        assert ["acted"] == told
    """

    assert (0, "") == _run(program)


def test_while_the_lock_is_a_forks() -> None:
    """Who cannot act for that moment does so at the next import."""
    program = """
        import ssl
        def hold():
            with wait._lock:
                begun.set()
                assert forked.wait(60)
        wait = first_tls.FirstTls(lambda: told.append("acted"), lambda name: True)
        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        assert begun.wait(60)
        wait.start()
        import colorsys
        assert [] == told
        forked.set()
        thread.join()
        import stringprep
        assert ["acted"] == told
    """

    assert (0, "") == _run(program)


def test_where_the_program_took_it_away() -> None:
    """Nothing is said of it, and the child goes on."""
    program = """
        import ssl
        first_tls.FirstTls(lambda: None, lambda name: True).start()
        sys.modules["ssl"] = None
        child = os.fork()
        if not child:
            os._exit(0)
        sys.exit(os.waitpid(child, 0)[1])
    """

    assert (0, "") == _run(program)
