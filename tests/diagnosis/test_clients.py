"""What clients make of the exception: the chain that they raise holds the one that has the note."""

from __future__ import annotations

import copy
import pickle
import re
import smtplib
import ssl
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from mxcert_runtime.diagnosis import sum_up
from tests.clients import calls
from tests.support.factories import ServerFactory
from tests.support.mail_server import StartTlsServer
from tests.support.names import LoopbackNames
from tests.support.server_tls import Demand, TlsVersion

from .conftest import HOSTS, NOBODY, UNKNOWN, Refusals
from .exchanges import TIMEOUT, client_context, failure_of
from .told import HAS_NOTES, as_it_is, chain_of, facts_of, notes_of, printed, warnings_of


def _requests_get(url: str, context: ssl.SSLContext) -> Any:
    """``requests.get`` with the authority in a file, as programs call it."""
    import requests

    return requests.get(url, verify=context.ca_file, timeout=TIMEOUT)  # type: ignore[attr-defined]


CALLS = (
    calls.urllib_request,
    calls.http_client,
    calls.open_connection,
    _requests_get,
    calls.urllib3_pool,
    calls.httpx_client,
    calls.httpx_async,
    pytest.param(
        calls.aiohttp_session,
        marks=pytest.mark.skipif(
            sys.version_info < (3, 11),
            reason="asyncio leaves transports unclosed up to Python 3.10",
        ),
    ),
)


class _Context(ssl.SSLContext):
    """A context that remembers the file of its authority."""

    ca_file: str


def _context(refusals: Refusals) -> ssl.SSLContext:
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.ca_file = str(refusals.files.authority(refusals.authority))
    context.load_verify_locations(context.ca_file)
    return context


def _error_of(call: Callable[..., Any], *arguments: Any) -> BaseException:
    try:
        call(*arguments)
    except Exception as error:
        return error
    raise AssertionError("the call did not fail")


@pytest.mark.parametrize("call", CALLS, ids=calls.name_of)
def test_the_chain_has_the_note(
    call: calls.Call,
    tls_version: TlsVersion,
    refusals: Refusals,
    loopback_names: LoopbackNames,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One record for each connection, and the printed traceback shows the note, once."""
    port = refusals.port(tls_version)
    expected = as_it_is(_error_of(call, f"https://{NOBODY}:{port}/", _context(refusals)))[:2]
    refusals.activate()
    caplog.clear()
    before = refusals.servers[tls_version].connections
    error = _error_of(call, f"https://{NOBODY}:{port}/", _context(refusals))
    connections = refusals.servers[tls_version].connections - before
    warnings = warnings_of(caplog)
    noted = [note for each in chain_of(error) for note in notes_of(each) if "\n" in note]
    assert _stable(expected) == _stable(as_it_is(error)[:2])
    # aiohttp makes a second connection for a request that can be repeated.
    assert {f"{NOBODY}:{port}"} == {facts_of(each)["endpoint"] for each in warnings}
    assert connections == len(warnings)
    if HAS_NOTES:
        assert len(noted) == 1
        assert noted[0] in printed(error)


@pytest.mark.skipif(not HAS_NOTES, reason="there are no notes")
@pytest.mark.parametrize("call", [_requests_get, calls.httpx_client, calls.httpx_async])
def test_the_last_line_says_why(
    call: calls.Call,
    tls_version: TlsVersion,
    refusals: Refusals,
    loopback_names: LoopbackNames,
) -> None:
    """What is printed last of all is the reason, once; the error itself is as it was."""
    url = f"https://{UNKNOWN}:{refusals.port(tls_version)}/"
    refusals.activate()
    error = _error_of(call, url, _context(refusals))
    reason = "mxcert_runtime: the server does not know the CA that issued the client certificate"
    summary = f"{reason} (unknown_ca); above, at SSLError, and in the log is all of it"
    (note,) = notes_of(error)
    assert printed(error).endswith(f"{note}\n")
    # httpx over asyncio lets the very error of a read through, which has all of it.
    if type(error) is ssl.SSLError:
        assert note.startswith(f"{reason} (unknown_ca)\n")
    else:
        assert note == summary


@pytest.mark.skipif(not HAS_NOTES, reason="there are no notes")
@pytest.mark.parametrize("call", [_requests_get, calls.httpx_client, calls.httpx_async])
def test_other_errors_stay_as_they_are(
    call: calls.Call, refusals: Refusals, loopback_names: LoopbackNames
) -> None:
    """The twin: what has nothing to do with certificates has no note."""
    refusals.activate()
    error = _error_of(call, f"https://{UNKNOWN}:1/", _context(refusals))
    assert [] == [note for each in chain_of(error) for note in notes_of(each)]


def _both_errors(call: calls.Call, first: str, second: str, context: Any) -> list[BaseException]:
    """What a program gets that calls another server where the first refuses it."""
    try:
        call(first, context)
    except Exception as error:
        return [error, _error_of(call, second, context)]
    raise AssertionError("the call did not fail")


@pytest.mark.skipif(not HAS_NOTES, reason="there are no notes")
@pytest.mark.parametrize(
    "call", [_requests_get, calls.urllib3_pool, calls.httpx_client, calls.httpx_async]
)
def test_an_error_while_another_is_handled(
    call: calls.Call, refusals: Refusals, loopback_names: LoopbackNames
) -> None:
    """A call within ``except`` fails for its own reason: it has no note of the one before."""
    url = f"https://{UNKNOWN}:{refusals.port(TlsVersion.TLS12)}/"
    context = _context(refusals)
    before = _both_errors(call, url, f"https://{UNKNOWN}:1/", context)[1]
    refusals.activate()
    first, second = _both_errors(call, url, f"https://{UNKNOWN}:1/", context)
    assert any(map(notes_of, chain_of(first)))
    assert [] == notes_of(second)
    assert _causes_of(before) == _causes_of(second)


@pytest.mark.skipif(not HAS_NOTES, reason="there are no notes")
@pytest.mark.parametrize("notes", [None, 7, (), [None, 7]])
def test_notes_of_another_kind(notes: Any) -> None:
    """What programs put in the place of notes is left alone, and no error of theirs is lost."""
    error, cause = OSError("the program's own"), OSError("below it")
    error.__notes__ = notes
    error.__cause__ = cause
    cause.add_note("mxcert_runtime: told")  # type: ignore[attr-defined]
    sum_up(error, None)
    added = ["mxcert_runtime: told; above, at OSError, and in the log is all of it"]
    assert error.__notes__ == ([None, 7, *added] if isinstance(notes, list) else notes)


def _causes_of(error: BaseException | None) -> list[type]:
    """What a traceback says was the direct cause of what."""
    found = []
    while error is not None:
        found.append(type(error))
        error = error.__cause__
    return found


def _sent(error: BaseException) -> Any:
    """What becomes of an error in another process: type and text, or why it cannot be sent."""
    try:
        arrived = pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception as reason:
        return type(reason), str(reason)
    return _stable(as_it_is(arrived)[:2])


@pytest.mark.parametrize("call", CALLS, ids=calls.name_of)
def test_what_clients_raise_can_be_sent_as_before(
    call: calls.Call,
    refusals: Refusals,
    loopback_names: LoopbackNames,
) -> None:
    """Errors of clients that go from a pool's worker arrive, or fail to, as without the plugin."""
    url = f"https://{UNKNOWN}:{refusals.port(TlsVersion.TLS12)}/"
    expected = _sent(_error_of(call, url, _context(refusals)))
    refusals.activate()
    assert expected[0] is _sent(_error_of(call, url, _context(refusals)))[0]


@pytest.mark.skipif(not HAS_NOTES, reason="there are no notes")
def test_a_note_is_sent(refusals: Refusals) -> None:
    """The note arrives with the error of ``ssl`` that has it."""
    refusals.activate()
    error = failure_of(client_context(refusals.authority), UNKNOWN, refusals.port(TlsVersion.TLS12))
    assert notes_of(error)
    assert notes_of(error) == notes_of(pickle.loads(pickle.dumps(error)))  # noqa: S301
    assert notes_of(error) == notes_of(copy.deepcopy(error))


def _stable(told: tuple[Any, ...]) -> tuple[Any, str]:
    """Type and text without the addresses of objects."""
    kind, text = told
    return kind, re.sub(r"0x[0-9a-f]+", "0x", text)


@pytest.fixture
def mail_port(
    smtp_server: ServerFactory[StartTlsServer], tls_version: TlsVersion, server_stack: ExitStack
) -> int:
    """A mail server that demands a certificate."""
    return smtp_server(hosts=HOSTS, demand=Demand.DEMAND, version=tls_version).port


def test_smtplib(
    mail_port: int,
    refusals: Refusals,
    loopback_names: LoopbackNames,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """STARTTLS: in TLS 1.3 the refusal comes with the answer to the next command."""
    refusals.activate()
    caplog.clear()
    context = client_context(refusals.authority)

    def speak() -> None:
        with smtplib.SMTP(UNKNOWN, mail_port, timeout=TIMEOUT) as mail:
            mail.starttls(context=context)
            mail.ehlo()

    error = _error_of(speak)
    noted = [note for each in chain_of(error) for note in notes_of(each)]
    told = [facts_of(each) for each in warnings_of(caplog)]
    assert [f"{UNKNOWN}:{mail_port}"] == [each["endpoint"] for each in told]
    assert len(noted) == (1 if sys.version_info >= (3, 11) else 0)
