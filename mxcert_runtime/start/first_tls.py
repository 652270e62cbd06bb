"""Waits for the first import of TLS, and then for what the plugin itself needs to be imported.

Until ``ssl`` is imported nobody can connect. Whoever imports it first is kept there until the
plugin is active, and so is every other thread; where its dependencies are not on ``sys.path`` yet,
a gate stands before every connection instead, and the first one to come ends the wait.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock

from ..base import call_when_loaded, end_load, is_loading
from .early_dials import EarlyDials
from .finders import call_without_import_lock, come_first
from .import_watch import ImportWatch, find_unwatched

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from .connection_gate import ConnectionGate

_ENGINE = "ssl"
#: makes connections by itself, which no gate of ``ssl`` stops
_UNGATED = "OpenSSL"
_CONNECTIONS_OF_UNGATED = "OpenSSL.SSL"
#: Of several interpreters of a process one can have the plugin, which should be the first.
_INTERPRETERS = ("_interpreters", "_xxsubinterpreters")


class FirstTls:
    """Calls ``act`` once: when TLS is imported and all is ready, or a connection cannot wait.

    ``is_ready`` is asked at each import from then on, with the name of what is imported.
    ``partners`` are modules that import ``ssl`` themselves and take part in the act, or packages of
    them: it is done before they are loaded. ``fail`` gets what has kept the act from being begun
    or ended, such as the end of the stack; without it that is raised.
    """

    def __init__(
        self,
        act: Callable[[], None],
        is_ready: Callable[[str], bool],
        partners: tuple[str, ...] = (),
        fail: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._act = act
        self._fail = fail or _raise
        self._is_ready = is_ready
        self._is_loaded = self._is_over = self._is_done = False
        self._gate: ConnectionGate | None = None
        self._other_gate: ConnectionGate | None = None
        self._lock = RLock()
        self.dials = EarlyDials(self.look)
        self._tls = _TlsWatch(self, (*_INTERPRETERS, *partners))
        self._end = ImportWatch(self._is_due, self.finish)

    def start(self) -> None:
        """Look at every import from now on, and at what is imported already."""
        self._tls.start()
        if sys.modules.get("socket") is not None:
            self.dials.begin()
        self.look()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What is to be found at an import that has begun before :meth:`start`."""
        return self._tls.find_spec(name, path, target)

    @property
    def is_reached(self) -> bool:
        """Whether TLS has been imported."""
        return self._is_over or self._is_loaded

    @property
    def is_done(self) -> bool:
        """Whether all that was to be done has been done, and nobody need be watched any more."""
        return self._is_done

    def look(self) -> None:
        """See whether ``ssl`` came unseen, by a finder that hides the imports that it serves.

        It never waits: its caller may hold the lock of a module that whoever acts needs.
        """
        module = sys.modules.get(_ENGINE)
        if module is None or self.is_reached:
            return
        if is_loading(module):
            call_when_loaded(module.__spec__, self.reach)
        elif self._lock.acquire(blocking=False):
            try:
                self.reach()
            finally:
                self._lock.release()

    def reach(self) -> None:
        """Act, now that ``ssl`` is loaded, or close the gate until it can be done.

        Whatever goes wrong here goes to ``fail``: raised, it would end the import, and whoever
        imports ``ssl`` once more would have it without any of this.
        """
        try:
            self._reach()
        except BaseException as error:
            self._fail(error)

    def _reach(self) -> None:
        with self._lock:
            if self.is_reached or sys.modules.get(_ENGINE) is None:
                return
            self._is_loaded = True
            self._close_gate()
            # A child that forks meanwhile would wait for ever for a thread that it does not have.
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(
                    before=self._lock.acquire,
                    after_in_parent=self._lock.release,
                    after_in_child=self._go_on_in_child,
                )
            if self._is_ready(_ENGINE):
                self.finish()
            else:
                self._end.start()

    def _go_on_in_child(self) -> None:
        """The fork has waited for the act, and the thread of it, which is not here, had an import
        of ``ssl`` to end: nobody else would."""
        self._lock.release()
        end_load(sys.modules[_ENGINE])

    def finish(self) -> None:
        """Act, whether all is ready or not; whoever comes meanwhile waits for the end of it.

        What goes wrong goes to ``fail``, as in :meth:`reach`.
        """
        try:
            self._finish()
        except BaseException as error:
            self._fail(error)

    def _finish(self) -> None:
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            self._end.stop()
            try:
                self._act()
            finally:
                self.dials.hand_over()
                self._open_gates()

    def catch_up(self) -> None:
        """Act as if TLS were imported now, or wait for who does."""
        try:
            import ssl  # noqa: F401 - which acts
        except ImportError:
            self.finish()

    def catch_up_now(self) -> None:
        """Act, ready or not, for connections that no gate of ``ssl`` stops."""
        self.catch_up()
        self.finish()

    def _close_gate(self) -> None:
        from .connection_gate import ConnectionGate

        self._gate = ConnectionGate(self.finish)
        self._gate.close()

    def close_other_gate(self) -> None:
        """Keep the connections of pyOpenSSL waiting, which is loaded while another thread acts.

        Its import does not wait: it holds a lock that whoever acts may need.
        """
        from .connection_gate import pyopenssl_gate

        if _CONNECTIONS_OF_UNGATED in sys.modules and not self._is_done:  # else it has failed
            self._other_gate = pyopenssl_gate(self.finish)
            self._other_gate.close()
        if self._is_done:  # by now
            self._open_gates()

    def _open_gates(self) -> None:
        self._is_done = True
        for gate in (self._gate, self._other_gate):
            if gate is not None:
                gate.open()

    def _is_due(self, name: str) -> bool:
        return name == _UNGATED or self._is_ready(name)


def _raise(error: BaseException) -> None:
    raise error


class _TlsWatch(ImportWatch):
    """The first among the finders, until TLS is imported."""

    def __init__(self, wait: FirstTls, before: tuple[str, ...]) -> None:
        self._wait = wait
        self._before = before
        #: One that waits for its start is asked all the same, by imports that have begun before.
        self._is_on = True

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find nothing, unless it is TLS: that it will be told of when it is loaded."""
        if not self._is_on or self._wait.is_done:
            return None
        if self._wait.is_reached:
            return self._gated(name, path, target)
        come_first(self)
        self._wait.look()
        if name == _ENGINE:
            return self._find(name, self._wait.reach)
        if name == "_ssl" and _ENGINE not in sys.modules:
            return self._find(name, self._wait.catch_up)
        if name == _UNGATED:
            call_without_import_lock(self._wait.catch_up_now)
            return find_unwatched(name, path, target)
        if name == "socket":
            return self._find(name, self._wait.dials.begin)
        if name.startswith(self._before) and not sys.modules.get(_ENGINE):
            call_without_import_lock(self._wait.catch_up)
            return find_unwatched(name, path, target)
        return None

    def _gated(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        if name != _CONNECTIONS_OF_UNGATED:
            return None
        spec = find_unwatched(name, path, target)
        call_when_loaded(spec, self._wait.close_other_gate)
        return spec

    def _find(self, name: str, reached: Callable[[], None]) -> ModuleSpec | None:
        spec = find_unwatched(name)
        if spec is None or call_when_loaded(spec, reached):
            return spec
        # It cannot tell of its load (the standard library in a zip file, in Python 3.9).
        self.stop()
        try:
            __import__(name)
        finally:
            self.start()
        reached()
        return find_unwatched(name)
