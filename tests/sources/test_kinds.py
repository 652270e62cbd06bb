"""Kinds of sources that others add: installed beside this package, found by their entry point."""

from __future__ import annotations

import ssl
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate, is_active
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.errors import Fault, IdentityError
from mxcert_runtime.identity.guarded_source import GuardedSource
from mxcert_runtime.identity.source import Credentials
from mxcert_runtime.settings.loading import settings_from
from tests.sources.commands import MARK
from tests.sources.conftest import Ask
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import plain_context

#: a kind in a package of its own, as somebody else would write it
_PACKAGE = """
from mxcert_runtime.sources import Credentials, Options, PulledSource

class FolderSource(PulledSource):
    def __init__(self, folder, anchors):
        super().__init__()
        self._folder, self._anchors = folder, anchors

    def fetch(self):
        with open(f"{self._folder}/{'both.pem'}", "rb") as file:
            material = file.read()
        authorities = b""
        if self._anchors:
            with open(self._anchors, "rb") as file:
                authorities = file.read()
        return Credentials(material, authorities=authorities)

    def shown(self):
        return f"the folder {self._folder}"

def open_source(options: Options):
    folder = options.path("folder")
    if folder is None:
        options.fault("folder", "is missing", "Name the folder")
    return FolderSource(folder, options.path("anchors"))

def raises(options):
    raise RuntimeError("hunter2-and-more")
"""
_ENTRY_POINTS = """
[mxcert_runtime.sources]
folder = folder_source_of_somebody:open_source
raises = folder_source_of_somebody:raises
nothing = folder_source_of_somebody:no_such_name
missing = no_such_module_at_all:open_source
command = folder_source_of_somebody:raises
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of somebody else, as pip would have put it there."""
    site = tmp_path / "site"
    metadata = site / "folder_source_of_somebody-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "folder_source_of_somebody.py").write_text(_PACKAGE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(_ENTRY_POINTS)
    monkeypatch.syspath_prepend(site)


@pytest.fixture
def folder(tmp_path: Path, alpha: Leaf) -> Path:
    """What the source reads."""
    (tmp_path / "both.pem").write_bytes(alpha.pem() + alpha.key_pem())
    return tmp_path


def described(kind: str, **options: Any) -> dict[str, Any]:
    """Settings of one identity of a kind, for localhost."""
    return {"identity": {"source": {"kind": kind, **options}, "hosts": "localhost"}}


def fault_of(settings: dict[str, Any]) -> Fault:
    """The only fault."""
    (fault,) = settings_from(settings, environ={}).faults
    return fault


class TestFound:
    def test_what_the_server_sees(self, folder: Path, ask: Ask, alpha: Leaf) -> None:
        """The certificate of a source that this package knows nothing of."""
        activate(settings=described("folder", folder=str(folder)))
        assert alpha.fingerprint == ask()

    def test_what_it_raises_by_itself(self, folder: Path, tmp_path: Path) -> None:
        """The twin: a source that cannot read is an error, and nothing is put in force."""
        (folder / "both.pem").unlink()
        with pytest.raises(SettingsError, match=r"the folder .* has raised FileNotFoundError"):
            activate(settings=described("folder", folder=str(folder)))
        assert not is_active()

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({}, "source, folder: is missing"),
            ({"folder": 7}, "source, folder: is a number, not text"),
            ({"folder": "/x", "foldr": "/y"}, "Write `folder`, if that is meant"),
        ],
    )
    def test_its_options(self, options: dict[str, Any], problem: str) -> None:
        """Faults of theirs are told at their place; keys that nobody asks for are faults too."""
        told = [str(each) for each in settings_from(described("folder", **options)).faults]
        assert [] != [each for each in told if problem in each]

    def test_the_command_stays_ours(self) -> None:
        """Nobody's kind takes the place of one of this package."""
        assert () == settings_from(described("command", command="a"), environ={}).faults


class _Careless:
    """A source that does everything wrong."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def _give(self, *_: object) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    read = refresh = due = files = watch = shown = _give


class TestCareless:
    def test_code_that_raises(self) -> None:
        """Every call ends in the one kind of error, without its words and without its frames."""
        source = GuardedSource(_Careless(RuntimeError(MARK)))
        for call in (source.read, source.refresh, source.due, lambda: source.watch(print)):
            with pytest.raises(IdentityError) as caught:
                call()
            assert "a _Careless has raised RuntimeError" in str(caught.value)
            assert caught.value.__context__ is None
        assert ((), "a _Careless") == (source.files(), source.shown())

    def test_answers_of_another_type(self) -> None:
        """Bytes are no credentials, and a moment without its zone is none."""
        with pytest.raises(IdentityError, match="no Credentials, but bytes"):
            GuardedSource(_Careless(MARK.encode())).read()
        with pytest.raises(IdentityError, match="without a time zone"):
            GuardedSource(_Careless(datetime(2030, 1, 1))).due()

    @pytest.mark.parametrize(
        ("credentials", "part"),
        [
            (Credentials(Secret(MARK)), "material"),  # type: ignore[arg-type]
            (Credentials(b"x", MARK), "password"),  # type: ignore[arg-type]
            (Credentials(b"x", Secret(MARK.encode())), "password"),  # type: ignore[arg-type]
            (Credentials(b"x", None, MARK), "authorities"),  # type: ignore[arg-type]
        ],
        ids=["text as material", "bare password", "bytes as password", "text as authorities"],
    )
    def test_parts_of_another_type(self, credentials: Credentials, part: str) -> None:
        """The part is named; it is not met later, by an error that would show it."""
        with pytest.raises(IdentityError, match=part) as caught:
            GuardedSource(_Careless(credentials)).read()
        traced = traceback.TracebackException.from_exception(caught.value)
        assert (None, False) == (caught.value.__context__, MARK in "".join(traced.format()))

    def test_what_is_right(self) -> None:
        """The twin: what is as it should be is passed on."""
        credentials, moment = Credentials(b"x"), datetime(2030, 1, 1, tzinfo=timezone.utc)
        assert credentials is GuardedSource(_Careless(credentials)).read()
        assert moment == GuardedSource(_Careless(moment)).due()


class TestNotFound:
    def test_a_kind_that_is_not_there(self) -> None:
        """The fault says what there is, and what may have been meant."""
        assert "Write `folder`, if that is meant" == fault_of(described("foldr")).remedy
        assert "`command`, " in fault_of(described("zzz")).remedy

    def test_no_kind(self) -> None:
        """Without a kind nothing is guessed."""
        fault = fault_of({"identity": {"source": {"folder": "/x"}}})
        assert "has no `kind`" in fault.problem

    def test_a_package_that_is_missing(self) -> None:
        """An import that fails names what is missing."""
        fault = fault_of(described("missing"))
        assert "needs no_such_module_at_all" in fault.problem

    @pytest.mark.parametrize("kind", ["raises", "nothing"])
    def test_code_that_raises(self, kind: str) -> None:
        """What the code of somebody else says is not shown: it may have a secret in it."""
        fault = fault_of(described(kind))
        assert ("Error" in fault.problem, MARK in str(fault)) == (True, False)


class TestTrustAnchors:
    def _context(self, *authorities: Authority) -> ssl.SSLContext:
        return plain_context(authorities[0])

    def test_they_verify_the_server(
        self,
        folder: Path,
        authority: Authority,
        client_authority: Authority,
        handshake: Callable[[ssl.SSLContext], int],
    ) -> None:
        """CAs that the source gives verify its hosts, whatever the program trusts."""
        (folder / "anchors.pem").write_bytes(authority.pem)
        activate(settings=described("folder", folder=str(folder), anchors=f"{folder}/anchors.pem"))
        assert 200 == handshake(self._context(client_authority))

    def test_and_no_others_do(
        self,
        folder: Path,
        authority: Authority,
        client_authority: Authority,
        handshake: Callable[[ssl.SSLContext], int],
    ) -> None:
        """The twin: a server of another CA is refused, although the program trusts that."""
        (folder / "anchors.pem").write_bytes(client_authority.pem)
        activate(settings=described("folder", folder=str(folder), anchors=f"{folder}/anchors.pem"))
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(self._context(authority))

    def test_what_is_no_certificate(self, folder: Path) -> None:
        """Anchors that cannot be read are a fault; nothing is verified by less."""
        (folder / "anchors.pem").write_bytes(b"nothing")
        with pytest.raises(SettingsError, match="certificate"):
            activate(
                settings=described("folder", folder=str(folder), anchors=f"{folder}/anchors.pem")
            )
        assert not is_active()
