"""Every error of the package, of whatever module, crosses processes as it is."""

from __future__ import annotations

import copy
import errno
import importlib
import inspect
import json
import pickle
import pkgutil
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.contexts.identity_contexts import IdentityRefusedError
from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.errors import Fault, IdentityProblem, MxcertError
from mxcert_runtime.identity.identity import Identity
from mxcert_runtime.identity.openssl_reason import explain_reason
from mxcert_runtime.settings.loading import settings_from
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

#: what starts by being imported
_PROGRAMS = {"mxcert_runtime.__main__", "mxcert_runtime.start.asked_for"}

FAULTS = (Fault("a.toml, line 3", "has a typing error", "Correct it"),)
TEXTS = ("one.pem", "other.pem")

#: a value for each annotation of an error's ``__init__``
SAMPLES: dict[str, Callable[[Identity], Any]] = {
    "str": lambda identity: "a text with 'ä' in it",
    "str | None": lambda identity: "a text",
    "int": lambda identity: 17,
    "int | None": lambda identity: 17,
    "bool": lambda identity: True,
    "object": lambda identity: "a text",
    "tuple[str, ...]": lambda identity: TEXTS,
    "Iterable[str]": lambda identity: TEXTS,
    "Sequence[str]": lambda identity: TEXTS,
    "Iterable[Fault]": lambda identity: FAULTS,
    "IdentityProblem": lambda identity: IdentityProblem.DAMAGED,
    "Identity": lambda identity: identity,
    "Refusal": lambda identity: explain_reason("EE_KEY_TOO_SMALL"),
}


@pytest.fixture
def identity(client_files: ClientFiles, alpha: Leaf) -> Identity:
    """The identity ``billing``, loaded from its file."""
    entry = client_files.identity("billing", alpha, hosts=["localhost"])
    return build_generation(settings_from({"identity": [entry]})).identities[0]


def _modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(mxcert_runtime.__path__, "mxcert_runtime."):
        if found.name not in _PROGRAMS:
            try:
                yield importlib.import_module(found.name)
            except ModuleNotFoundError as missing:
                if str(missing.name).startswith("mxcert_runtime"):  # else an extra, not installed
                    raise


def _error_classes() -> list[Any]:
    found = {
        each
        for module in _modules()
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseException)
    }
    ours = [each for each in found if each.__module__.startswith("mxcert_runtime")]
    return sorted(ours, key=lambda each: (each.__module__, each.__qualname__))


CLASSES = _error_classes()
every_error = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
_ATTRIBUTES = ("errno", "strerror", "filename", "reason", "library", "verify_code")


def _state(error: Any) -> dict[str, Any]:
    """All that there is to see of an error."""
    known = {name: getattr(error, name, None) for name in _ATTRIBUTES}
    return {
        **known,
        "type": type(error),
        "text": str(error),
        "shown": repr(error),
        "args": error.args,
        "attributes": dict(vars(error)),
    }


def _sent(error: Any) -> Iterator[Any]:
    for protocol in PROTOCOLS:
        yield pickle.loads(pickle.dumps(error, protocol))  # noqa: S301
    yield copy.copy(error)
    yield copy.deepcopy(error)
    # a second time, as from a pool within a pool
    yield pickle.loads(pickle.dumps(copy.deepcopy(error)))  # noqa: S301


def _made(kind: Any, identity: Identity) -> Any:
    """An error of a class, by its own ``__init__``."""
    plain = Exception, OSError, ValueError, LookupError
    if kind.__init__ in [each.__init__ for each in plain]:
        return kind("a text")
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    unknown = {str(each.annotation) for each in parameters} - set(SAMPLES)
    assert not unknown, f"add a sample for {unknown} to SAMPLES"
    values = {each.name: SAMPLES[str(each.annotation)](identity) for each in parameters}
    return kind(**values)


def test_the_search_finds_errors() -> None:
    """The walk over the modules finds errors wherever they are, those of hooks and commands too."""
    places = {each.__module__.split(".", 1)[1] for each in CLASSES}
    assert {"errors", "contexts.identity_contexts", "connections.planner"} <= places
    assert {"hooks.pyopenssl.contexts", "cli.run.command", "cli.probe.wire"} <= places


@every_error
def test_sent_as_it_is(kind: Any, identity: Identity) -> None:
    """Type, text, arguments, attributes and notes arrive, by every protocol and by copies."""
    error = _made(kind, identity)
    error.__notes__ = ["a note"]
    error.more = {"of": "others"}
    expected = _state(error)
    assert [] == [each for each in map(_state, _sent(error)) if each != expected]


@every_error
def test_sent_whatever_made_it(kind: Any) -> None:
    """The same for an error with any arguments at all, so that its ``__init__`` plays no part."""
    arguments = errno.EPIPE, "a text", "a name"
    if not issubclass(kind, MxcertError) and "__init__" in vars(kind):
        pytest.skip("it is caught where it is raised, and only its own arguments count")
    error = kind.__new__(kind, *arguments)
    first = OSError if issubclass(kind, OSError) else BaseException
    first.__init__(error, *arguments)
    expected_args = error.args
    for sent in _sent(error):
        assert (kind, expected_args) == (type(sent), sent.args)
        if first is OSError:
            assert (errno.EPIPE, "a text", "a name") == (sent.errno, sent.strerror, sent.filename)


@every_error
def test_nothing_secret_is_sent(kind: Any, identity: Identity) -> None:
    """Neither the key nor its password is among what crosses."""
    content = pickle.dumps(_made(kind, identity))
    assert b"PRIVATE KEY" not in content
    assert PASSWORD.encode() not in content


def test_what_openssl_says_of_it_is_sent(identity: Identity) -> None:
    """An ``ssl.SSLError`` of ours has number, library and reason on the other side, as it had."""
    error = IdentityRefusedError(identity, explain_reason("EE_KEY_TOO_SMALL"))
    for sent in _sent(error):
        assert isinstance(sent, IdentityRefusedError)
        assert isinstance(sent, ssl.SSLError)
        assert (1, "SSL", "EE_KEY_TOO_SMALL") == (sent.errno, sent.library, sent.reason)
        assert "billing" == sent.identity_name


_POOLS = """
import concurrent.futures, json, multiprocessing, socket, ssl, sys
import mxcert_runtime
settings, ca, port = json.loads(sys.argv[1])

def work(level):
    mxcert_runtime.activate(settings=settings)
    context = ssl.create_default_context(cafile=ca)
    context.set_ciphers(f"DEFAULT:@SECLEVEL={level}")
    with socket.create_connection(("127.0.0.1", port)) as plain:
        with context.wrap_socket(plain, server_hostname="localhost"):
            return "connected"

def told(error):
    notes = list(getattr(error, "__notes__", ()))
    return [type(error).__name__, isinstance(error, ssl.SSLError), str(error), error.reason, notes]

def caught(ask):
    try:
        return ask()
    except Exception as error:
        return told(error)

if __name__ == "__main__":
    method = sys.argv[2]
    context = multiprocessing.get_context(method)
    answers = [caught(lambda: work(5))]
    with context.Pool(1) as pool:
        for level in (5, 1):
            answers.append(caught(lambda: pool.apply_async(work, (level,)).get(60)))
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        for level in (5, 1):
            answers.append(caught(lambda: pool.submit(work, level).result(60)))
    print(json.dumps(answers))
"""


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_pools_of_processes(
    method: str,
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    tmp_path: Any,
) -> None:
    """The error of a worker is the one that the same call raises here; a twin connects."""
    settings = {"identity": [client_files.identity("alpha", alpha, hosts=["localhost"])]}
    given = [settings, str(client_files.authority(authority)), tls_server().port]
    here, *there = run_client(_POOLS, json.dumps(given), method).json()
    assert ["IdentityRefusedError", True] == here[:2]
    assert [here, "connected", here, "connected"] == there


def test_a_class_that_others_derive() -> None:
    """The way is the base's, so a class of a program that derives from one of ours has it too."""
    assert [] == [
        each.__name__
        for each in CLASSES
        if issubclass(each, MxcertError) and each.__reduce__ is not MxcertError.__reduce__
    ]
