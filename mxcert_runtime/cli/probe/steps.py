"""The steps of ``mxcert probe``: each timed, each with its own error, up to the first that fails.

The connection is an ordinary client's: a default context, ``wrap_socket``, and the hooks that are
in force decide. Nothing here verifies less, and nothing here chooses an identity.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

from ...base import process_environ
from ...connections import DEFAULT, Verification
from ...decisions import Choice, Decision, dialling, in_force, service as service_scope
from ...diagnosis import report as failure_report
from ...errors import MxcertError
from ...settings import is_disabled
from .dialogues import ask, connect_through, start_tls
from .result import ProbeResult, Progress, Step, TlsFacts
from .target import Proxy, Target
from .wire import Wire

#: Seconds to wait for a refusal where no protocol is known by which to ask for an answer.
_SILENCE = 2.0

#: Compressed certificates (RFC 8879) are not told by the message callback in a readable form.
#: SSL_OP_NO_TX_CERTIFICATE_COMPRESSION and SSL_OP_NO_RX_CERTIFICATE_COMPRESSION, OpenSSL 3.2
_UNCOMPRESSED = 1 << 32 | 1 << 33
_SINCE = (3, 2)


def probe(
    target: Target,
    proxy: Proxy | None,
    service: str | None,
    timeout: float,
    progress: Progress | None = None,
) -> ProbeResult:
    """Connect once, by the settings that are in force; each wait takes ``timeout`` seconds."""
    result = _begin(target, proxy, service, timeout)
    result.progress = progress or result.progress
    with contextlib.suppress(_StepFailedError), contextlib.ExitStack() as stack:
        _connect(result, stack)
    return result


@contextlib.contextmanager
def warnings_of_log() -> Iterator[list[str]]:
    """What the package warns of meanwhile, as a list that grows; it is not printed as well."""
    handler = _Warnings()
    logger = logging.getLogger("mxcert_runtime")
    logger.addHandler(handler)
    try:
        yield handler.warnings
    finally:
        logger.removeHandler(handler)


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # What it says of a failed connection, the report says with more knowledge.
        if record.module != failure_report.__name__.rpartition(".")[2]:
            self.warnings.append(record.getMessage())


class _StepFailedError(Exception):
    """The step knows why."""


def _begin(target: Target, proxy: Proxy | None, service: str | None, timeout: float) -> ProbeResult:
    generation = in_force.current
    if generation is None:
        decision = Decision.none(_why_inactive())
        places: list[tuple[str, Decision | None]] = []
    else:
        decision = generation.policy.select(target.host, target.port, service)
        places = list(generation.policy.examine(target.host, target.port, service))
    extra = generation.extra_authorities if generation else None
    return ProbeResult(
        target=target,
        proxy=proxy,
        service=service,
        timeout=timeout,
        generation=generation,
        decision=decision,
        places=places,
        verification=Verification(decision.authorities, extra, DEFAULT),
    )


def _why_inactive() -> str:
    return "MXCERT_DISABLE=1" if is_disabled(process_environ()) else "no settings are in force"


@contextlib.contextmanager
def _step(result: ProbeResult, name: str) -> Iterator[Step]:
    step = Step(name)
    result.steps.append(step)
    begin = time.perf_counter()
    try:
        result.progress.begin(name)
        yield step
    except (OSError, MxcertError, UnicodeError) as error:
        # Its frames hold sockets and the proxy's password.
        step.error = error.with_traceback(None)
        raise _StepFailedError from None
    finally:
        step.milliseconds = (time.perf_counter() - begin) * 1000
        result.progress.end(step)


def _connect(result: ProbeResult, stack: contextlib.ExitStack) -> None:
    plain = stack.enter_context(_dial(result))
    wire = Wire(plain, result.timeout)
    target, proxy = result.target, result.proxy
    if proxy is not None:
        with _step(result, "proxy tunnel") as step:
            step.detail = f"{proxy}: {connect_through(wire, proxy, target)}"
    if target.protocol.starttls:
        with _step(result, "STARTTLS") as step:
            step.detail = start_tls(wire, target.protocol.name)
    connection = _shake_hands(result, plain, stack)
    with _step(result, "first answer") as step:
        result.answer = _await_answer(result, connection)
        step.detail = result.answer or "the server keeps silent, which is no refusal"
    with contextlib.suppress(OSError):
        connection.settimeout(0)
        connection.unwrap()


def _dial(result: ProbeResult) -> socket.socket:
    peer = result.proxy or result.target
    with _step(result, "name resolution") as step:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
        addresses = dict.fromkeys(str(each[4][0]) for each in found)
        step.detail = f"{peer.host} is {', '.join(addresses)}"
    with _step(result, "TCP connect") as step:
        return _connect_to_first(found, result.timeout, step)
    raise AssertionError("a step that fails raises")


def _connect_to_first(found: list[Any], timeout: float, step: Step) -> socket.socket:
    error = OSError("the name has no address")
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            connection.connect(address)
        except OSError as refused:
            connection.close()
            error = refused
        else:
            step.detail = f"{address[0]} port {address[1]}"
            return connection
    raise error


def _shake_hands(
    result: ProbeResult, plain: socket.socket, stack: contextlib.ExitStack
) -> ssl.SSLSocket:
    target = result.target
    with _step(result, "TLS set-up") as step:
        context = _make_context(result)
        with _in_service(result.service), dialling(target.host, target.port):
            connection = stack.enter_context(
                context.wrap_socket(
                    plain, server_hostname=target.host, do_handshake_on_connect=False
                )
            )
        is_bare = result.decision.choice is Choice.NONE
        step.detail = "trust is loaded" if is_bare else "trust and identity are loaded"
    with _step(result, "TLS handshake") as step:
        connection.settimeout(result.timeout)
        connection.do_handshake()
        result.tls = facts = _facts_of(connection)
        step.detail = f"{facts.version}, {facts.cipher}"
    return connection


def _make_context(result: ProbeResult) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if result.target.protocol.name == "http":
        # As http.client and urllib3 have it.
        context.post_handshake_auth = True
        context.set_alpn_protocols(["http/1.1"])
    if ssl.OPENSSL_VERSION_INFO >= _SINCE:
        context.options |= _UNCOMPRESSED
    context._msg_callback = result.observation  # type: ignore[attr-defined]
    return context


@contextlib.contextmanager
def _in_service(name: str | None) -> Iterator[None]:
    if name is None:
        yield
    else:
        with service_scope(name):
            yield


def _facts_of(connection: ssl.SSLSocket) -> TlsFacts:
    cipher = connection.cipher()
    return TlsFacts(
        connection.version(), cipher[0] if cipher else None, connection.selected_alpn_protocol()
    )


def _await_answer(result: ProbeResult, connection: ssl.SSLSocket) -> str | None:
    if result.target.protocol.is_silent:
        return _await_refusal(connection, min(_SILENCE, result.timeout))
    wire = Wire(connection, result.timeout)
    try:
        return ask(wire, result.target)
    except (BrokenPipeError, ConnectionResetError):
        # A server that refuses closes at once; its alert may still wait to be read.
        wire.read(1)
        raise


def _await_refusal(connection: ssl.SSLSocket, timeout: float) -> str | None:
    connection.settimeout(timeout)
    try:
        spoken = connection.recv(1)
    except socket.timeout:
        return None
    if not spoken:
        raise ConnectionAbortedError("the server closed without a word")
    return "the server speaks first"
