"""A handshake between a client's context and a server's, in memory and in one thread."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from typing import Any

from tests.contexts.verdicts import Verdict


@dataclass(frozen=True)
class Meeting:
    """What the client decided, what both agreed on, and whom the server saw."""

    verdict: Verdict
    agreed: tuple[Any, ...] = ()
    fingerprint: str | None = None


class _Wires:
    """Two memory objects and the bytes between them."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(to_client, to_server, server_hostname=host)
        self.server = server.wrap_bio(to_server, to_client, server_side=True)

    def shake_hands(self) -> None:
        """Raises what the client raises; what the server raises shows in the client's reading."""
        done: set[ssl.SSLObject] = set()
        for _ in range(6):
            for side in (self.client, self.server):
                if side not in done and self._advance(side):
                    done.add(side)
        assert {self.client, self.server} == done, "the handshake does not end"

    def _advance(self, side: ssl.SSLObject) -> bool:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True


def meet(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> Meeting:
    """Shake hands, and tell what came of it."""
    try:
        wires = _Wires(client, server, host)
        wires.shake_hands()
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None)
        code = getattr(error, "verify_code", None)
        return Meeting(Verdict(type(error).__name__, reason, code))
    der = wires.server.getpeercert(binary_form=True)
    fingerprint = hashlib.sha256(der).hexdigest() if der else None
    agreed = (wires.client.version(), wires.client.cipher(), wires.client.selected_alpn_protocol())
    return Meeting(Verdict(), agreed, fingerprint)
