"""nginx as a server: a peer that is not OpenSSL's or Python's own sample code.

It runs in the foreground as whoever runs the tests, with one worker. It inherits a listening
socket (its variable ``NGINX``, meant for upgrades), so its port clashes with nobody's; without a
master process it would crash on that.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pytest
from cryptography.hazmat.primitives import hashes

from .listener import TIMEOUT, bind_loopback
from .pki import Leaf, pem
from .server_tls import Demand, ServerTls, TlsVersion

_VERIFY = {Demand.DEMAND: "on", Demand.ACCEPT: "optional", Demand.ASK_NOT: "off"}
_VERSIONS = {
    TlsVersion.TLS12: "TLSv1.2",
    TlsVersion.TLS13: "TLSv1.3",
    TlsVersion.BOTH: "TLSv1.2 TLSv1.3",
}
_CONFIGURATION = """
daemon off;
worker_processes 1;
{user}
pid {folder}/nginx.pid;
error_log stderr info;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/leaf.crt;
        ssl_certificate_key {folder}/leaf.key;
        ssl_protocols {versions};
        ssl_session_cache builtin;
        {verify}
        default_type text/plain;
        return 200 "$ssl_client_s_dn|$ssl_client_fingerprint|$ssl_client_verify|{more}";
    }}
}}
"""
_MORE = "$ssl_protocol|$ssl_session_reused|$ssl_server_name"


@dataclass(frozen=True)
class NginxAnswer:
    """The text that nginx answers with; empty parts stand for nothing presented.

    ``verify`` is ``SUCCESS``, ``NONE`` or ``FAILED:reason``. Where nginx refuses a client
    (status 400) its own page comes instead of this text.
    """

    subject: str
    sha1_fingerprint: str
    verify: str
    tls: str
    resumed: bool
    sni: str

    @classmethod
    def parse(cls, text: str) -> NginxAnswer:
        """Raises ``ValueError`` where the text is another page of nginx."""
        subject, fingerprint, verify, tls, resumed, sni = text.split("|")
        return cls(subject, fingerprint, verify, tls, resumed == "r", sni)

    def shows(self, leaf: Leaf) -> bool:
        """Whether this leaf was presented."""
        digest = leaf.certificate.fingerprint(hashes.SHA1())  # noqa: S303
        return self.sha1_fingerprint == digest.hex()


def program() -> str:
    """The path of nginx; skips the test where there is none."""
    if os.name != "posix":
        pytest.skip("nginx inherits its listening socket on POSIX systems only")
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("nginx is not installed")
    return found


class NginxServer:
    """A context manager around one nginx process, which names acceptable issuers in its request."""

    def __init__(self, tls: ServerTls) -> None:
        self._program = program()
        self._tls = tls
        self.port = 0

    def url(self, host: str = "localhost", path: str = "/") -> str:
        """The URL of a path on this server."""
        return f"https://{host}:{self.port}{path}"

    @property
    def log(self) -> str:
        """nginx's error log so far."""
        return Path(self._folder.name, "error.log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> NginxServer:
        self._folder = tempfile.TemporaryDirectory()
        (listening,) = bind_loopback()
        with listening:
            self.port = listening.getsockname()[1]
            self._process = self._start(listening)
        if not _answers(self.port):
            log = self.log
            self._stop()
            raise AssertionError(f"nginx does not start:\n{log}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _start(self, listening: socket.socket) -> subprocess.Popen[bytes]:
        folder = Path(self._folder.name)
        configuration = folder / "nginx.conf"
        configuration.write_text(self._configuration(folder), encoding="utf-8")
        with (folder / "error.log").open("wb") as log:
            return subprocess.Popen(
                [self._program, "-e", "stderr", "-p", str(folder), "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "NGINX": f"{listening.fileno()};"},
                pass_fds=[listening.fileno()],
            )

    def _configuration(self, folder: Path) -> str:
        self._tls.leaf.write_pem(folder)
        verify = f"ssl_verify_client {_VERIFY[self._tls.effective_demand]};"
        if self._tls.client_authorities:
            roots = pem(*(each.certificate for each in self._tls.client_authorities))
            (folder / "clients.pem").write_bytes(roots)
            verify += f" ssl_client_certificate {folder}/clients.pem;"
        versions = _VERSIONS[self._tls.version]
        values = {"folder": folder, "port": self.port, "versions": versions, "verify": verify}
        return _CONFIGURATION.format(**values, user=_user(), more=_MORE)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(TIMEOUT)
        self._folder.cleanup()


def _user() -> str:
    # Only root may say whom workers become; by default that is one who cannot reach the folder.
    if os.geteuid() != 0:
        return ""
    import grp

    return f"user root {grp.getgrgid(os.getegid()).gr_name};"


def _answers(port: int) -> bool:
    # The socket listens already, so this waits until nginx accepts; plain text gets a 400.
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(16).startswith(b"HTTP/1.1 400")
    except OSError:
        return False
