"""An X509-SVID as the credentials of an identity, and its trust domain's bundle as trust anchors.

How the servers of its hosts are verified then: their chain must end in the bundle of one trust
domain, and nothing else counts; the client verifies the host name as ever, so the SVID of the
server must have it as a DNS name. Bundles of several domains never count together, or a CA of one
could vouch for a host of another. Which SPIFFE ID a server has is not looked at: no client of
Python asks for it in the handshake. An option that would demand one is refused, not ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from ...base import Secret
from ...errors import IdentityError, IdentityProblem
from ..source import Credentials, Options
from .agent import agent_at
from .update import Svid, Update

SOCKET_VARIABLE = "SPIFFE_ENDPOINT_SOCKET"
#: Seconds for which an agent is asked that gives nothing yet: it may start after its workloads,
#: and learns some seconds after their start that they are registered.
_PATIENCE = 10.0

#: SPIFFE ID, section 2; a workload has a path
_ID = re.compile(r"spiffe://[a-z0-9._-]+(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)+")
_DOMAIN = re.compile(r"[a-z0-9._-]+")
#: The key comes this way in clear, so it must not leave the host.
_SOCKET = re.compile(r"(?:unix:(?://)?)?(/[^?#]+)")
#: what other clients of SPIFFE call it
_SERVER_IDS = ("server_id", "server_ids", "authorized_ids")


class SpiffeSource:
    """The SVID of one workload, out of what its agent gives."""

    def __init__(
        self,
        address: str,
        *,
        spiffe_id: str | None = None,
        trust_domain: str | None = None,
        verifies_servers: bool = True,
        patience: float = _PATIENCE,
    ) -> None:
        self._agent = agent_at(address)
        self._id = spiffe_id
        self._trust_domain = trust_domain
        self._verifies_servers = verifies_servers
        self._patience = patience

    def read(self) -> Credentials:
        """The SVID and the bundle that the agent gives now."""
        update = self._agent.read(self._patience)
        svid = self._chosen(update)
        authorities = self._bundle(update, svid) if self._verifies_servers else b""
        return Credentials(_material(svid), authorities=authorities)

    def shown(self) -> str:
        """The agent, and the SPIFFE ID where one is chosen."""
        return f"{self._id or 'the default SVID'} of the SPIFFE agent at {self._agent.address}"

    def files(self) -> tuple[str, ...]:
        """None."""
        return ()

    def due(self) -> datetime | None:
        """Never: the agent says by itself what is new."""
        return None

    def refresh(self) -> None:
        """Nothing to do."""

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Follow the stream of the agent, through its losses and returns."""
        return self._agent.watch(changed)

    def _chosen(self, update: Update) -> Svid:
        if self._id is None:
            return update.svids[0]
        found = next((each for each in update.svids if each.spiffe_id == self._id), None)
        if found is None:
            given = ", ".join(each.spiffe_id for each in update.svids)
            problem = f"the SPIFFE agent at {self._agent.address} gives no {self._id}, but {given}"
            remedy = "Register the workload under this SPIFFE ID, or correct `id`"
            raise IdentityError(IdentityProblem.UNREADABLE, problem, remedy)
        return found

    def _bundle(self, update: Update, svid: Svid) -> bytes:
        domain = self._trust_domain or svid.trust_domain
        bundle = update.bundles.get(domain, b"")
        # Without trust anchors the default trust would count, which is more than was asked for.
        if not bundle:
            given = ", ".join(sorted(each for each in update.bundles if update.bundles[each]))
            problem = (
                f"the SPIFFE agent at {self._agent.address} gives no CA for the trust domain "
                f"{domain}, but for {given or 'none'}"
            )
            remedy = "Federate the trust domain, or correct `trust_domain`"
            raise IdentityError(IdentityProblem.NO_CERTIFICATE, problem, remedy)
        return bundle


def _material(svid: Svid) -> Secret[bytes]:
    return Secret(svid.key.reveal() + svid.certificates)


def open_source(options: Options) -> SpiffeSource:
    """The source for ``socket``, ``id``, ``trust_domain``, ``bundle`` and ``timeout``."""
    verifies = options.boolean("bundle") is not False
    trust_domain = _matching(
        options, "trust_domain", _DOMAIN, "is no trust domain", "fleet.example"
    )
    if trust_domain is not None and not verifies:
        options.fault("trust_domain", "has no use with `bundle = false`", "Take one of them out")
    for key in _SERVER_IDS:
        if options.texts(key):
            _refuse_server_id(options, key)
    return SpiffeSource(
        _address(options),
        spiffe_id=_matching(
            options, "id", _ID, "is no SPIFFE ID", "spiffe://fleet.example/billing"
        ),
        trust_domain=trust_domain,
        verifies_servers=verifies,
        patience=options.seconds("timeout", _PATIENCE),
    )


def _address(options: Options) -> str:
    given = options.text("socket")
    said = options.environ.get(SOCKET_VARIABLE, "") if given is None else given
    found = _SOCKET.fullmatch(said)
    if found is not None:
        return f"unix://{found[1]}"
    where = "is not given" if given is None and not said else f"is `{said}`, no path of a socket"
    if given is None and said:
        where = f"is not given, and {SOCKET_VARIABLE} names `{said}`, no path of a socket"
    remedy = f"Write `unix:///run/spire/agent.sock`, or set {SOCKET_VARIABLE} to its like"
    options.fault("socket", where, remedy)
    return "unix:///"


def _matching(
    options: Options, key: str, form: re.Pattern[str], problem: str, example: str
) -> str | None:
    value = options.text(key)
    if value is not None and not form.fullmatch(value):
        options.fault(key, problem, f"Write one in small letters, such as `{example}`")
    return value


def _refuse_server_id(options: Options, key: str) -> None:
    problem = "cannot be checked: no handshake of Python asks for the SPIFFE ID of a server"
    remedy = (
        "Take it out, and give the servers DNS names in their SVIDs, which the client verifies; "
        "`trust_domain` says whose CAs count"
    )
    options.fault(key, problem, remedy)
