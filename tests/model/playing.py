"""Runs a program, and holds what its peers saw against the model, call by call."""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import urllib3
from OpenSSL import SSL

import mxcert_runtime
from tests.model.cast import ADDRESS, PROXY_HOST, Cast
from tests.model.clients import Clients
from tests.model.deployment import Deployment
from tests.model.expectation import NONE, REFUSED, ContextFacts, Leg, expected
from tests.model.programs import NAMELESS, Activate, Call, Deactivate, Make, Step
from tests.support.listener import TIMEOUT

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_OPENSSL_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_REFUSALS = (
    OSError,
    SSL.Error,
    aiohttp.ClientError,
    httpx.TransportError,
    urllib3.exceptions.HTTPError,
)


@dataclass(frozen=True)
class Made:
    """A context, what the program did to it, and the time of being hooked that it was made in."""

    context: Any
    step: Make
    epoch: int | None
    #: what was in force then
    deployment: Deployment | None
    #: extra authorities that have joined what it trusts
    joined: set[str] = field(default_factory=set)


class Stage:
    """One run of one program."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._clients = Clients({name: proxy.port for name, proxy in cast.proxies.items()})
        self._made: list[Made] = []
        self._deployment: Deployment | None = None
        self._epoch = 0
        self.differences: list[str] = []

    def run(self, steps: Sequence[Step]) -> list[str]:
        """What differs from the model, in words; nothing is in force at its end."""
        try:
            for step in steps:
                self._run(step)
        finally:
            mxcert_runtime.deactivate()
            self._clients.close()
        return self.differences

    def _run(self, step: Step) -> None:
        if isinstance(step, Activate):
            mxcert_runtime.activate(settings=step.deployment.settings(self._cast))
            self._deployment = step.deployment
        elif isinstance(step, Deactivate):
            mxcert_runtime.deactivate()
            self._deployment, self._epoch = None, self._epoch + 1
        elif isinstance(step, Make):
            self._made.append(self._make(step))
        else:
            calls = (step,) if isinstance(step, Call) else step.calls
            before = len(self._cast.proxies["https"].seen)
            self._run_at_once(calls)
            self._judge_proxy(calls, before)

    def _run_at_once(self, calls: Sequence[Call]) -> None:
        ready = threading.Barrier(len(calls))

        def work(call: Call) -> None:
            ready.wait(TIMEOUT)
            self._judge(call)

        threads = [threading.Thread(target=work, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _make(self, step: Make) -> Made:
        make = self._make_ssl if step.engine == "ssl" else self._make_openssl
        epoch = None if self._deployment is None else self._epoch
        return Made(make(step), step, epoch, self._deployment)

    def _make_ssl(self, step: Make) -> ssl.SSLContext:
        bundle = None if step.roots is None else self._cast.path(step.roots)
        if step.by_factory:
            context = ssl.create_default_context(cafile=bundle)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if bundle is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(bundle)
        context.check_hostname = step.verifies_names
        if step.version in _VERSIONS:
            context.minimum_version = context.maximum_version = _VERSIONS[step.version]
        if step.fails_first:
            _fail_to_load(context)
        if step.has_own:
            context.load_cert_chain(*self._cast.own_files())
        return context

    def _make_openssl(self, step: Make) -> Any:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_verify(
            SSL.VERIFY_PEER, lambda _connection, _x509, _code, _depth, good: bool(good)
        )
        if step.roots is None:
            context.set_default_verify_paths()
        else:
            context.load_verify_locations(self._cast.path(step.roots))
        if step.version in _OPENSSL_VERSIONS:
            context.set_min_proto_version(_OPENSSL_VERSIONS[step.version])
            context.set_max_proto_version(_OPENSSL_VERSIONS[step.version])
        if step.has_own:
            certificate, key = self._cast.own_files()
            context.use_certificate_file(certificate)
            context.use_privatekey_file(key)
        return context

    def _judge(self, call: Call) -> None:
        wanted = self._expect(call)
        seen, told = self._play(call)
        if wanted != seen:
            self.differences.append(f"{call}\n    expected {wanted}, seen {seen} {told}")

    def _expect(self, call: Call) -> str:
        facts = self._facts_of(call)
        if call.proxy == "https" and self._expect_at_proxy(call, facts) == REFUSED:
            return REFUSED
        # What was dialled by its address was named to nobody.
        is_named = call.client != "wrap-without-name" and (
            call.client not in (*NAMELESS, "pyopenssl") or call.host != ADDRESS
        )
        host = call.host if is_named else ADDRESS
        leg = Leg(call.peer, host, call.service, is_named)
        return expected(self._deployment, leg, facts)

    def _expect_at_proxy(self, call: Call, facts: ContextFacts) -> str:
        leg = Leg("R-any", PROXY_HOST, None, is_named=True)
        return expected(self._deployment, leg, facts)

    def _judge_proxy(self, calls: Sequence[Call], before: int) -> None:
        """Whatever has come to the proxy by TLS since shows what the proxy's own name gives."""
        seen = list(self._cast.proxies["https"].seen)[before:]
        through = [call for call in calls if call.proxy == "https"]
        wanted = {self._expect_at_proxy(call, self._facts_of(call)) for call in through}
        found = {self._cast.names[each.fingerprint] if each.fingerprint else NONE for each in seen}
        if not found <= wanted:
            self.differences.append(f"{through}\n    at the proxy expected {wanted}, seen {found}")

    def _facts_of(self, call: Call) -> ContextFacts:
        return self._facts(self._made[call.context], call.client)

    def _facts(self, made: Made, client: str) -> ContextFacts:
        is_new = made.epoch is not None and made.epoch == self._epoch
        roots = frozenset(made.step.roots or "R")
        has_default_trust = made.step.roots is None and is_new
        if made.step.engine == "openssl":
            # Extra authorities join default trust there, with it or with a connection, and stay.
            now = self._deployment if has_default_trust else None
            extra = {each.extra for each in (made.deployment, now) if each and each.extra}
            made.joined.update(extra if made.step.roots is None else ())
            roots, has_default_trust = roots | made.joined, False
        # pyOpenSSL verifies no name, and urllib3 does so where the context does not.
        verifies_names = made.step.verifies_names and made.step.engine == "ssl"
        verifies_names = verifies_names or client == "urllib3"
        # Python 3.9 does not tell the level of a context that is older than the hooks.
        tells_level = is_new or made.step.engine == "openssl" or sys.version_info >= (3, 10)
        return ContextFacts(
            roots, has_default_trust, made.step.has_own, verifies_names, tells_level
        )

    def _play(self, call: Call) -> tuple[str, str]:
        context = self._made[call.context].context
        port = self._cast.peers[call.peer].port
        try:
            if call.service is None:
                return self._ask(call, context, port), ""
            with mxcert_runtime.service(call.service):
                return self._ask(call, context, port), ""
        except _REFUSALS as error:
            return REFUSED, repr(error)

    def _ask(self, call: Call, context: Any, port: int) -> str:
        host = call.host.upper() if call.is_loud else call.host
        return self._clients.ask(call.client, context, host, port, call.proxy, call.resumes)


def _fail_to_load(context: ssl.SSLContext) -> None:
    try:
        context.load_cert_chain("/nonexistent/client.pem")
    except FileNotFoundError:
        return
    raise AssertionError("there is a file at a path that should be nobody's")
