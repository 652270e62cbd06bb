"""What a measurement is about, as values: rows, steps, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Server(Enum):
    """The server that a row's program speaks to; all are the tests' own unless a row says more."""

    HTTP = "HTTP/1.1"
    HTTP2 = "HTTP/2"
    GRPC = "gRPC"
    SMTP = "SMTP, STARTTLS"
    IMAP = "IMAP, STARTTLS"
    FTP = "FTP, AUTH TLS"
    POP3 = "POP3, STLS"
    POSTGRES = "PostgreSQL's SSLRequest"
    MYSQL = "MySQL's greeting"
    NATS = "NATS' INFO"
    #: the handshake, and what the client says first
    TLS = "TLS"
    LDAP = "LDAP, StartTLS"
    TDS = "TDS' PRELOGIN"


class Column(Enum):
    """What is measured; the headings of the table."""

    PINNED = "pinned"
    OTHER = "other host"
    UNLISTED = "unlisted"
    NONE = "none"
    PORT = "port"
    BAD_SERVER = "bad server"
    WRONG_NAME = "wrong name"
    ORDER = "import order"
    SERVICE = "service"
    KEPT = "kept connections"


#: the columns that only a client with kept connections has
KEEPING = Column.SERVICE, Column.KEPT


@dataclass(frozen=True)
class Row:
    """One client. ``program`` defines ``call(host, port)`` and sets nothing of client certificates.

    ``known`` says of a column that is not right what to do; the table shows it, and a run fails
    where it has become right, or another one wrong.
    """

    name: str
    program: str
    server: Server = Server.HTTP
    #: whose version the table shows; empty for the standard library
    distribution: str = ""
    #: what the program imports first where the order matters; the plugin comes after it
    imports: str = ""
    known: dict[Column, str] = field(default_factory=dict)
    #: which environment the client is installed in; those in ``core`` are measured by CI too
    environment: str = "main"
    #: whether it connects anew for each call
    keeps: bool = True
    #: what a reader should know beside the columns
    note: str = ""


#: of a client that compares the name by itself
LATE = "the client compares the name after the handshake: the server gets no request"


#: the same where the server cannot tell a request
LATE_NAME = "it compares the name after the handshake, when the server has seen the certificate"
#: of a client whose threads connect
THREADS = (
    "it connects in threads of its own, which start without the service as without every context "
    "variable: give its hosts a rule, or submit `contextvars.copy_context().run`"
)


class Verdict(Enum):
    """What came of one column."""

    RIGHT = "yes"
    WRONG = "WRONG"
    KNOWN = "no"
    LATE = "late"
    NOT_THERE = "-"


@dataclass(frozen=True)
class Cell:
    """One column of one row, with what was seen where it is not right."""

    verdict: Verdict
    words: str = ""


NOT_THERE = Cell(Verdict.NOT_THERE)


@dataclass(frozen=True)
class Measured:
    """A row and what came of it; ``control`` is the program without the plugin."""

    row: Row
    version: str
    cells: dict[Column, Cell]
    control: Cell

    @property
    def problems(self) -> list[str]:
        """What is wrong and not known, in words."""
        wrong = [(column.value, cell) for column, cell in self.cells.items()]
        return [
            f"{self.row.name}: {name}: {cell.words}"
            for name, cell in (*wrong, ("control", self.control))
            if cell.verdict is Verdict.WRONG
        ]
