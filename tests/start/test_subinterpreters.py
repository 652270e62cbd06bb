"""An interpreter beside the main one: it ends no process, and makes no connection without."""

from __future__ import annotations

import pytest

from tests.start.subinterpreters import KINDS, lines_of, run_program
from tests.support.installation import Installation, Installations
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

_CALL = """\
import json, os, ssl, sys, urllib.error, urllib.request
url = "https://localhost:%s/" % os.environ["TARGET_PORT"]
try:
    print(json.dumps(json.load(urllib.request.urlopen(url))["fingerprint"]), flush=True)
except urllib.error.URLError as error:
    told = [type(error.reason).__name__, isinstance(error.reason, ssl.SSLError), str(error.reason)]
    print(json.dumps(told), flush=True)
"""
_BUFFERS = """\
import json, ssl
context = ssl.create_default_context()
try:
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
except ssl.SSLError as error:
    print(json.dumps(str(error)), flush=True)
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
made = server.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
print(json.dumps(made.server_side), flush=True)
"""
_OTHER_ENGINE = """\
import json
try:
    import OpenSSL.SSL
except ImportError as error:
    print(json.dumps(str(error)), flush=True)
"""
_IMPORT = """\
import json
try:
    {statement}
except ImportError as error:
    classes = [each.__name__ for each in type(error).__mro__]
    print(json.dumps([classes, str(error)]), flush=True)
"""
_REMEDIES = ("WSGIApplicationGroup", "single-interpreter", "MXCERT_DISABLE=1")


@pytest.fixture
def installation(installations: Installations) -> Installation:
    """Where the package is installed."""
    return installations.wheel


def _assert_remedies(told: str) -> None:
    assert [] == [remedy for remedy in _REMEDIES if remedy not in told]


@pytest.mark.parametrize("kind", KINDS)
def test_connections_are_refused_there(
    installation: Installation,
    server: TlsServer,
    environment: dict[str, str],
    alpha: Leaf,
    kind: str,
) -> None:
    """The server never hears of one; the main interpreter presents before and after."""
    done = run_program(installation, kind, _CALL, environment, around=(_CALL, _CALL))

    before, (refusal, is_tls_error, told), after = lines_of(done)
    assert [alpha.fingerprint] * 2 == [before, after]
    assert ("NoConnectionError", True) == (refusal, is_tls_error)
    _assert_remedies(told)
    assert [alpha.fingerprint] * 2 == [each["fingerprint"] for each in server.answers]


@pytest.mark.parametrize("kind", KINDS)
def test_without_autostart(
    installation: Installation, environment: dict[str, str], kind: str
) -> None:
    """The twin: where nobody asks for identities, a subinterpreter connects as ever."""
    done = run_program(installation, kind, _CALL, {**environment, "MXCERT_AUTOSTART": "0"})

    assert [None] == lines_of(done)


@pytest.mark.parametrize("kind", KINDS)
def test_buffers(installation: Installation, environment: dict[str, str], kind: str) -> None:
    """Connections on buffers, asyncio's, are refused as well; those of servers are not."""
    told, is_server = lines_of(run_program(installation, kind, _BUFFERS, environment))

    _assert_remedies(told)
    assert True is is_server


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_engine(
    installation: Installation, environment: dict[str, str], kind: str
) -> None:
    """pyOpenSSL cannot be imported there, and the words are ours."""
    (told,) = lines_of(run_program(installation, kind, _OTHER_ENGINE, environment))

    _assert_remedies(told)


_LATER = "import os; del os.environ['MXCERT_DISABLE']"


def test_the_first_to_import(
    installation: Installation, server: TlsServer, environment: dict[str, str], alpha: Leaf
) -> None:
    """One that can have the plugin, since no other interpreter has it, has it."""
    disabled = {**environment, "MXCERT_DISABLE": "1"}

    done = run_program(installation, "legacy", _CALL, disabled, around=(_LATER, ""))

    assert [alpha.fingerprint] == lines_of(done)


def test_broken_settings_there(installation: Installation, environment: dict[str, str]) -> None:
    """They end no process either, and the refusal is the report."""
    broken = {**environment, "MXCERT_DISABLE": "1", "ClientCertificates": "/nonexistent.p12"}

    done = run_program(
        installation, "legacy", _CALL + _OTHER_ENGINE, broken, around=(_LATER, "print(1)")
    )

    (refusal, _, told), other_told, last = lines_of(done)
    assert ("NoConnectionError", 1) == (refusal, last)
    assert "/nonexistent.p12" in told
    assert " ".join(other_told.split()) in told


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "statement", ["import mxcert_runtime", "from mxcert_runtime import activate, service"]
)
def test_an_import_there(
    installation: Installation, environment: dict[str, str], kind: str, statement: str
) -> None:
    """A program that imports the plugin in a subinterpreter learns what is the matter."""
    asked = {**environment, "MXCERT_AUTOSTART": "0"}
    first = "import mxcert_runtime; assert mxcert_runtime.is_active()"

    done = run_program(
        installation, kind, _IMPORT.format(statement=statement), asked, around=(first, "")
    )

    ((classes, told),) = lines_of(done)
    assert {"SubinterpreterError", "MxcertError", "ImportError"} <= set(classes)
    _assert_remedies(told)


@pytest.mark.parametrize("kind", KINDS)
def test_the_interface_there(
    installation: Installation, environment: dict[str, str], kind: str
) -> None:
    """Where autostart has imported the package already, its functions say the same."""
    statement = "import mxcert_runtime; mxcert_runtime.service"

    done = run_program(installation, kind, _IMPORT.format(statement=statement), environment)

    ((classes, told),) = lines_of(done)
    assert "SubinterpreterError" in classes
    _assert_remedies(told)


def test_an_import_that_fails_in_the_main_interpreter(installation: Installation) -> None:
    """The twin: there an ImportError stays what it is."""
    script = (
        "import sys; sys.modules['cryptography'] = None\n"
        "try: import mxcert_runtime\n"
        "except ImportError as error: print(type(error).__name__)"
    )

    done = installation.run(
        installation.python, "-c", script, environment={"ClientCertificates": "/nonexistent.p12"}
    )

    assert "ModuleNotFoundError" == done.stdout.strip()
