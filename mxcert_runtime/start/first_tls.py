"""Waits for the first import of TLS, and then for what the plugin itself needs to be imported.

Until ``ssl`` is imported nobody can connect. Whoever imports it first is kept there until the
plugin is active, and so is every other thread; where its dependencies are not on ``sys.path`` yet,
a gate stands before every connection instead, and the first one to come ends the wait.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock

from ..base import call_when_loaded, end_load, is_kept
from .connection_gate import ConnectionGate, pyopenssl_gate
from .early_dials import EarlyDials
from .finders import call_without_import_lock, come_first
from .import_watch import ImportWatch, find_unwatched

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_ENGINE = "ssl"
#: makes connections by itself, which no gate of ``ssl`` stops
_UNGATED = "OpenSSL.SSL"
#: Of several interpreters of a process one can have the plugin, which should be the first.
_INTERPRETERS = ("_interpreters", "_xxsubinterpreters")


class FirstTls:
    """Calls ``act`` once: when TLS is imported and all is ready, or a connection cannot wait.

    ``is_ready`` is asked at each import from then on, with the name of what is imported.
    ``partners`` are modules that import ``ssl`` themselves and take part in the act, or packages of
    them: it is done before they are loaded. ``users`` take no part in it, and so wait for its end
    also where another thread acts. ``fail`` gets what has kept the act from being begun or ended,
    such as the end of the stack; without it that is raised.
    """

    def __init__(
        self,
        act: Callable[[], None],
        is_ready: Callable[[str], bool],
        partners: tuple[str, ...] = (),
        fail: Callable[[BaseException], None] | None = None,
        users: tuple[str, ...] = (),
    ) -> None:
        self._act = act
        self._fail = fail or _raise
        self._is_ready = is_ready
        self._is_loaded = self._is_over = self._is_done = False
        self._gates: list[ConnectionGate] = []
        self._lock = RLock()
        self.dials = EarlyDials(self.look)
        self._tls = _TlsWatch(self, (*_INTERPRETERS, _UNGATED, *partners), users)
        self._end = ImportWatch(is_ready, self._finish_unless_another_does)

    def start(self) -> None:
        """Look at every import from now on, and at what is imported already."""
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._go_on_in_child)
        self._tls.start()
        if sys.modules.get("socket") is not None:
            self.dials.begin()
        self.look()
        self._look_at_ungated()

    def _go_on_in_child(self) -> None:
        """See to what a thread had begun that is not here: its gate, and its import of ``ssl``."""
        module = sys.modules.get(_ENGINE)
        if module is None:
            return
        if self._is_loaded and not self._is_over:
            self._close(ConnectionGate(self.finish))
            self._end.start()
        end_load(module)

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
        """See whether ``ssl`` came unseen, by a finder that hides the imports that it serves."""
        module = sys.modules.get(_ENGINE)
        if module is not None:
            _call_once_loaded(module, self.reach)

    def reach(self) -> None:
        """Act, now that ``ssl`` is loaded; else close the gate until it is done.

        It never waits for another thread that acts: its caller holds the lock of ``ssl``, or of
        another module which that one may need. Whatever goes wrong here goes to ``fail``: raised,
        it would end the import, and whoever imports ``ssl`` once more would have it without any
        of this.
        """
        if self._is_loaded or sys.modules.get(_ENGINE) is None:  # its load may have failed
            return
        self._is_loaded = True
        try:
            self._close(ConnectionGate(self.finish))
            self._let_forks_wait()
            if self._is_ready(_ENGINE):
                self._finish_unless_another_does()
            elif not self._is_over:
                self._end.start()
        except BaseException as error:
            self._fail(error)

    def _let_forks_wait(self) -> None:
        """A child that forks meanwhile would wait for ever for a thread that it does not have.

        Registered last, this is called first: a fork that waits for the act has not taken the locks
        of other libraries yet (as `logging` does), which the act may need.
        """
        if hasattr(os, "register_at_fork"):
            release = self._lock.release
            os.register_at_fork(
                before=self._lock.acquire, after_in_parent=release, after_in_child=release
            )

    def finish(self) -> None:
        """Act, whether all is ready or not; whoever comes meanwhile waits for the end of it.

        What goes wrong goes to ``fail``. Until that has ended the process, nobody who waits may go
        on either.
        """
        with self._lock:
            try:
                self._finish()
            except BaseException as error:
                self._fail(error)

    def _finish(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._end.stop()
        self._act()
        self.dials.hand_over()
        self._open_gates()

    def _finish_unless_another_does(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self.finish()
            finally:
                self._lock.release()
        elif not self._is_over:  # a fork has the lock, and nobody acts
            self._end.start()

    def catch_up(self) -> None:
        """Act as if TLS were imported now, or wait for who does."""
        try:
            import ssl  # noqa: F401 - which acts
        except ImportError:
            self.finish()
        self.look()
        with self._lock:  # which whoever acts holds
            if self._is_loaded and self._is_ready(_ENGINE):
                self.finish()

    def catch_up_unless_another_does(self) -> None:
        """Act as if TLS were imported now, and wait for nobody, as in :meth:`reach`."""
        if sys.modules.get(_ENGINE) is None:
            try:
                import ssl  # noqa: F401 - which acts
            except ImportError:
                self._finish_unless_another_does()
        self.look()

    def _close(self, gate: ConnectionGate) -> None:
        self._gates.append(gate)
        gate.close()
        if self._is_done:  # by now
            self._open_gates()

    def _open_gates(self) -> None:
        self._is_done = True
        for gate in reversed(self._gates):
            gate.open()

    def _look_at_ungated(self) -> None:
        module = sys.modules.get(_UNGATED)
        if module is not None:
            self.catch_up_unless_another_does()
            _call_once_loaded(module, self.close_other_gate)

    def close_other_gate(self) -> None:
        """Keep the connections of pyOpenSSL waiting, if it could be loaded.

        Its import does not wait: it holds a lock that whoever acts may need.
        """
        if _UNGATED in sys.modules:
            self._close(pyopenssl_gate(self.finish))


def _call_once_loaded(module: ModuleType, call: Callable[[], None]) -> None:
    if is_kept(module):
        call_when_loaded(module.__spec__, call)
    else:
        call()


def _raise(error: BaseException) -> None:
    raise error


class _TlsWatch(ImportWatch):
    """The first among the finders, until TLS is imported."""

    def __init__(self, wait: FirstTls, before: tuple[str, ...], users: tuple[str, ...]) -> None:
        self._wait = wait
        self._before = before
        self._users = users
        self._at_the_end = {
            _ENGINE: wait.reach,
            "_ssl": wait.catch_up_unless_another_does,
            "socket": wait.dials.begin,
            _UNGATED: wait.close_other_gate,
        }
        #: One that waits for its start is asked all the same, by imports that have begun before.
        self._is_on = True

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find nothing, unless it has to do with TLS: see to what comes before, and at the end."""
        if not self._is_on or self._wait.is_done:
            return None
        if name in self._users:
            call_without_import_lock(self._wait.catch_up)
        is_reached_here = not self._wait.is_reached and self._reach_before(name)
        if is_reached_here or name in self._at_the_end:
            return self._find(name, path, target)
        return None

    def _reach_before(self, name: str) -> bool:
        come_first(self)
        if _ENGINE in sys.modules:
            call_without_import_lock(self._wait.look)
        if name.startswith(self._before):
            call_without_import_lock(self._wait.catch_up_unless_another_does)
        return self._wait.is_reached

    def _find(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        spec = find_unwatched(name, path, target)
        call = self._at_the_end.get(name)
        if spec is None or call is None or call_when_loaded(spec, call):
            return spec
        # It cannot tell of its load (the standard library in a zip file, in Python 3.9).
        self.stop()
        try:
            call_without_import_lock(lambda: __import__(name))
        finally:
            self.start()
        call_without_import_lock(call)
        return find_unwatched(name, path, target)
