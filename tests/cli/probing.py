"""Runs ``mxcert probe`` in this process, and servers that say only what they are told to say."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.cli.probe import steps
from tests.support.listener import TIMEOUT, Listener, Records
from tests.support.server_tls import ServerEnd, ServerTls, close_politely

HOST = "partner.example"


@dataclass(frozen=True)
class Probed:
    """How a probe ended."""

    status: int
    data: dict[str, Any]

    @property
    def outcome(self) -> str:
        return str(self.data["verdict"]["outcome"])

    @property
    def remedy(self) -> str:
        return str(self.data["verdict"]["remedy"])

    @property
    def presented(self) -> str | None:
        """The fingerprint of what was presented."""
        presented = self.data["presented"]
        return presented and str(presented["fingerprint"])

    @property
    def steps(self) -> list[str]:
        return [step["step"] for step in self.data["steps"]]


Probe = Callable[..., Probed]


def probe_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: dict[str, str]
) -> Probe:
    """Probes with these settings in the environment, and reads the JSON.

    The platform's own trust is left out, unless they name it: to load it takes most of the time.
    """
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "/nonexistent")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def probe(*arguments: str) -> Probed:
        status = main(["probe", "--json", "--timeout", "30", *arguments])
        return Probed(status, json.loads(capsys.readouterr().out))

    return probe


def wait_for_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as long as it takes for a refusal that is to come: a server may be slow to refuse."""
    monkeypatch.setattr(steps, "_SILENCE", TIMEOUT)


class ScriptedServer:
    """Greets, and answers whatever it gets with the next of its answers, until there are no more.

    The empty answer is a TLS handshake instead. ``received`` has what clients sent.
    """

    def __init__(self, stack: ExitStack, answers: Sequence[bytes], tls: ServerTls | None = None):
        self._answers = answers
        self._end = None if tls is None else ServerEnd(tls)
        self.received: Records[bytes] = Records()
        self._listener = stack.enter_context(Listener(self._serve))
        self.port = self._listener.port

    @property
    def connections(self) -> int:
        return self._listener.connections

    def _serve(self, plain: socket.socket, number: int) -> None:
        connection: socket.socket = plain
        for answer, following in zip(self._answers, [*self._answers[1:], None]):
            if answer:
                connection.sendall(answer)
                if following != b"":  # else what comes is the handshake's
                    self.received.append(connection.recv(65536))
                continue
            assert self._end is not None
            secure = self._end.handshake(plain, number)
            if secure is None:
                return
            connection = secure
        if connection is not plain:
            close_politely(connection)  # type: ignore[arg-type]
