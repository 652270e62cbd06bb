"""The first failure of a process loads what explains it: its words, wherever it happens."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from tests.support.server_tls import TlsVersion
from tests.support.subprocesses import run_client

from .conftest import UNKNOWN, Refusals
from .told import HAS_NOTES, facts_of

_PROGRAM = """
    import json, logging, os, signal, socket, ssl, sys, threading
    import mxcert_runtime

    port, ca, way = json.loads(sys.argv[1])
    told, errors = [], []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())
    logging.getLogger("mxcert_runtime").addHandler(handler)

    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name.startswith(("mxcert_runtime.hooks", "mxcert_runtime.diagnosis")):
                raise ImportError("half a disk")

    def fail():
        context = ssl.create_default_context(cafile=ca)
        try:
            with socket.create_connection(("127.0.0.1", port), 30) as plain:
                with context.wrap_socket(plain, server_hostname="unknown.test") as connection:
                    connection.recv(1)
        except OSError as error:
            chained = [error.__cause__, error.__context__]
            errors.append([type(error).__name__, error.args, list(map(repr, chained)),
                           getattr(error, "__notes__", [])])

    def run(count):
        threads = [threading.Thread(target=fail, daemon=True) for _ in range(count)]
        for each in threads: each.start()
        for each in threads: each.join(60)
        assert len(errors) == count

    def within_an_import():
        with open("dials.py", "w") as file:
            file.write("import __main__\\n__main__.run(1)\\n")
        sys.path.insert(0, os.getcwd())
        import dials

    def in_a_signal_handler():
        signal.signal(signal.SIGINT, lambda *_: fail())
        signal.raise_signal(signal.SIGINT)

    class Interrupts:
        def find_spec(self, name, path=None, target=None):
            if name == "mxcert_runtime.diagnosis.note" and not errors:
                fail()

    def interrupted():
        sys.meta_path.insert(0, Interrupts())
        fail()

    def broken():
        finder = Broken()
        sys.meta_path.insert(0, finder)
        fail()
        sys.meta_path.remove(finder)
        fail()

    late = "mxcert_runtime.hooks.stdlib.explanation"
    if way == "loaded": __import__(late)
    before = late in sys.modules
    ways = {"thread": lambda: run(1), "threads": lambda: run(8), "import": within_an_import,
            "broken": broken, "signal": in_a_signal_handler, "interrupted": interrupted}
    ways.get(way, fail)()
    if way == "threads":  # the log tells the same a few times only
        from mxcert_runtime.monitoring import counters
        told = counters.refusals()
    print(json.dumps([before, told, errors]))
"""


def _told_in(way: str, version: TlsVersion, refusals: Refusals) -> Any:
    """Whether it was loaded before, what was told of it, and the errors of one process."""
    leaf = refusals.leaves[UNKNOWN]
    variables = refusals.files.variables(usages={UNKNOWN: leaf})
    ca = str(refusals.files.authority(refusals.authority))
    arguments = json.dumps([refusals.port(version), ca, way])
    return run_client(_PROGRAM, arguments, environment=variables).json()


@pytest.mark.parametrize("version", [TlsVersion.TLS12, TlsVersion.TLS13])
def test_the_words_of_the_first(version: TlsVersion, refusals: Refusals) -> None:
    """What is loaded for it says what it says where it was there before: in the main thread, in
    another one, in one for which a module waits that is being imported, in a signal handler."""
    was_loaded, *expected = _told_in("loaded", version, refusals)
    assert was_loaded
    [warning], [error] = expected
    assert facts_of(warning)[""].endswith("(unknown_ca)")
    assert HAS_NOTES == bool(error[-1])
    for way in ("main", "thread", "import", "signal"):
        assert [False, *expected] == _told_in(way, version, refusals)


def test_the_first_of_many(refusals: Refusals) -> None:
    """Threads that fail at once are each explained, whichever of them loads it."""
    was_loaded, counted, errors = _told_in("threads", TlsVersion.TLS12, refusals)
    assert not was_loaded
    assert {"unknown_ca": 8} == counted
    assert [HAS_NOTES] * 8 == [bool(each[-1]) for each in errors]


def test_a_failure_within_the_load_of_the_first(refusals: Refusals) -> None:
    """A handler that fails while it is being loaded gets its error, and the first its words."""
    _, warnings, [inner, outer] = _told_in("interrupted", TlsVersion.TLS12, refusals)
    assert [outer[0], outer[1]] == [inner[0], inner[1]]
    assert ([], HAS_NOTES) == (inner[-1], bool(outer[-1]))
    assert "cannot be explained (ImportError" in warnings[0]
    assert facts_of(warnings[1])[""].endswith("(unknown_ca)")


@pytest.mark.parametrize("version", [TlsVersion.TLS12, TlsVersion.TLS13])
def test_what_cannot_be_loaded(version: TlsVersion, refusals: Refusals) -> None:
    """The program gets its own error, chained to nothing of ours, and a warning that says what to
    do; the next failure is explained, if it can be by then."""
    _, warnings, [first, second] = _told_in("broken", version, refusals)
    assert [*second[:-1], []] == first
    assert HAS_NOTES == bool(second[-1])
    assert ["None", "None"] == first[2]
    assert "cannot be explained (ImportError: half a disk)" in warnings[0]
    assert "start the program anew" in warnings[0]
    assert facts_of(warnings[1])[""].endswith("(unknown_ca)")


_DEEP = """
    import json, logging, socket, ssl, sys
    import mxcert_runtime

    class Deep:
        def find_spec(self, name, path=None, target=None):
            if name == "mxcert_runtime.hooks.stdlib.explanation":
                self.filter()

        def filter(self, record=None):
            asked.append(record is None)
            raise RecursionError("maximum recursion depth exceeded")

    asked = []
    sys.meta_path.insert(0, Deep())
    logging.getLogger("mxcert_runtime").addFilter(Deep())
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30) as plain:
            context.wrap_socket(plain, server_hostname="unknown.test")
    except Exception as error:
        print(json.dumps([type(error).__name__, repr(error.__context__), asked]))
"""


def test_at_the_end_of_the_stack(refusals: Refusals) -> None:
    """Where there is room neither for what explains a failure nor to say so, the error is the
    program's all the same."""
    variables = refusals.files.variables(usages={UNKNOWN: refusals.leaves[UNKNOWN]})
    port = str(refusals.port(TlsVersion.TLS12))
    done = run_client(_DEEP, port, environment=variables, host_patterns=())
    assert ["SSLError", "None", [True, False]] == done.json()


_FORKS = """
    import os, sys
    import mxcert_runtime
    if sys.argv[1] == "not in force":
        mxcert_runtime.deactivate()
    late = "mxcert_runtime.hooks.stdlib.explanation"
    before = late in sys.modules
    child = os.fork()
    if not child:
        os._exit(late in sys.modules)
    print([int(before), os.waitpid(child, 0)[1] >> 8])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize(("when", "expected"), [("in force", [0, 1]), ("not in force", [0, 0])])
def test_forked_children_have_it(when: str, expected: list[int], refusals: Refusals) -> None:
    """It is loaded before a process forks, so that no child waits for a thread that it has not."""
    variables = refusals.files.variables(refusals.leaves[UNKNOWN])
    done = run_client(_FORKS, when, environment=variables, host_patterns=())
    assert (expected, "") == (done.json(), done.stderr)
