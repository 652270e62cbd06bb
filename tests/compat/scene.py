"""Servers, identities and rules of a measurement, and the steps that fill the columns."""

from __future__ import annotations

import ctypes
import json
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.client_files import ClientFiles
from tests.support.factories import LOCAL_HOSTS
from tests.support.pki import Authority, now, pem
from tests.support.server_tls import Demand, ServerTls
from tests.support.tls_listener import TlsListener

from .servers import make_server
from .values import Column, Server

PINNED, OTHER, UNLISTED, NOBODY, SERVED, PORTED = (
    f"{name}.test" for name in ("pinned", "other", "unlisted", "nobody", "served", "ported")
)
SERVICE = "Compat.Service"
_PAST = now() - timedelta(days=30), now() - timedelta(days=10)
#: what gives names to all that a process resolves, in C too
_NAMES = "libnss_wrapper.so"


@dataclass(frozen=True)
class Step:
    """One call, and what its server is to see; ``refused`` where it must see nobody."""

    column: Column
    host: str
    server: TlsListener
    expected: str | None
    service: str | None = None
    refused: bool = False


class Scene:
    """One right server, one of an authority that the rule does not pin, one of another name."""

    def __init__(self, folder: Path, stack: ExitStack, kind: Server) -> None:
        root, unpinned, clients = map(Authority, ("Server root", "Other root", "Client root"))
        stranger = clients.issue("stranger", server=False, not_before=_PAST[0], not_after=_PAST[1])
        alpha, beta = (clients.issue(name, server=False) for name in ("alpha", "beta"))
        self.alpha, self.beta = alpha.fingerprint, beta.fingerprint
        files = ClientFiles(folder)
        self.bundle = folder / "bundle.pem"
        self.bundle.write_bytes(pem(root.certificate, unpinned.certificate))
        hosts = (PINNED, OTHER, UNLISTED, NOBODY, SERVED, PORTED)
        self.names = folder / "hosts"
        # The address leads back to the first: stomp.py asks whether a host is local.
        named = ("localhost", *hosts)
        self.names.write_text("".join(f"127.0.0.1 {host}\n" for host in named))

        def start(authority: Authority, *names: str) -> TlsListener:
            tls = ServerTls(
                leaf=authority.issue("server", hosts=names),
                client_authorities=(clients,),
                demand=Demand.ACCEPT,
                alpn=("h2",) if kind in (Server.HTTP2, Server.GRPC) else (),
            )
            return stack.enter_context(make_server(kind, tls))

        self.right = start(root, *hosts, *LOCAL_HOSTS)
        self.unpinned = start(unpinned, *hosts, *LOCAL_HOSTS)
        self.misnamed = start(root, "elsewhere.test")
        self.settings = folder / "mxcert.json"
        self.settings.write_text(
            json.dumps(
                {
                    "identity": [
                        # The first, so that an unlisted host has it unless it is passed over there.
                        files.identity("stranger", stranger, hosts=["stranger.test"]),
                        files.identity("alpha", alpha, hosts=[SERVED]),
                        files.identity("pinned", alpha, hosts=[PINNED], authorities=[root]),
                        files.identity(
                            "beta",
                            beta,
                            hosts=[OTHER, f"{PORTED}:{self.right.port}"],
                            services=[SERVICE],
                        ),
                    ],
                    "no_certificate": {"hosts": [NOBODY]},
                }
            )
        )

    def steps(self, keeps: bool) -> list[Step]:
        """The calls that are made of one client, in their order."""
        plain = [
            Step(Column.PINNED, PINNED, self.right, self.alpha),
            Step(Column.OTHER, OTHER, self.right, self.beta),
            Step(Column.UNLISTED, UNLISTED, self.right, self.alpha),
            Step(Column.NONE, NOBODY, self.right, None),
            Step(Column.PORT, PORTED, self.right, self.beta),
            Step(Column.BAD_SERVER, PINNED, self.unpinned, None, refused=True),
            Step(Column.WRONG_NAME, PINNED, self.misnamed, None, refused=True),
            Step(Column.SERVICE, SERVED, self.right, self.beta, service=SERVICE),
        ]
        # On the connection that was opened for the service, if it is kept.
        again = [Step(Column.KEPT, SERVED, self.right, self.alpha)]
        again += [Step(Column.KEPT, SERVED, self.right, self.beta, service=SERVICE)]
        return plain + (again if keeps else [])

    def environment(self) -> dict[str, Any]:
        """What makes a client trust both authorities, by whatever variable it knows."""
        names = (
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "AWS_CA_BUNDLE",
            "WEBSOCKET_CLIENT_CA_BUNDLE",
            "HTTPLIB2_CA_CERTS",
            "PYCURL_CA",
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
        )
        return {
            **dict.fromkeys(names, str(self.bundle)),
            "MXCERT_CONFIG": str(self.settings),
            "LD_PRELOAD": _NAMES,
            "NSS_WRAPPER_HOSTS": str(self.names),
        }


def refuse_without_names() -> None:
    """Raise SystemExit where the library that gives test names to processes is missing."""
    try:
        ctypes.CDLL(_NAMES)
    except OSError:
        raise SystemExit(f"needs {_NAMES} (Debian: libnss-wrapper)") from None
