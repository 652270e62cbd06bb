"""What every hook must keep, written once; a hook's test names its targets and one client call.

::

    class TestUrllib3(HookContract):
        targets = ("urllib3.connectionpool:HTTPSConnectionPool._new_conn",)

        @staticmethod
        def call(url: str, ca_file: str) -> Any:
            import urllib3

            with urllib3.PoolManager(ca_certs=ca_file) as pool:
                return pool.request("GET", url).json()

``call`` returns the JSON of the test server. Its source alone is also run in processes of its own,
so all of its imports stand in it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import wrapt

from .client_files import ClientFiles
from .factories import ServerFactory
from .pki import Authority, Leaf
from .subprocesses import run_client
from .tls_server import TlsServer

_ABSENT = object()
_CLIENT = """\
from __future__ import annotations
import json
import sys
import mxcert_runtime
given = json.load(sys.stdin)
{call}
def shown():
    return [call(url, given["ca_file"])["fingerprint"] for url in given["urls"]]
mxcert_runtime.activate(settings=given["settings"])
later = shown()
mxcert_runtime.deactivate()
mxcert_runtime.activate(settings=given["settings"])
print(json.dumps([later, shown()]))
"""


@dataclass(frozen=True)
class Stage:
    """A server, the settings for it, and what it is to see."""

    settings: dict[str, Any]
    ca_file: str
    listed_url: str
    unlisted_url: str
    fingerprint: str

    @property
    def client_input(self) -> str:
        """What a client process reads."""
        urls = [self.listed_url, self.unlisted_url]
        return json.dumps({"settings": self.settings, "ca_file": self.ca_file, "urls": urls})


@dataclass(frozen=True)
class Target:
    """One attribute that a hook replaces, ``module:name`` or ``module:Class.name``."""

    module: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target that the text names."""
        module, _, path = text.partition(":")
        return cls(module, path)

    @property
    def name(self) -> str:
        """The attribute's own name."""
        return self.path.rpartition(".")[2]

    @property
    def owner(self) -> Any:
        """The class or module that has the attribute."""
        holders = self.path.split(".")[:-1]
        return functools.reduce(getattr, holders, importlib.import_module(self.module))

    @property
    def stored(self) -> Any:
        """What stands in the owner's own ``__dict__``, not bound; ``_ABSENT`` where inherited."""
        return vars(self.owner).get(self.name, _ABSENT)

    @property
    def found(self) -> Any:
        """What the owner has or inherits, not bound."""
        return inspect.getattr_static(self.owner, self.name)

    @property
    def origin(self) -> Target:
        """Where the owner has it from, if that is another class that can be changed."""
        if not inspect.isclass(self.owner) or self.stored is not _ABSENT:
            return self
        holder = next(each for each in self.owner.__mro__ if self.name in vars(each))
        if not inspect.isfunction(vars(holder)[self.name]):
            return self
        return Target(holder.__module__, f"{holder.__qualname__}.{self.name}")

    def restore(self, stored: Any) -> None:
        """Bring back what ``stored`` once was."""
        if stored is not _ABSENT:
            setattr(self.owner, self.name, stored)
        elif self.stored is not _ABSENT:
            delattr(self.owner, self.name)


class HookContract:
    """The base of a hook's tests; it is collected by way of its subclasses only."""

    targets: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        """The server's JSON, fetched with the hooked library, which trusts the CA file."""
        raise NotImplementedError

    @pytest.fixture
    def runtime(self) -> Iterator[Any]:
        """The package under test; skipped where it or the hooked library is not there.

        Afterwards the targets are put back by hand, so that one broken hook fails its own tests
        only.
        """
        for text in self.targets:
            pytest.importorskip(text.partition(":")[0].partition(".")[0])
        runtime = pytest.importorskip("mxcert_runtime")
        if not hasattr(runtime, "activate"):
            pytest.skip("mxcert_runtime.activate is not there yet")
        before = self._stored()
        yield runtime
        runtime.deactivate()
        for target, stored in zip(self._parsed, before):
            target.restore(stored)

    @pytest.fixture
    def stage(
        self,
        tls_server: ServerFactory[TlsServer],
        client_files: ClientFiles,
        authority: Authority,
        alpha: Leaf,
    ) -> Stage:
        """A server that accepts certificates, and a rule for one of its two names."""
        server = tls_server()
        rule = client_files.identity("alpha", alpha, hosts=["localhost"])
        return Stage(
            settings={"unlisted_hosts": "none", "identity": [rule]},
            ca_file=str(client_files.authority(authority)),
            listed_url=server.url("localhost"),
            unlisted_url=server.url("127.0.0.1"),
            fingerprint=alpha.fingerprint,
        )

    @property
    def _parsed(self) -> list[Target]:
        return [Target.parse(text) for text in self.targets]

    def _stored(self) -> list[Any]:
        return [target.stored for target in self._parsed]

    def _fingerprint(self, url: str, stage: Stage) -> str | None:
        fingerprint: str | None = self.call(url, stage.ca_file)["fingerprint"]
        return fingerprint

    def _shows(self, stage: Stage) -> list[str | None]:
        return [self._fingerprint(url, stage) for url in (stage.listed_url, stage.unlisted_url)]

    def test_every_target_is_replaced(self, runtime: Any, stage: Stage) -> None:
        """Activation replaces each target, and the listed host alone sees the identity."""
        before = self._stored()
        runtime.activate(settings=stage.settings)
        assert all(old is not new for old, new in zip(before, self._stored()))
        assert [stage.fingerprint, None] == self._shows(stage)

    def test_applied_twice_is_applied_once(self, runtime: Any, stage: Stage) -> None:
        """A second activation wraps nothing again, and one deactivation restores everything."""
        before = self._stored()
        runtime.activate(settings=stage.settings)
        once = self._stored()
        runtime.activate(settings=stage.settings)
        _assert_identical(once, self._stored())
        assert [stage.fingerprint, None] == self._shows(stage)
        runtime.deactivate()
        _assert_identical(before, self._stored())

    def test_undo_restores_exactly(self, runtime: Any, stage: Stage) -> None:
        """Deactivation puts the very same objects back, and what was absent is absent again."""
        before = self._stored()
        runtime.activate(settings=stage.settings)
        runtime.deactivate()
        _assert_identical(before, self._stored())
        assert [None, None] == self._shows(stage)

    def test_applies_again_after_undo(self, runtime: Any, stage: Stage) -> None:
        """What was undone can be applied again, and undone again."""
        before = self._stored()
        runtime.activate(settings=stage.settings)
        runtime.deactivate()
        runtime.activate(settings=stage.settings)
        assert [stage.fingerprint, None] == self._shows(stage)
        runtime.deactivate()
        _assert_identical(before, self._stored())

    def test_foreign_wrapper_survives_undo(self, runtime: Any, stage: Stage) -> None:
        """Another's wrapper on top stays in place, works, and has us beneath it, off or on."""
        before = self._stored()
        runtime.activate(settings=stage.settings)
        with _foreign_wrappers(self._parsed) as calls:
            foreign = self._stored()
            runtime.deactivate()
            _assert_identical(foreign, self._stored())
            assert [None, None] == self._shows(stage)
            assert calls
            runtime.activate(settings=stage.settings)
            _assert_identical(foreign, self._stored())
            assert [stage.fingerprint, None] == self._shows(stage)
        runtime.deactivate()
        _assert_identical(before, self._stored())

    def test_foreign_wrapper_that_stood_before(self, runtime: Any, stage: Stage) -> None:
        """Another's wrapper beneath ours is called as it is without us, bound, and stays."""
        with _foreign_wrappers([target.origin for target in self._parsed]) as calls:
            foreign = self._stored()
            runtime.activate(settings=stage.settings)
            assert [stage.fingerprint, None] == self._shows(stage)
            assert calls
            runtime.deactivate()
            _assert_identical(foreign, self._stored())
            assert [None, None] == self._shows(stage)

    def test_foreign_wrapper_where_it_comes_from(self, runtime: Any, stage: Stage) -> None:
        """One that comes later, to the class that a method is inherited from, is called."""
        origins = [target.origin for target in self._parsed]
        before = self._stored()
        runtime.activate(settings=stage.settings)
        inherited = [each for each, target in zip(origins, self._parsed) if each != target]
        with _foreign_wrappers(inherited) as calls:
            assert [stage.fingerprint, None] == self._shows(stage)
            assert {each.name for each in inherited} == set(calls)
        assert [stage.fingerprint, None] == self._shows(stage)
        runtime.deactivate()
        _assert_identical(before, self._stored())

    def test_library_imported_around_activation(self, runtime: Any, stage: Stage) -> None:
        """A library that is loaded after an activation is hooked, and so it is by the next one."""
        script = _CLIENT.format(call=source_of(self.call))
        finished = run_client(script, stdin=stage.client_input)
        assert [[stage.fingerprint, None]] * 2 == finished.json()


def source_of(function: Any) -> str:
    """The function's source from its ``def`` on, without decorators and outer indentation."""
    source = textwrap.dedent(inspect.getsource(function))
    return source[source.index("def ") :]


def _assert_identical(expected: list[Any], actual: list[Any]) -> None:
    assert len(expected) == len(actual)
    for number, (one, other) in enumerate(zip(expected, actual)):
        assert one is other, f"target {number}: {one!r} is not {other!r}"


@contextmanager
def _foreign_wrappers(targets: list[Target]) -> Iterator[list[str]]:
    """Wraps each target as other tools do; gives the list of the calls that went through."""
    calls: list[str] = []

    def counting(is_method: bool) -> Any:
        def count(wrapped: Any, instance: Any, arguments: Any, keywords: Any) -> Any:
            # Tools take the first argument for the method's own, such as the URL of a request.
            assert is_method is (instance is not None), f"{wrapped!r} is called unbound"
            calls.append(getattr(wrapped, "__name__", "?"))
            return wrapped(*arguments, **keywords)

        return count

    ours = [target.stored for target in targets]
    for target in targets:
        count = counting(inspect.isclass(target.owner) and target.name != "__new__")
        setattr(target.owner, target.name, wrapt.FunctionWrapper(target.found, count))
    try:
        yield calls
    finally:
        for target, stored in zip(targets, ours):
            target.restore(stored)
