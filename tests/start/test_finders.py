"""What a finder does within importlib: it gives its own lock away, and no other thread's."""

from __future__ import annotations

from tests.support.subprocesses import run_client

_HELD_BY_ANOTHER = """
    import _imp, threading
    from mxcert_runtime.start.finders import call_without_import_lock
    held, done = threading.Event(), threading.Event()
    def hold():
        _imp.acquire_lock()
        held.set()
        assert done.wait(15)
        _imp.release_lock()
    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert held.wait(15)
    told = [call_without_import_lock(lambda: "called"), _imp.lock_held()]
    done.set()
    thread.join()
    import json; print(json.dumps(told))
"""
_HELD = """
    import _imp, json
    from mxcert_runtime.start.finders import call_without_import_lock
    _imp.acquire_lock()
    _imp.acquire_lock()
    told = [call_without_import_lock(_imp.lock_held), _imp.lock_held()]
    _imp.release_lock()
    _imp.release_lock()
    print(json.dumps([*told, _imp.lock_held()]))
"""


def test_a_lock_that_another_thread_holds() -> None:
    """It is left alone, and the call is made all the same."""
    assert ["called", True] == run_client(_HELD_BY_ANOTHER, timeout=20).json()


def test_a_lock_of_its_own() -> None:
    """It is free during the call, and held as often as before after it."""
    assert [False, True, False] == run_client(_HELD, timeout=20).json()
