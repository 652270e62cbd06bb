"""An FTP server with AUTH TLS (RFC 4217) whose data connections speak TLS as well.

Both kinds of connections are in ``seen`` and ``failures``; a listing is all that can be had.
"""

from __future__ import annotations

import socket
from typing import Optional

from .listener import TIMEOUT, Records, bind_loopback
from .server_tls import Seen, ServerConnection, ServerTls, close_politely, observe
from .tls_listener import TlsListener

_PLAIN_ANSWERS = {"USER": "331 password please", "PASS": "230 welcome", "AUTH": "234 go ahead"}
_Listening = Optional[socket.socket]


class FtpServer(TlsListener):
    """``transfers`` has what was seen of each data connection, in order."""

    def __init__(self, tls: ServerTls) -> None:
        super().__init__(tls)
        self.transfers: Records[Seen] = Records()

    def _serve(self, plain: socket.socket, number: int) -> None:
        plain.sendall(b"220 ready\r\n")
        with plain.makefile("rb") as lines:
            for line in lines:
                plain.sendall(f"{_PLAIN_ANSWERS.get(_verb(line), '502 no')}\r\n".encode("ascii"))
                if _verb(line) == "AUTH":
                    break
        # Clients wait for the answer before TLS begins, so the reader holds no byte of it.
        super()._serve(plain, number)

    def _converse(self, connection: ServerConnection, number: int) -> None:
        listening: _Listening = None
        with connection.makefile("rb") as lines:
            for line in lines:
                if _verb(line) in ("PASV", "EPSV"):
                    (listening,) = bind_loopback()
                    _say(connection, _where(_verb(line), listening.getsockname()[1]))
                elif _verb(line) == "NLST" and listening is not None:
                    self._transfer(connection, listening, number)
                elif _verb(line) == "QUIT":
                    _say(connection, "221 bye")
                    return
                else:
                    _say(connection, _PLAIN_ANSWERS.get(_verb(line), "200 fine"))

    def _transfer(
        self, connection: ServerConnection, listening: socket.socket, number: int
    ) -> None:
        _say(connection, "150 here it comes")
        with listening:
            listening.settimeout(TIMEOUT)
            plain = listening.accept()[0]
        plain.settimeout(TIMEOUT)
        data = self._end.handshake(plain, number)
        if data is None:
            _say(connection, "425 no data connection")
            return
        self.transfers.append(observe(data, number))
        data.sendall(b"file\r\n")
        close_politely(data)
        _say(connection, "226 done")


def _verb(line: bytes) -> str:
    return line.decode("ascii").split()[0].upper() if line.strip() else ""


def _say(connection: socket.socket, text: str) -> None:
    connection.sendall(f"{text}\r\n".encode("ascii"))


def _where(verb: str, port: int) -> str:
    if verb == "EPSV":
        return f"229 Entering (|||{port}|)"
    return f"227 Entering (127,0,0,1,{port >> 8},{port & 255})"
