"""The logger of the package, in programs that load ``logging`` late or not at all."""

from __future__ import annotations

import os
import textwrap

import pytest

from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf
from tests.support.subprocesses import Finished, run_client

_BEGIN = """
import json, sys
import mxcert_runtime
from mxcert_runtime.base import logger
unloaded = "logging" not in sys.modules

def listened():
    import logging
    records = []
    class Kept(logging.Handler):
        def emit(self, record):
            records.append(record)
    own = logging.getLogger("mxcert_runtime")
    own.addHandler(Kept())
    own.setLevel("DEBUG")
    return records
"""


@pytest.fixture
def environment(client_files: ClientFiles, alpha: Leaf) -> dict[str, str]:
    """Settings with one identity."""
    return client_files.variables(alpha)


def _run(script: str, environment: dict[str, str] | None = None) -> Finished:
    return run_client(_BEGIN + textwrap.dedent(script), environment=environment, host_patterns=())


def test_a_program_that_loads_logging_later(environment: dict[str, str]) -> None:
    """It has every record from then on, each with the place in the code that it comes from."""
    script = """
        logger.debug("too early")
        records = listened()
        mxcert_runtime.activate()
        found = records[-1]
        print(json.dumps([unloaded, len(records), found.getMessage()[:21], found.funcName]))
    """
    assert [True, 1, "active: 1 identities,", "_tell"] == _run(script, environment).json()


def test_filters_that_were_given_before(environment: dict[str, str]) -> None:
    """What does not print is escaped, and a line is said five times; after deactivation as often
    as it is said.
    """
    script = """
        records = listened()
        def say():
            records.clear()
            for _ in range(7):
                logger.debug("a %s", "b" + chr(10) + "c")
            return [len(records), records[-1].getMessage()]
        within = say()
        mxcert_runtime.deactivate()
        print(json.dumps([unloaded, within, say()]))
    """
    escaped = r"a b\nc"
    assert [True, [5, escaped], [7, escaped]] == _run(script, environment).json()


def test_a_handler_is_known(environment: dict[str, str]) -> None:
    """Code that a handler calls is known as such where ``logging`` came later, and no other is."""
    script = """
        from mxcert_runtime.monitoring import is_in_log_handler
        found = [is_in_log_handler()]
        import logging
        class Asking(logging.Handler):
            def emit(self, record):
                found.append(is_in_log_handler())
        logging.getLogger("program").addHandler(Asking())
        logging.getLogger("program").warning("one line")
        print(json.dumps([unloaded, *found, is_in_log_handler()]))
    """
    assert [True, False, True, False] == _run(script, environment).json()


@pytest.mark.parametrize(
    ("level", "told"), [("debug", ""), ("info", ""), ("warning", "a word\n"), ("error", "a word\n")]
)
def test_a_program_without_logging(level: str, told: str) -> None:
    """Warnings and errors are on standard error, as ``logging`` has it, and nothing else is."""
    script = f"""
        logger.{level}("a %s", "word")
        print(json.dumps([unloaded, "logging" in sys.modules, logger.isEnabledFor(10)]))
    """
    done = _run(script)
    assert (told, [True, False, False]) == (done.stderr, done.json())


def test_what_is_told_without_logging(environment: dict[str, str]) -> None:
    """It goes through the filters as ever: escapes, and a line is said five times."""
    script = """
        for _ in range(7):
            logger.warning("a %s", "b" + chr(10) + "c")
        sys.stderr = None
        logger.warning("to nobody")
        print(json.dumps("logging" in sys.modules))
    """
    done = _run(script, environment)
    assert ("a b\\nc\n" * 5, False) == (done.stderr, done.json())


def test_logging_that_cannot_be_loaded() -> None:
    """It is told all the same, as at the end of an interpreter."""
    script = """
        sys.modules["logging"] = None
        logger.warning("first")
        del sys.modules["logging"]
        logger.warning("second")
        print(json.dumps(unloaded))
    """
    done = _run(script)
    assert ("first\nsecond\n", True) == (done.stderr, done.json())


def test_logging_that_is_being_loaded() -> None:
    """What comes in the middle of its load, as from a signal handler, waits for no end of it."""
    script = """
        class Finder:
            def find_spec(self, name, path=None, target=None):
                # `logging` imports `string` in its first lines.
                if name == "string" and "logging" in sys.modules:
                    logger.warning("within")
                    met.append(name)
        met = []
        sys.modules.pop("string", None)
        sys.meta_path.insert(0, Finder())
        import logging
        logger.warning("behind")
        print(json.dumps([unloaded, len(met)]))
    """
    done = _run(script)
    assert ("within\nbehind\n", [True, 1]) == (done.stderr, done.json())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_of_a_parent_that_is_loading_it() -> None:
    """It waits for no thread that it does not have."""
    script = """
        import os, signal, threading
        from importlib.machinery import ModuleSpec, PathFinder
        begun, ended = threading.Event(), threading.Event()
        class Finder:
            def find_spec(self, name, path=None, target=None):
                return ModuleSpec(name, self) if name == "string" else None
            def create_module(self, spec):
                return None
            # Not in the search, during which no process can fork.
            def exec_module(self, module):
                begun.set()
                ended.wait(60)
                PathFinder.find_spec("string").loader.exec_module(module)
        sys.modules.pop("string", None)
        sys.meta_path.insert(0, Finder())
        thread = threading.Thread(target=__import__, args=("logging",))
        thread.start()
        assert begun.wait(60) and "logging" in sys.modules
        child = os.fork()
        if not child:
            signal.alarm(20)
            logger.warning("a word")
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        ended.set()
        thread.join()
        print(json.dumps([unloaded, status]))
    """
    done = _run(script)
    assert [True, 0] == done.json()
    assert "a word\n" in done.stderr


def test_another_module_of_that_name() -> None:
    """A program's own `logging` gets nothing, and takes nothing away."""
    script = """
        import types
        from mxcert_runtime.monitoring import is_in_log_handler
        sys.modules["logging"] = types.ModuleType("logging")
        logger.debug("lost")
        logger.error("told")
        found = [logger.isEnabledFor(10), is_in_log_handler()]
        print(json.dumps([unloaded, *found]))
    """
    done = _run(script)
    assert ("told\n", [True, False, False]) == (done.stderr, done.json())


def test_code_beneath_a_decorator_is_no_handler(environment: dict[str, str]) -> None:
    """Where a program has put a decorator of its own around `logging`, what else it decorates is
    none; a handler is one all the same."""
    script = """
        import functools
        from mxcert_runtime.monitoring import is_in_log_handler
        records = listened()
        import logging
        def traced(function):
            @functools.wraps(function)
            def inner(*args):
                return function(*args)
            return inner
        for owner, name in (logging.Logger, "callHandlers"), (logging.Handler, "handle"):
            setattr(owner, name, traced(getattr(owner, name)))
        found = []
        class Asking(logging.Handler):
            def emit(self, record):
                found.append(is_in_log_handler())
        logging.getLogger("program").addHandler(Asking())
        records.clear()
        traced(logger.warning)("a word")
        logging.getLogger("program").warning("a word")
        print(json.dumps([unloaded, len(records), *found]))
    """
    assert [True, 1, True] == _run(script, environment).json()


def test_what_stands_in_for_a_method(environment: dict[str, str]) -> None:
    """A program that puts another method onto the logger, as tests do, has what it was to have."""
    script = """
        import logging
        logger.info("before")
        said = []
        logging.getLogger("mxcert_runtime").info = lambda *told: said.append(told)
        logger.info("a %s", "word")
        print(json.dumps([unloaded, said]))
    """
    assert [True, [["a %s", "word"]]] == _run(script, environment).json()


def test_a_connection_asks_the_logger_itself() -> None:
    """Once ``logging`` is loaded, what each connection asks costs as much as without this."""
    script = """
        import logging
        own = logging.getLogger("mxcert_runtime")
        logger.isEnabledFor(10)
        print(json.dumps(vars(logger)["isEnabledFor"] == own.isEnabledFor))
    """
    assert _run(script).json()
