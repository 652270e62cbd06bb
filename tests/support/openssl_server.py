"""``openssl s_server`` as a server that asks for the client's certificate again, later.

With TLS 1.2 that is a renegotiation, which no Python server can start; with TLS 1.3 a
post-handshake request. It serves one connection at a time, and unlike a server of Python's ``ssl``
it names its acceptable issuers in the request. What the client presents is read from the dump of
the Certificate messages (``-msg``), which must therefore come uncompressed.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pytest

from .environment import cleaned
from .listener import TIMEOUT, Records
from .pki import pem
from .server_tls import Demand, ServerTls, TlsVersion

_VERIFY = {Demand.DEMAND: ["-Verify", "5"], Demand.ACCEPT: ["-verify", "5"]}
_PINS = {TlsVersion.TLS12: ["-tls1_2"], TlsVersion.TLS13: ["-tls1_3"], TlsVersion.BOTH: []}
_MESSAGE = re.compile(r"(<<<|>>>) (.*?), \w+ \[length ([0-9a-f]{4,})\](?:, (\w+))?")
#: the first version whose clients and servers compress certificates, where it was built so
_COMPRESSES = (3, 2)
_ACCEPT = re.compile(r"ACCEPT .*:(\d+)")
_ASKED = re.compile(r">>> .*, (HelloRequest|CertificateRequest)")


def program() -> str:
    """The path of openssl, at least 3.0; skips the test where there is none."""
    path = shutil.which("openssl")
    if path is None:
        pytest.skip("the openssl command is not installed")
    if _version(path) < (3, 0):
        pytest.skip("openssl s_server tells its port from OpenSSL 3.0 on")
    return path


@functools.cache
def _version(path: str) -> tuple[int, int]:
    """That of the command, which need not be the one that Python was built with."""
    told = subprocess.run([path, "version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"OpenSSL (\d+)\.(\d+)\.", told)
    # Such as LibreSSL, whose version numbers are others.
    return (int(found[1]), int(found[2])) if found else (0, 0)


class OpensslServer:
    """A context manager around one ``s_server`` process.

    ``presented`` has an entry for each Certificate message of a client: the SHA-256 of the leaf,
    or ``None`` for an empty one. ``output`` has the lines that the process printed, among them
    what clients sent. ``options`` go to s_server, such as ``("-client_sigalgs", "RSA+SHA256")``.
    With ``compressed`` it takes compressed certificates (RFC 8879) where it can, and ``presented``
    lacks them.
    """

    def __init__(
        self, tls: ServerTls, options: Sequence[str] = (), *, compressed: bool = False
    ) -> None:
        self._program = program()
        self._tls = tls
        self._options = options
        self._compressed = compressed
        self.presented: Records[str | None] = Records()
        self.output: Records[str] = Records()
        self._ports: Records[int | None] = Records()
        self._asked: Records[str] = Records()

    @property
    def port(self) -> int:
        """The TCP port."""
        port = self._ports[0]
        assert port is not None
        return port

    def __enter__(self) -> OpensslServer:
        with tempfile.TemporaryDirectory() as folder:
            self._process = subprocess.Popen(
                self._command(Path(folder)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=cleaned(os.environ),
            )
            self._reading = threading.Thread(target=self._read_all, daemon=True)
            self._reading.start()
            if self._ports.wait_for(1)[0] is None:
                self._stop()
                raise AssertionError(f"openssl does not start: {self.output}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def ask(self) -> None:
        """Ask the connected client for its certificate now, by what its TLS version has for it.

        Returns when the request is on its way; the client answers it in its next read.
        """
        before = len(self._asked)
        self._type("c" if self._tls.version is TlsVersion.TLS13 else "R")
        # s_server takes all input that has come by now as one line, so the next must wait.
        self._asked.wait_for(before + 1)

    def send(self, text: str) -> None:
        """Send one line to the client; its first letter must be none of s_server's commands."""
        assert text[:1] not in tuple("QqrRKkcPSB"), "s_server would take this for a command"
        self._type(text)

    def _type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode("ascii"))
        self._process.stdin.flush()

    def _command(self, folder: Path) -> list[str]:
        certificate, key = self._tls.leaf.write_pem(folder)
        files = ["-cert", str(certificate), "-key", str(key), "-cert_chain", str(certificate)]
        if self._tls.client_authorities:
            roots = folder / "clients.pem"
            roots.write_bytes(pem(*(each.certificate for each in self._tls.client_authorities)))
            files += ["-CAfile", str(roots)]
        verify = _VERIFY.get(self._tls.effective_demand, [])
        version = _PINS[self._tls.version]
        # A renegotiation that resumed the session would not ask for the certificate at all.
        head = [self._program, "s_server", "-accept", "127.0.0.1:0", "-msg"]
        head += ["-no_resumption_on_reneg"]
        if not self._compressed and _version(self._program) >= _COMPRESSES:
            head += ["-no_rx_cert_comp"]
        return [*head, *files, *verify, "-verify_return_error", *version, *self._options]

    def _read_all(self) -> None:
        assert self._process.stdout is not None
        reader = _MessageReader()
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            accepting = _ACCEPT.fullmatch(line)
            if accepting:
                self._ports.append(int(accepting.group(1)))
            for message in reader.take(line):
                self.presented.append(leaf_fingerprint(message, reader.protocol))
            self.output.append(line)
            if _ASKED.fullmatch(line):
                self._asked.append(line)
        self._ports.append(None)  # so that nobody waits for a port that will not come

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait(TIMEOUT)
        self._reading.join(TIMEOUT)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class _MessageReader:
    """Puts the Certificate messages of clients together from the lines of the dump."""

    def __init__(self) -> None:
        self.protocol = ""
        self._missing = 0
        self._content = bytearray()

    def take(self, line: str) -> list[bytes]:
        """The message that this line completes, if it does."""
        if not self._missing:
            self._begin(line)
            return []
        self._content += bytes.fromhex(line)
        if len(self._content) < self._missing:
            return []
        self._missing = 0
        return [bytes(self._content)]

    def _begin(self, line: str) -> None:
        header = _MESSAGE.match(line)
        if header and header.group(1) == "<<<" and header.group(4) == "Certificate":
            self.protocol = header.group(2)
            self._missing = int(header.group(3), 16)
            self._content.clear()


def leaf_fingerprint(message: bytes, protocol: str) -> str | None:
    """SHA-256 of the first certificate in a Certificate message (RFC 5246 7.4.2, RFC 8446 4.4.2).

    ``protocol`` is ``TLS 1.2`` or ``TLS 1.3``, where a request context stands before the list.
    """
    position = 4 + (1 + message[4] if protocol == "TLS 1.3" else 0)
    if not int.from_bytes(message[position : position + 3], "big"):
        return None
    length = int.from_bytes(message[position + 3 : position + 6], "big")
    return hashlib.sha256(message[position + 6 : position + 6 + length]).hexdigest()
