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
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ...base.environ import process_environ
from ...connections.request import explain_misfit
from ...connections.verification import DEFAULT, Verification
from ...decisions import in_force
from ...decisions.generation import Generation
from ...decisions.legs import dialling
from ...decisions.policy import Choice, Decision
from ...decisions.services import service as service_scope
from ...diagnosis import report as failure_report
from ...errors import MxcertError
from ...identity.identity import Identity
from ...settings.presence import is_disabled
from .certificates import CertificateView, Voucher, view_certificate, voucher_of
from .dialogues import Wire, ask, connect_through, start_tls
from .observation import Observation
from .target import Proxy, Target

#: Seconds to wait for a refusal where no protocol is known by which to ask for an answer.
_SILENCE = 2.0

#: Compressed certificates (RFC 8879) are not told by the message callback in a readable form.
#: SSL_OP_NO_TX_CERTIFICATE_COMPRESSION and SSL_OP_NO_RX_CERTIFICATE_COMPRESSION, OpenSSL 3.2
_UNCOMPRESSED = 1 << 32 | 1 << 33
_SINCE = (3, 2)


@dataclass
class Step:
    """One step: what was done, how long it took, what came of it."""

    name: str
    milliseconds: float = 0.0
    detail: str = ""
    error: Exception | None = None


@dataclass(frozen=True)
class TlsFacts:
    """What a handshake agreed upon."""

    version: str | None
    cipher: str | None
    application_protocol: str | None


@dataclass
class ProbeResult:
    """All that a probe found out; what a step would have filled is empty where it did not come."""

    target: Target
    proxy: Proxy | None
    service: str | None
    timeout: float
    #: ``None``: no settings are in force
    generation: Generation | None
    decision: Decision
    #: where a rule could stand, and whether one does, most specific first
    places: list[tuple[str, Decision | None]]
    verification: Verification
    observation: Observation = field(default_factory=Observation)
    steps: list[Step] = field(default_factory=list)
    tls: TlsFacts | None = None
    answer: str | None = None

    @property
    def failure(self) -> Step | None:
        """The step that failed."""
        return next((step for step in self.steps if step.error is not None), None)

    @property
    def identities(self) -> tuple[Identity, ...]:
        """All that are loaded."""
        return self.generation.identities if self.generation else ()

    @property
    def chain(self) -> list[CertificateView]:
        """What the server sent, leaf first."""
        return [view_certificate(der) for der in self.observation.server_chain]

    @property
    def voucher(self) -> Voucher | None:
        """Who vouches for the server, once it is verified: only then is a Certificate answered."""
        observation = self.observation
        is_verified = self.tls is not None or observation.presented is not None
        return voucher_of(self.verification, observation.server_chain) if is_verified else None

    @property
    def presented(self) -> CertificateView | None:
        """The leaf that this side sent."""
        sent = self.observation.presented
        return view_certificate(sent[0]) if sent else None

    @property
    def presented_name(self) -> str | None:
        """The name of the identity that this side sent."""
        leaf = self.presented
        if leaf is None:
            return None
        decided = (self.decision.identity,) if self.decision.identity else ()
        known = (*decided, *self.identities)
        names = (each.name for each in known if each.fingerprint == leaf.fingerprint)
        return next(names, leaf.subject)

    @property
    def misfits(self) -> list[tuple[Identity, str | None]]:
        """Each identity, and why it does not fit the server's request; none were none asked."""
        request = self.observation.request
        if request is None:
            return []
        now = datetime.now(timezone.utc)
        return [(each, explain_misfit(request, each, now)) for each in self.identities]


def probe(target: Target, proxy: Proxy | None, service: str | None, timeout: float) -> ProbeResult:
    """Connect once, by the settings that are in force; each wait takes ``timeout`` seconds."""
    result = _begin(target, proxy, service, timeout)
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
        yield step
    except (OSError, MxcertError, UnicodeError) as error:
        # Its frames hold sockets and the proxy's password.
        step.error = error.with_traceback(None)
        raise _StepFailedError from None
    finally:
        step.milliseconds = (time.perf_counter() - begin) * 1000


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
    if result.target.protocol.name == "tls":
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
