"""What there is to say of a connection that failed over a certificate: facts in, plain words out.

Pure. The words end up on the application's exception and in its log, so there is nothing secret
in them: names, subjects, dates, and the places of settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..base import Host, UnnamedHost, dataclass
from ..base.printable import printable
from ..connections import CertificateRequest, choose, explain_misfit, moment_of_choice
from ..decisions import Choice, Decision, Generation, Withheld
from ..identity import Identity, Validity, readable_name
from .alert_table import Alert, AlertKind
from .fitting import which_would_fit

#: Issuers that are listed; some servers name hundreds.
_LISTED = 8

#: Codes of OpenSSL (x509_vfy.h) where other authorities would have made the difference; the code
#: is not known everywhere.
_CHAIN_CODES = frozenset({None, 2, 18, 19, 20, 21, 24, 27})


@dataclass(frozen=True)
class Failure:
    """One connection of a client that failed, and all that is known of it."""

    alert: Alert
    #: aware
    moment: datetime
    generation: Generation
    decision: Decision
    host: Host | None
    port: int | None
    service: str | None
    #: whether the server had chosen a cipher, and so had begun to speak TLS
    server_has_spoken: bool
    request: CertificateRequest | None = None
    #: why ``request`` is not known
    without_request: str = "not known"
    #: whether the program loaded a certificate, which always wins
    has_own_certificate: bool = False
    #: what verified the server
    trusted: str = ""
    #: OpenSSL's, where the server's certificate was refused; ``None``: not known
    verify_code: int | None = None
    #: whether the client said to TLS which host it means; else ``host`` is what it dialled
    is_named: bool = True

    @property
    def presented(self) -> Identity | None:
        """The identity that was presented, as far as it can be told."""
        if self.has_own_certificate:
            return None
        if self.decision.choice is not Choice.SERVER_REQUEST:
            return self.decision.identity
        if self.request is None:
            return None
        candidates = self.decision.candidates
        moment = moment_of_choice(candidates, self.moment)
        return choose(self.request, candidates, moment).identity

    @property
    def concerns_certificates(self) -> bool:
        """Whether it may be about certificates, and the settings have a part in it."""
        kind = self.alert.kind
        if kind in (AlertKind.CERTIFICATE_REQUIRED, AlertKind.CERTIFICATE_REFUSED):
            return True
        if kind is AlertKind.HANDSHAKE_FAILURE:
            return self.server_has_spoken
        if kind is AlertKind.CONNECTION_CLOSED:
            # Connections end for a hundred reasons; without a certificate it is none of ours.
            return self.server_has_spoken and self.presented is not None
        if kind is AlertKind.SERVER_REFUSED:
            has_part = self.decision.rule or self.generation.extra_authorities
            return has_part is not None and self.verify_code in _CHAIN_CODES
        return False


def note_lines(failure: Failure) -> list[str]:
    """A headline, and below it one line for each fact, each with its name in front."""
    lines = [f"{failure.alert.meaning} ({failure.alert.name})"]
    lines += [f"{name}: {text}" for name, text in _facts(failure)]
    return [printable(line) for line in lines]


def _facts(failure: Failure) -> Iterator[tuple[str, str]]:
    yield "endpoint", _endpoint(failure)
    yield "decision", str(failure.decision)
    if failure.alert.kind is AlertKind.SERVER_REFUSED:
        yield "trusted", failure.trusted
        yield "remedy", f"{failure.alert.remedy(None)}. {_probe(failure)}"
        return
    yield "presented", _presented(failure)
    yield "the server asks for", _asked(failure)
    yield "remedy", f"{_remedy(failure)}. {_probe(failure)}"


def _endpoint(failure: Failure) -> str:
    unnamed = "" if failure.is_named else f" ({_what_is_known(failure.host)})"
    service = f", service {failure.service}" if failure.service else ""
    return _authority(failure) + unnamed + service


def _what_is_known(host: Host | None) -> str:
    known = "; this is the name that it dialled" if isinstance(host, str) else ""
    return f"the client named no host{known}"


def _authority(failure: Failure) -> str:
    """Host and port as a URL has them (RFC 3986, section 3.2)."""
    host = str(failure.host or UnnamedHost(None))
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if failure.port is None else f"{bracketed}:{failure.port}"


def _presented(failure: Failure) -> str:
    identity = failure.presented
    if failure.has_own_certificate:
        return "the certificate that the program loads itself, which wins over every rule"
    if identity is None:
        return "nothing"
    misfit = failure.request and explain_misfit(failure.request, identity, failure.moment)
    return _describe(identity, failure.moment) + (f"; it does not fit: {misfit}" if misfit else "")


def _describe(identity: Identity, moment: datetime) -> str:
    """Name, subject, issuer, expiry and the beginning of the fingerprint."""
    validity = identity.validity_at(moment)
    judged = "" if validity is Validity.VALID else f", by the clock here it is {validity.value}"
    return (
        f"`{identity.name}`, {identity.subject}, issued by {identity.issuer}, valid from "
        f"{identity.not_before:%Y-%m-%d %H:%M} to {identity.not_after:%Y-%m-%d %H:%M} UTC{judged}, "
        f"{identity.key_type}, SHA-256 {identity.fingerprint[:16]}..."
    )


def _asked(failure: Failure) -> str:
    request = failure.request
    if request is None:
        return failure.without_request
    if not request.issuers:
        return "a certificate, and names no issuer"
    names = [readable_name(issuer) for issuer in request.issuers[:_LISTED]]
    more = len(request.issuers) - len(names)
    return "a certificate from " + "; ".join(names) + (f"; and {more} more" if more else "")


def _remedy(failure: Failure) -> str:
    if failure.has_own_certificate:
        return "Take the program's own certificate out, if the settings are to choose"
    identity = failure.presented
    if identity is not None:
        return failure.alert.remedy(identity.name)
    if isinstance(failure.decision, Withheld):
        return failure.decision.remedy
    rule = failure.decision.rule
    if rule is not None:
        return (
            f"The rule `{rule.name}` of {rule.origin} says that nothing is presented: take it out, "
            "if the server is right to ask"
        )
    return _remedy_without_rule(failure)


def _remedy_without_rule(failure: Failure) -> str:
    if failure.request is None:
        name = f"`{failure.host}`"
        return (
            f"{failure.alert.remedy(None)}. A rule is {name} in the `hosts` of an identity (file), "
            f"{name} in `ClientCertificateUsages`, or in `pin_to` (inline)"
        )
    request, moment = failure.request, failure.moment
    identities = failure.generation.identities
    judged = [(each, explain_misfit(request, each, moment)) for each in identities]
    return which_would_fit(judged, failure.host)


def _probe(failure: Failure) -> str:
    return f"`mxcert probe https://{_authority(failure)}` looks at the server, step by step"
