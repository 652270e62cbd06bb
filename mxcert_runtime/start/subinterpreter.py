"""Interpreters beside the main one: mod_wsgi's application groups, ``concurrent.interpreters``.

cryptography is imported in one interpreter of a process and refuses every other
(https://github.com/PyO3/pyo3/issues/576), so the plugin's identities are not to be had there. That
is told from here, with nothing but the standard library.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from ..errors import MxcertError, SubinterpreterError

#: the modules that make TLS connections: Python's, and what pyOpenSSL is
_ENGINES = ("ssl", "_ssl")
_OTHER_ENGINE = "OpenSSL"


def is_subinterpreter() -> bool:
    """Whether this code runs in an interpreter that is not the process's main one."""
    interpreters = _interpreters()
    return bool(interpreters and interpreters.get_current() != interpreters.get_main())


def are_several() -> bool:
    """Whether the process has another interpreter beside this one."""
    interpreters = _interpreters()
    return bool(interpreters and len(interpreters.list_all()) > 1)


def _interpreters() -> Any:
    for name in ("_interpreters", "_xxsubinterpreters"):  # the latter before Python 3.13
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


@contextmanager
def explained_import() -> Iterator[None]:
    """Turns an ``ImportError`` that comes of a subinterpreter into :class:`SubinterpreterError`."""
    try:
        yield
    except ImportError as error:
        if isinstance(error, SubinterpreterError) or not is_subinterpreter():
            raise
        raise SubinterpreterError(str(error)) from None


def refuse_connections(error: BaseException) -> None:
    """Refuse every TLS connection of this interpreter, since the plugin could not be activated.

    ``error`` is the reason. Connections of servers are made as ever, and all else goes on.
    """
    if not isinstance(error, MxcertError):
        error = SubinterpreterError(str(error) or type(error).__name__)
    reason = str(error)
    for name in [each for each in sys.modules if each.partition(".")[0] == _OTHER_ENGINE]:
        del sys.modules[name]
    sys.meta_path.insert(0, _NoOtherEngine(reason))
    try:
        _refuse_by_ssl(reason)
    except BaseException:
        # Without the gate there must not be connections at all.
        sys.modules.update(dict.fromkeys(_ENGINES))  # type: ignore[arg-type]


def _refuse_by_ssl(reason: str) -> None:
    from .connection_gate import ConnectionGate
    from .no_connection import NoConnectionError

    def refuse() -> NoReturn:
        # One line, as errors of connections are: a report of settings has several.
        told = " ".join(reason.split())
        raise NoConnectionError(1, f"no TLS connection is made without its identity: {told}")

    ConnectionGate(refuse).close()


class _NoOtherEngine:
    """An import finder that lets nobody import pyOpenSSL, whose connections have no gate."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] == _OTHER_ENGINE:  # which may be half loaded
            raise ModuleNotFoundError(self._reason, name=name)
