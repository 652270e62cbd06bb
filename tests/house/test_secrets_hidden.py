"""No password and no key comes to light: not in errors, their tracebacks, or logs."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import mxcert_runtime
from mxcert_runtime import SettingsError, activate, deactivate, explain, identities
from mxcert_runtime.base.secret import Secret
from tests.house.spoiled_settings import MARK, OTHER, PASSWORD, SPOILED, Spoil
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.tls_server import TlsServer

_PACKAGE = str(Path(mxcert_runtime.__file__).parent)

_STEP = 24


@pytest.fixture(scope="module")
def leaf(client_authority: Authority) -> Leaf:
    """The identity of which nothing may be seen."""
    return client_authority.issue("hidden", server=False)


@pytest.fixture
def files(tmp_path: Path) -> ClientFiles:
    """Files under the password."""
    return ClientFiles(tmp_path, PASSWORD)


def traces(leaf: Leaf, *contents: bytes) -> list[str]:
    """Pieces of the key, and of files that hold it, in each form in which a text could have them.

    The private part of the key stands at the same place in every encoding, so the pieces are taken
    from the whole.
    """
    der = leaf.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    number = leaf.key.private_numbers().private_value  # type: ignore[union-attr]
    secret_bytes = number.to_bytes(32, "big")
    found = [str(number), f"{number:x}", secret_bytes.hex(), repr(secret_bytes)[2:-1]]
    found += _lines(leaf.key_pem().decode())
    for content in (der, *contents):
        found += _pieces(base64.b64encode(content).decode())
        found += [
            repr(content[at : at + _STEP])[2:-1] for at in range(60, len(content) - _STEP, _STEP)
        ]
    return [*found, MARK, base64.b64encode(PASSWORD.encode()).decode()]


def _lines(pem: str) -> list[str]:
    return [line for line in pem.splitlines() if "-----" not in line and len(line) > _STEP]


def _pieces(text: str) -> list[str]:
    # The beginning and the end of an encoding are the same for every key of a kind.
    return [text[at : at + _STEP] for at in range(60, len(text) - _STEP, _STEP)]


def seen_in(text: str, leaf: Leaf, *contents: bytes) -> list[str]:
    """The traces that a text has."""
    return [trace for trace in traces(leaf, *contents) if trace in text]


def test_the_search_sees_secrets(files: ClientFiles, leaf: Leaf) -> None:
    """What the tests below look for would be found."""
    content = files.pkcs12(leaf).read_bytes()
    assert [] == seen_in("nothing", leaf, content)
    for text in (
        f"password {PASSWORD}",
        leaf.key_pem().decode(),
        base64.b64encode(content).decode(),
        repr(content),
        str(leaf.key.private_numbers().private_value),  # type: ignore[union-attr]
    ):
        assert seen_in(text, leaf, content)


def _own_frames(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            yield trace
        trace = trace.tb_next


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def told_by(error: BaseException) -> str:
    """All that an error and its chain tell: texts, data, and every variable of our frames."""
    parts = []
    for each in _chain(error):
        parts += [str(each), repr(each), repr(vars(each))]
        # From the first frame of ours on: the caller's own variables are the caller's.
        first = next(_own_frames(each.__traceback__), each.__traceback__)
        shown = traceback.TracebackException(type(each), each, first, capture_locals=True)
        parts += shown.format(chain=False)
    return "\n".join(parts)


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Whatever anybody logs, at whatever level."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__.strip("_"))
def test_faults_hide_secrets(
    spoil: Spoil,
    files: ClientFiles,
    leaf: Leaf,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    """Whatever is wrong with the settings, neither error nor log shows a secret."""
    content = files.pkcs12(leaf).read_bytes()
    for name, value in spoil(files, leaf, alpha).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        activate()
    told = told_by(caught.value) + json.dumps(caught.value.as_data()) + everything_logged.text
    assert [] == seen_in(told, leaf, content)


def _argument(password: object, files: ClientFiles, leaf: Leaf) -> dict[str, Any]:
    return {"identity": [{**files.identity("hidden", leaf), "password": password}]}


@pytest.mark.parametrize(
    "password", [OTHER, Secret(OTHER), [PASSWORD]], ids=lambda password: type(password).__name__
)
def test_faults_of_an_argument_hide_secrets(
    password: object, files: ClientFiles, leaf: Leaf
) -> None:
    """What code passes is no more visible in our frames than what the environment gives."""
    with pytest.raises(SettingsError) as caught:
        activate(_argument(password, files, leaf))
    assert [] == seen_in(told_by(caught.value), leaf)


def test_faults_of_inline_content_hide_it(files: ClientFiles, leaf: Leaf) -> None:
    """The bytes of a PKCS12 file that code passes are as hidden as its password."""
    content = files.pkcs12(leaf).read_bytes()
    entry = {"name": "hidden", "pkcs12": content, "password": Secret(OTHER)}
    with pytest.raises(SettingsError) as caught:
        activate({"identity": [entry]})
    assert [] == seen_in(told_by(caught.value), leaf, content)


def test_a_whole_connection_hides_secrets(
    files: ClientFiles,
    leaf: Leaf,
    authority: Authority,
    tls_server: ServerFactory[TlsServer],
    everything_logged: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """From activation to deactivation, with a connection between, the log shows nothing."""
    activate({"identity": [files.identity("hidden", leaf, hosts=["localhost"])]})
    answer = fetch(tls_server().url("localhost"), plain_context(authority))
    shown = [repr(identities()), repr(explain("localhost")), str(explain("localhost"))]
    shown += [
        repr(mxcert_runtime.decisions.in_force.current),
        repr(vars(mxcert_runtime.decisions.in_force.current)),
    ]
    deactivate()
    assert leaf.fingerprint == answer["fingerprint"]
    assert "active: 1 identities" in everything_logged.text
    told = "\n".join([*shown, everything_logged.text, *capfd.readouterr()])
    assert [] == seen_in(told, leaf, files.pkcs12(leaf).read_bytes())


def test_a_refused_connection_hides_secrets(
    files: ClientFiles,
    leaf: Leaf,
    client_authority: Authority,
    tls_server: ServerFactory[TlsServer],
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    """A handshake that fails in our hooks shows no secret among the variables of our frames."""
    activate({"identity": [files.identity("hidden", leaf, hosts=["localhost"])]})
    server = tls_server()
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        fetch(server.url("localhost"), plain_context(client_authority))
    told = told_by(caught.value) + everything_logged.text
    assert [] == seen_in(told, leaf, files.pkcs12(leaf).read_bytes())
