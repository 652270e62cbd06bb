"""What is logged about a connection starts no other: handlers may speak TLS themselves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime import service
from mxcert_runtime.base import locks
from mxcert_runtime.monitoring import housekeeping
from mxcert_runtime.monitoring.log_guard import REPEATS, SECONDS, LogGuard, is_in_log_handler
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch
from tests.support.tls_server import TlsServer

WAIT = 60
OWN = logging.getLogger("mxcert_runtime")
PROGRAM = logging.getLogger("program")
LEVELS = (logging.DEBUG, logging.WARNING)


class _Https(logging.handlers.HTTPHandler):
    """The standard library's, which leaves its connections open."""

    def getConnection(self, host: str, secure: bool) -> Any:
        self.connection = super().getConnection(host, secure)
        return self.connection

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        self.connection.close()


class Sink:
    """Where handlers send records: well on DEBUG; refused by this side, and warned of, else."""

    def __init__(self, level: int, server: TlsServer, authority: Authority) -> None:
        trusted = authority if level == logging.DEBUG else Authority("Another root")
        self.server = server
        self.context = ssl.create_default_context(cadata=trusted.pem.decode("ascii"))

    def handler(self) -> logging.Handler:
        """One that sends each record by a request."""
        host = f"localhost:{self.server.port}"
        return _Https(host, "/", secure=True, context=self.context)

    def send(self) -> None:
        """What a handler of its own does for each record."""
        with contextlib.suppress(OSError):
            fetch(self.server.url(), self.context)


@pytest.fixture(params=LEVELS, ids=logging.getLevelName)
def sink(
    request: pytest.FixtureRequest,
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
) -> Sink:
    """The settings have a rule for the host of the sink; the level is the root logger's."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    entry = client_files.identity(
        "alpha",
        alpha,
        hosts=["localhost"],
    )
    mxcert_runtime.activate({"identity": [entry]})
    monkeypatch.setattr(logging.getLogger(), "level", request.param)
    for logger in (OWN, PROGRAM):
        monkeypatch.setattr(logger, "level", request.param)
        logger.manager._clear_cache()  # type: ignore[attr-defined]
    return Sink(request.param, tls_server(), authority)


@pytest.fixture
def attached() -> Iterator[Callable[[logging.Handler], None]]:
    """Puts handlers on the root logger, and takes them away."""
    added: list[logging.Handler] = []

    def attach(handler: logging.Handler) -> None:
        added.append(handler)
        logging.getLogger().addHandler(handler)

    yield attach
    for handler in added:
        logging.getLogger().removeHandler(handler)
        handler.close()


Attach = Callable[[logging.Handler], None]


def test_a_handler_that_connects(sink: Sink, attached: Attach) -> None:
    """One record of the program is one connection."""
    attached(sink.handler())
    PROGRAM.warning("one line")
    assert 1 == sink.server.connections


def test_the_program_still_hears_of_its_own(
    sink: Sink, attached: Attach, caplog: pytest.LogCaptureFixture
) -> None:
    """The twin: a connection of the program is told of, and takes two: its own, and the sink's."""
    attached(sink.handler())
    sink.send()
    own = [each.getMessage() for each in caplog.records if each.name == OWN.name]
    assert (1, 2) == (len(own), sink.server.connections)


def test_a_queue_listener(sink: Sink, attached: Attach) -> None:
    """The thread that empties a queue is in a handler as well."""
    records: queue.Queue[Any] = queue.Queue()
    attached(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, sink.handler())
    listener.start()
    PROGRAM.warning("one line")
    listener.stop()
    assert (1, 0) == (sink.server.connections, records.qsize())


class _Worker(logging.Handler):
    """A handler that leaves sending to a thread of its own, as handlers of log services do."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self.sink = sink
        self.records: queue.Queue[Any] = queue.Queue()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.put(record)

    def _work(self) -> None:
        while self.records.get() is not None:
            self.sink.send()
            self.records.task_done()


def test_a_worker_of_a_handler(sink: Sink, attached: Attach) -> None:
    """What nobody can tell from a thread of the program comes to an end all the same."""
    handler = _Worker(sink)
    attached(handler)
    PROGRAM.warning("one line")
    # `join` returns when the queue is empty and nobody is at work: a loop would never let it.
    waiting = threading.Thread(target=handler.records.join, daemon=True)
    waiting.start()
    waiting.join(WAIT)
    has_ended = not waiting.is_alive()
    handler.records.put(None)
    assert has_ended
    assert 1 < sink.server.connections <= 1 + 2 * REPEATS


def test_a_task_of_a_handler(sink: Sink, attached: Attach) -> None:
    """The same for tasks that a handler creates."""
    tasks: list[asyncio.Future[None]] = []

    async def send() -> None:
        with contextlib.suppress(OSError):
            opened = asyncio.open_connection("localhost", sink.server.port, ssl=sink.context)
            _, writer = await opened
            writer.close()
            await writer.wait_closed()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name != "asyncio":
                tasks.append(asyncio.ensure_future(send()))

    async def run() -> None:
        attached(Handler())
        PROGRAM.warning("one line")
        for task in tasks:  # grows meanwhile
            await task

    asyncio.run(asyncio.wait_for(run(), WAIT))
    assert 1 < len(tasks) <= 1 + 2 * REPEATS


def test_no_lock_is_held_where_something_is_logged(
    sink: Sink, attached: Attach, client_files: ClientFiles, alpha: Leaf
) -> None:
    """A handler may wait for a thread that connects: no lock that a connection needs is held."""
    from mxcert_runtime.start import swap

    held: list[str] = []

    def look(lock: Any, message: str) -> None:
        # From a thread of its own: the locks are reentrant.
        taken = lock.acquire(blocking=False)
        if taken:
            lock.release()
        else:
            held.append(message)

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            for lock in list(locks._locks):
                # No connection takes that one.
                if lock is not swap.lock and record.name == OWN.name:
                    thread = threading.Thread(target=look, args=(lock, record.getMessage()))
                    thread.start()
                    thread.join(WAIT)

    attached(Handler())
    older = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    entry = client_files.identity("alpha", alpha, hosts=["localhost", "localhost:1"])
    ca = str(client_files.authority(Authority("Extra root")))
    mxcert_runtime.activate({"identity": [entry], "ca": [ca]})
    with service("Nobody.Knows"):
        sink.send()
    older.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    mxcert_runtime.deactivate()
    assert [] == held


class _Clock:
    """Seconds, as a test says."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _record(text: str, level: int = logging.DEBUG) -> logging.LogRecord:
    return logging.LogRecord(OWN.name, level, __file__, 1, "%s", (text,), None)


def test_repetitions_are_left_out_and_told() -> None:
    """A line is said a few times a minute, and then with how many there were meanwhile."""
    clock = _Clock()
    guard = LogGuard(clock)
    said = [guard.filter(_record("a")) for _ in range(REPEATS + 3)]
    assert [True] * REPEATS + [False] * 3 == said
    assert [True, True] == [guard.filter(_record("b")), guard.filter(_record("a", logging.INFO))]
    clock.now += SECONDS
    for text in ("a (and 3 times more since)", "a"):
        record = _record("a")
        assert (True, text) == (guard.filter(record), record.getMessage())


def test_few_lines_are_left_as_they_are() -> None:
    """The twin: where nothing was left out, nothing is said of it."""
    clock = _Clock()
    guard = LogGuard(clock)
    for _ in range(3):
        record = _record("a")
        assert (True, "a") == (guard.filter(record), record.getMessage())
        clock.now += SECONDS


def test_lines_are_not_remembered_without_end() -> None:
    """Of many different lines those that were said last are known."""
    guard = LogGuard(_Clock())
    assert all(guard.filter(_record(str(number))) for number in range(5000))
    assert len(guard._lines) < 1000


def test_many_threads_say_the_same() -> None:
    """Threads that log at the same time do no harm to each other."""
    guard = LogGuard()
    errors: list[BaseException] = []
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        try:
            barrier.wait(WAIT)
            for each in range(2000):
                guard.filter(_record(str(each * 7 % 1500)))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert [] == errors


def test_what_is_due_stays_due_within_a_handler(
    client_files: ClientFiles, alpha: Leaf, caplog: pytest.LogCaptureFixture
) -> None:
    """The daily word about expiry is not lost where a handler makes the handshake of the day."""
    mxcert_runtime.activate({"identity": [client_files.identity("alpha", alpha)]})
    caplog.set_level(logging.INFO)
    expiry = alpha.certificate.not_valid_after_utc

    def look() -> None:
        later = housekeeping._due + 1
        housekeeping.look_if_due(lambda: later, lambda: expiry)

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == PROGRAM.name:
                inside.append(is_in_log_handler())
                look()

    inside: list[bool] = []
    handler = Handler()
    logging.getLogger().addHandler(handler)
    try:
        PROGRAM.warning("one line")
    finally:
        logging.getLogger().removeHandler(handler)
    before = [each for each in caplog.records if "expires" in each.getMessage()]
    look()
    after = [each for each in caplog.records if "expires" in each.getMessage()]
    assert ([True], 0, 1) == (inside, len(before), len(after))
    assert not is_in_log_handler()


def test_undo_takes_the_guard_away(client_files: ClientFiles, alpha: Leaf) -> None:
    """The logger is as it was; activating twice guards once."""
    before = list(OWN.filters)
    for _ in range(2):
        mxcert_runtime.activate({"identity": [client_files.identity("alpha", alpha)]})
    during = len(OWN.filters)
    mxcert_runtime.deactivate()
    assert (before, len(before) + 1) == (OWN.filters, during)
