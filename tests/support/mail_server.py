"""SMTP, IMAP and FTP servers that turn to TLS on request; just enough for the standard library.

A dialogue answers one line at a time and knows nothing of sockets; the server knows no protocol.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from .server_tls import ServerTls, close_politely
from .tls_listener import TlsListener


class Next(Enum):
    """What the server does after an answer."""

    GO_ON = "go on"
    START_TLS = "start TLS"
    CLOSE = "close"


@dataclass(frozen=True)
class Answer:
    """The text for the client, without the last line end, and what comes after it."""

    text: str
    then: Next = Next.GO_ON


class Dialogue(Protocol):
    """The server's part of one connection."""

    greeting: str

    def answer(self, line: str) -> Answer | None:
        """The answer to a line of the client; ``None`` is silence."""


class SmtpDialogue:
    """RFC 5321 and STARTTLS (RFC 3207)."""

    greeting = "220 localhost ESMTP"

    def __init__(self) -> None:
        self._secure = False
        self._in_message = False

    def answer(self, line: str) -> Answer | None:
        if self._in_message:
            self._in_message = line != "."
            return None if self._in_message else Answer("250 taken")
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            return Answer("250 localhost" if self._secure else "250-localhost\r\n250 STARTTLS")
        if verb == "STARTTLS":
            self._secure = True
            return Answer("220 go ahead", Next.START_TLS)
        if verb == "DATA":
            self._in_message = True
            return Answer("354 go ahead")
        return Answer("221 bye", Next.CLOSE) if verb == "QUIT" else Answer("250 fine")


class ImapDialogue:
    """RFC 3501 and its STARTTLS."""

    greeting = "* OK IMAP4rev1 ready"

    def __init__(self) -> None:
        self._secure = False

    def answer(self, line: str) -> Answer | None:
        tag, verb = [*line.split(" "), ""][:2]
        if verb == "CAPABILITY":
            capabilities = "IMAP4rev1" if self._secure else "IMAP4rev1 STARTTLS"
            return Answer(f"* CAPABILITY {capabilities}\r\n{tag} OK done")
        if verb == "STARTTLS":
            self._secure = True
            return Answer(f"{tag} OK begin", Next.START_TLS)
        if verb == "LOGOUT":
            return Answer(f"* BYE\r\n{tag} OK done", Next.CLOSE)
        return Answer(f"{tag} OK done")


class FtpDialogue:
    """The control connection of RFC 959 with AUTH TLS (RFC 4217); there is no data connection."""

    greeting = "220 ready"

    def answer(self, line: str) -> Answer | None:
        verb = line.split(" ")[0].upper()
        if verb == "AUTH":
            return Answer("234 go ahead", Next.START_TLS)
        if verb == "QUIT":
            return Answer("221 bye", Next.CLOSE)
        return Answer("331 password please" if verb == "USER" else "200 fine")


class StartTlsServer(TlsListener):
    """A server on which TLS begins in the middle of a dialogue in clear."""

    def __init__(self, tls: ServerTls, dialogue: Callable[[], Dialogue]) -> None:
        super().__init__(tls)
        self._dialogue = dialogue

    def _serve(self, plain: socket.socket, number: int) -> None:
        dialogue = self._dialogue()
        plain.sendall(f"{dialogue.greeting}\r\n".encode("ascii"))
        if _talk(plain, dialogue) is not Next.START_TLS:
            return
        connection = self._end.handshake(plain, number)
        if connection is None:
            return
        try:
            _talk(connection, dialogue)
        finally:
            close_politely(connection)


def _talk(connection: socket.socket, dialogue: Dialogue) -> Next:
    # Clients wait for the answer before TLS begins, so the reader holds no byte of the handshake.
    with connection.makefile("r", encoding="ascii", newline="\r\n") as lines:
        for line in lines:
            answer = dialogue.answer(line.rstrip("\r\n"))
            if answer is None:
                continue
            connection.sendall(f"{answer.text}\r\n".encode("ascii"))
            if answer.then is not Next.GO_ON:
                return answer.then
    return Next.CLOSE
