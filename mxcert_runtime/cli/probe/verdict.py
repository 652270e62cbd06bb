"""One sentence that says how a probe ended, and what to do about it, for readers new to TLS."""

from __future__ import annotations

import socket
from enum import Enum

from ...base import dataclass
from ...decisions import Choice
from ...diagnosis import Alert, AlertKind, alert_numbered, alert_of, which_would_fit
from ...errors import MxcertError
from .dialogues import http_status
from .result import ProbeResult, Step
from .wire import DialogueError

#: answers of HTTP servers that finish the handshake and refuse then; 495 and 496 are nginx's own
_REFUSING_STATUSES = frozenset({400, 495, 496})
_DENYING_STATUSES = frozenset({401, 403})

#: where servers say only at login, and above TLS, whom they take a certificate for
_AT_LOGIN = {
    "postgres": "`FATAL: certificate authentication failed`: look into `pg_hba.conf` (`cert`, "
    "`clientcert`), `pg_ident.conf` and the server's log",
    "mysql": "`Access denied`, 1045: look for SUBJECT and ISSUER in `SHOW CREATE USER`",
    "nats": "`Authorization Violation`: look for the certificate's subject among its users",
    "mqtt": "`not authorised`: look for the certificate's common name among its users",
    "amqp": "`ACCESS_REFUSED`: look for EXTERNAL among its mechanisms, and for the name as a user",
    "redis": "`NOAUTH`, `NOPERM`: look into its ACL",
    "smtp": "554 or 550 after RCPT TO: look whether it relays for this certificate",
    "imap": "`NO` to LOGIN or AUTHENTICATE: look into its log for the name that it takes",
    "pop3": "`-ERR` to PASS or AUTH: look into its log for the name that it takes",
    "ftp": "530 to PASS: look into its log for the name that it takes",
    "ldap": "an error to a bind by EXTERNAL: look how it maps the subject (`authz-regexp`)",
}

#: where no protocol is known by which to ask
_SILENT = " (it said nothing against it)"


class Outcome(Enum):
    """How a probe ended."""

    TAKEN = "taken"
    #: taken, but without the identity that was decided
    NOT_AS_DECIDED = "not-as-decided"
    #: the server refused this side, or closed
    REFUSED = "refused"
    #: this side refused the server's certificate
    SERVER_REFUSED = "server-refused"
    #: this side could not use its identity or its trust
    NOT_POSSIBLE = "not-possible"
    #: there was no connection to begin TLS on, or no TLS
    NO_CONNECTION = "no-connection"


@dataclass(frozen=True)
class Verdict:
    """``text`` and ``remedy`` are sentences without their full stop."""

    outcome: Outcome
    text: str
    remedy: str | None = None
    alert: Alert | None = None

    @property
    def is_good(self) -> bool:
        """Whether the server took the connection as decided."""
        return self.outcome is Outcome.TAKEN


def judge(result: ProbeResult) -> Verdict:
    """The verdict on what a probe found."""
    failure = result.failure
    if failure is None or failure.error is None:
        return _judge_taken(result)
    if failure.name in _JUDGES:
        return _JUDGES[failure.name](result, failure.error)
    return _judge_tls(result, failure, failure.error)


def _is_timeout(error: Exception) -> bool:
    # One is the other only from Python 3.10 on.
    return isinstance(error, (socket.timeout, TimeoutError))


def _describe(result: ProbeResult, error: Exception) -> str:
    if _is_timeout(error):
        return f"no answer within {result.timeout:g} s"
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)


def _judge_resolution(result: ProbeResult, error: Exception) -> Verdict:
    peer = result.proxy or result.target
    text = f"the name {peer.host} leads to no address ({_describe(result, error)})"
    remedy = (
        "Check how the host is spelled, and the DNS of this machine; where only a proxy can look "
        "the name up, give it with `--proxy`"
    )
    return Verdict(Outcome.NO_CONNECTION, text, remedy)


def _judge_connect(result: ProbeResult, error: Exception) -> Verdict:
    peer = result.proxy or result.target
    text = f"no TCP connection to {peer} ({_describe(result, error)})"
    remedy = "Check the port, and that the server runs and no firewall is between"
    if result.proxy is None:
        remedy += "; where the way out is a proxy, give it with `--proxy`"
    return Verdict(Outcome.NO_CONNECTION, text, remedy)


def _judge_dialogue(result: ProbeResult, error: Exception) -> Verdict:
    if isinstance(error, DialogueError):
        return Verdict(Outcome.NO_CONNECTION, error.problem, error.remedy)
    text = f"TLS could not begin ({_describe(result, error)})"
    remedy = "Check the port and the scheme; where TLS begins at once, use the scheme with an s"
    return Verdict(Outcome.NO_CONNECTION, text, remedy)


_JUDGES = {
    "name resolution": _judge_resolution,
    "TCP connect": _judge_connect,
    "proxy tunnel": _judge_dialogue,
    "STARTTLS": _judge_dialogue,
}


def _judge_tls(result: ProbeResult, failure: Step, error: Exception) -> Verdict:
    if isinstance(error, DialogueError):
        return _judge_dialogue(result, error)
    if isinstance(error, MxcertError):
        return Verdict(Outcome.NOT_POSSIBLE, str(error), "Correct the identity or the settings")
    alert = _told_alert(result) or alert_of(error)
    if alert is not None and alert.kind is AlertKind.SERVER_REFUSED:
        return _judge_server(result, error, alert)
    if alert is not None:
        return _judge_alert(result, alert)
    text = f"the {failure.name} failed ({_describe(result, error)})"
    remedy = "Check that TLS is spoken at this port, and that nothing between holds it back"
    # Before there is any TLS, it is no refusal.
    outcome = Outcome.REFUSED if result.chain else Outcome.NO_CONNECTION
    return Verdict(outcome, text, remedy)


def _told_alert(result: ProbeResult) -> Alert | None:
    number = result.observation.alert
    return None if number is None else alert_numbered(number)


def _judge_server(result: ProbeResult, error: Exception, alert: Alert) -> Verdict:
    said = getattr(error, "verify_message", "")
    text = f"{alert.meaning} ({said})" if said else alert.meaning
    return Verdict(
        outcome=Outcome.SERVER_REFUSED, text=text, remedy=alert.remedy(None), alert=alert
    )


def _judge_alert(result: ProbeResult, alert: Alert) -> Verdict:
    number = "" if alert.number is None else f" (TLS alert {alert.number}, {alert.name})"
    text = _meaning_of(result, alert, number)
    is_before_tls = alert.kind is AlertKind.CONNECTION_CLOSED and not result.chain
    if alert.kind is AlertKind.OTHER or is_before_tls:
        return Verdict(
            outcome=Outcome.NO_CONNECTION,
            text=text,
            remedy=_remedy_before_request(alert),
            alert=alert,
        )
    return Verdict(
        outcome=Outcome.REFUSED, text=text, remedy=_remedy_of(result, alert), alert=alert
    )


def _meaning_of(result: ProbeResult, alert: Alert, number: str) -> str:
    """The alert's meaning, or a better one where it is known what was asked for and presented."""
    name = result.presented_name
    if name is not None:
        return f"{alert.meaning}{number}; it was presented `{name}`"
    if result.observation.request is None or alert.kind is AlertKind.OTHER:
        return f"{alert.meaning}{number}"
    return f"the server asked for a client certificate, got none and refused the connection{number}"


def _remedy_before_request(alert: Alert) -> str:
    if alert.kind is AlertKind.OTHER:
        return alert.remedy(None)
    return "Check the port, the scheme and the host name, and that no firewall ends the connection"


def _remedy_of(result: ProbeResult, alert: Alert) -> str:
    """The alert's remedy, or a better one where the server's request tells more."""
    if result.observation.request is None:
        return (
            "The server had asked for no client certificate, so it is hardly about one: compare "
            "TLS versions and ciphers, check the host name, and ask its operator what its log says"
        )
    name = result.presented_name
    if name is None:
        return _why_nothing_was_presented(result)
    reasons = {identity.name: reason for identity, reason in result.misfits}
    reason = reasons.get(name)
    if reason is None:
        return alert.remedy(name)
    return (
        f"`{name}` does not fit what the server asks for: {reason}. "
        f"{_fitting(result)}; or ask its operator to accept this one"
    )


def _why_nothing_was_presented(result: ProbeResult) -> str:
    decision = result.decision
    if result.generation is None:
        return (
            "No settings are in force: name an identity in `ClientCertificates` or in the settings "
            "file"
        )
    if decision.choice is Choice.SERVER_REQUEST:
        return _fitting(result)
    if decision.identity is not None:
        reasons = {identity.name: reason for identity, reason in result.misfits}
        reason = reasons.get(decision.identity.name) or "OpenSSL found no way to sign with it"
        return f"`{decision.identity.name}` does not fit: {reason}. {_fitting(result)}"
    return f"None was to be presented: {decision.reason}. {_fitting(result)}"


def _fitting(result: ProbeResult) -> str:
    return which_would_fit(result.misfits, result.target.host)


def _judge_taken(result: ProbeResult) -> Verdict:
    request, name = result.observation.request, result.presented_name
    if request is None:
        return _judge_unasked(result)
    answer = f" and answered `{result.answer}`" if result.answer else _SILENT
    status = http_status(result.answer or "")
    if status in _REFUSING_STATUSES:
        return _judge_refusing_status(result)
    if name is None and result.decision.identity is not None:
        text = f"the server took the connection{answer}, but `{result.decision.identity.name}` "
        text += "was not presented although it was asked for"
        return Verdict(Outcome.NOT_AS_DECIDED, text, _why_nothing_was_presented(result))
    if name is None:
        text = f"the server asked for a client certificate, got none and took it{answer}"
        return Verdict(Outcome.TAKEN, text, _why_nothing_was_presented(result))
    remedy = None
    if status in _DENYING_STATUSES:
        remedy = (
            f"The application behind says {status}: ask its operator what `{name}` may do there"
        )
    at_login = _AT_LOGIN.get(result.target.protocol.name)
    if at_login is not None:
        remedy = f"Whom it takes `{name}` for, it says at login only: {at_login}"
    return Verdict(Outcome.TAKEN, f"the server took `{name}`{answer}", remedy)


def _judge_unasked(result: ProbeResult) -> Verdict:
    answer = f" and answered `{result.answer}`" if result.answer else ""
    text = f"the server asked for no client certificate{answer}; none was presented"
    remedy = None
    if result.decision.rule is not None and result.decision.identity is not None:
        remedy = (
            "Where it should ask: some servers do so for certain paths or host names only, so "
            "probe the whole URL"
        )
    return Verdict(Outcome.TAKEN, text, remedy)


def _judge_refusing_status(result: ProbeResult) -> Verdict:
    name = result.presented_name
    text = (
        f"the server finished the handshake and answered `{result.answer}`, which is how some "
        "servers (nginx) refuse a client certificate or want one"
    )
    if name is None:
        return Verdict(Outcome.REFUSED, text, _why_nothing_was_presented(result))
    alert = alert_numbered(46)
    assert alert is not None  # noqa: S101 - certificate_unknown: refused, and no reason told
    return Verdict(Outcome.REFUSED, text, _remedy_of(result, alert))
