"""The few lines that each protocol speaks around TLS: to begin it, and to get one answer after it.

Nothing here logs in.
"""

from __future__ import annotations

import re

from .target import Proxy, Target
from .upgrades import start_mysql, start_nats, start_postgres
from .wire import DialogueError, Wire

_LONGEST_LINE = 4096
_MOST_LINES = 200
_SHOWN = 120

#: StartTLS (RFC 4511, section 4.14) and "Who am I?" (RFC 4532), whole messages in BER
_LDAP_STARTTLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"
_LDAP_QUESTION = b"\x30\x1e\x02\x01\x02\x77\x19\x80\x17" + b"1.3.6.1.4.1.4203.1.11.3"
_LDAP_RESULT_CODE = re.compile(rb"\x0a\x01(.)", re.DOTALL)


def connect_through(wire: Wire, proxy: Proxy, target: Target) -> str:
    """Ask the proxy for a tunnel (RFC 9110, section 9.3.6); gives the proxy's status line.

    Raises :class:`DialogueError`.
    """
    host = target.authority
    wire.send(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n".encode("ascii"))
    if proxy.authorization is not None:
        wire.send(f"Proxy-Authorization: {proxy.authorization.reveal()}\r\n".encode("ascii"))
    wire.send(b"\r\n")
    status = wire.read_line()
    for _ in range(_MOST_LINES):
        if not wire.read_line():
            break
    if _status_of(status) == 407:
        remedy = "Write user and password into `--proxy http://user:password@host:port`"
        raise DialogueError("the proxy wants user and password", remedy)
    if _status_of(status) not in range(200, 300):
        remedy = "Ask whoever runs the proxy to allow this host and port"
        raise DialogueError(f"the proxy answered {_short(status)!r}", remedy)
    return _short(status)


def start_tls(wire: Wire, name: str) -> str:
    """Bring the server to the point where TLS begins; gives its last answer.

    Raises :class:`DialogueError`.
    """
    return _STARTS[name](wire)


def ask(wire: Wire, target: Target) -> str:
    """Say what the protocol allows to anyone, and give the first line of the answer.

    With TLS 1.3 only this shows whether the server takes the client's certificate.
    """
    protocol = target.protocol
    if protocol.name == "http":
        wire.send(_http_request(target))
    elif protocol.name == "ldap":
        wire.send(_LDAP_QUESTION)
        return f"LDAP result {_read_ldap_result(wire)}"
    elif protocol.name == "amqp":
        return _ask_amqp(wire)
    elif protocol.starttls or protocol.name == "redis":
        wire.send(_QUESTIONS[protocol.name])
    # Else the server speaks first.
    return _short(wire.read_line())


def http_status(answer: str) -> int | None:
    """The status of the status line of an HTTP answer."""
    return _status_of(answer)


def _http_request(target: Target) -> bytes:
    lines = (
        f"HEAD {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        "User-Agent: mxcert-probe",
        "Accept: */*",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")


_QUESTIONS = {
    "smtp": b"EHLO [127.0.0.1]\r\n",
    "imap": b"a2 NOOP\r\n",
    "pop3": b"CAPA\r\n",
    "ftp": b"NOOP\r\n",
    "redis": b"PING\r\n",
}
#: how a client of AMQP 0-9-1 begins, and the class and method of a server that goes on
_AMQP = b"AMQP\x00\x00\x09\x01"
_AMQP_START = b"\x00\x0a\x00\x0a"


def _ask_amqp(wire: Wire) -> str:
    """The frame of Connection.Start, or the version of a server that speaks another one."""
    wire.send(_AMQP)
    begin = wire.read(len(_AMQP))
    if begin.startswith(b"AMQP"):
        return f"AMQP {'-'.join(map(str, begin[-3:]))}"
    # Type, channel and size of the frame, then class and method.
    is_start = (begin + wire.read(3))[7:11] == _AMQP_START
    return "AMQP Connection.Start" if is_start else "something that is not AMQP"


def _status_of(line: str) -> int | None:
    found = re.match(r"HTTP/\d\.\d (\d{3})(?: |$)", line)
    return int(found[1]) if found else None


def _short(line: str) -> str:
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


def _expect(line: str, begin: str, what: str) -> str:
    if line.startswith(begin):
        return _short(line)
    remedy = "Check the port and the protocol; where TLS begins at once, use the scheme with an s"
    raise DialogueError(f"the server answered {_short(line)!r} to {what}", remedy)


def _read_reply(wire: Wire) -> str:
    """The last line of a reply of SMTP (RFC 5321, section 4.2.1) or FTP (RFC 959, section 4.2)."""
    first = line = wire.read_line()
    if first[3:4] != "-":
        return first
    for _ in range(_MOST_LINES):
        line = wire.read_line()
        if line.startswith(f"{first[:3]} "):
            break
    return line


def _start_smtp(wire: Wire) -> str:
    _expect(_read_reply(wire), "220", "the connection")
    wire.send(_QUESTIONS["smtp"])
    _expect(_read_reply(wire), "250", "EHLO")
    wire.send(b"STARTTLS\r\n")
    return _expect(_read_reply(wire), "220", "STARTTLS")


def _start_imap(wire: Wire) -> str:
    _expect(wire.read_line(), "* OK", "the connection")
    wire.send(b"a1 STARTTLS\r\n")
    line = wire.read_line()
    for _ in range(_MOST_LINES):
        if not line.startswith("* "):
            break
        line = wire.read_line()
    return _expect(line, "a1 OK", "STARTTLS")


def _start_pop3(wire: Wire) -> str:
    _expect(wire.read_line(), "+OK", "the connection")
    wire.send(b"STLS\r\n")
    return _expect(wire.read_line(), "+OK", "STLS")


def _start_ftp(wire: Wire) -> str:
    _expect(_read_reply(wire), "220", "the connection")
    wire.send(b"AUTH TLS\r\n")
    return _expect(_read_reply(wire), "234", "AUTH TLS")


def _start_ldap(wire: Wire) -> str:
    wire.send(_LDAP_STARTTLS)
    return _expect(f"result {_read_ldap_result(wire)}", "result 0", "StartTLS")


def _read_ldap_result(wire: Wire) -> int:
    """The result code of the next message (RFC 4511, section 4.1.9)."""
    tag, length = wire.read(2)
    if length & 0x80:
        length = int.from_bytes(wire.read(min(length & 0x7F, 4)), "big")
    content = wire.read(min(length, _LONGEST_LINE)) if tag == 0x30 else b""
    found = _LDAP_RESULT_CODE.search(content)
    if not found:
        raise DialogueError("the server does not answer in LDAP", "Check the port and the scheme")
    return found[1][0]


_STARTS = {
    "smtp": _start_smtp,
    "imap": _start_imap,
    "pop3": _start_pop3,
    "ftp": _start_ftp,
    "ldap": _start_ldap,
    "postgres": start_postgres,
    "mysql": start_mysql,
    "nats": start_nats,
}
