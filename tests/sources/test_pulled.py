"""What a pulled source holds, when it is due again, and that nothing broken takes its place."""

from __future__ import annotations

import gc
import os
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from mxcert_runtime import activate, reload
from mxcert_runtime.base import Origin
from mxcert_runtime.decisions import build_generation, build_renewal, in_force
from mxcert_runtime.errors import IdentityError, SettingsError
from mxcert_runtime.identity import load_all
from mxcert_runtime.identity.command import CommandSource
from mxcert_runtime.identity.source import Credentials, Source
from mxcert_runtime.identity.sources import IdentitySettings, SourceMaterial, sources_of
from mxcert_runtime.settings import Reading, RuleKind, RuleSettings, Settings
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.sources import IdentityProblem, PulledSource
from tests.sources.commands import Printer, settings
from tests.sources.conftest import Ask
from tests.support.pki import Authority, Leaf, now


class Scripted(PulledSource):
    """Gives what it is told to, at moments that the test sets."""

    def __init__(self, *given: bytes | None) -> None:
        super().__init__()
        self.moment = now()
        self.given = iter(given)

    def now(self) -> datetime:
        """The moment of the test."""
        return self.moment

    def fetch(self) -> Credentials:
        """The next of what is given, ``None`` being a failure."""
        content = next(self.given)
        if content is None:
            raise IdentityError(IdentityProblem.UNREADABLE, "it is closed", "Wait")
        return Credentials(content)

    def shown(self) -> str:
        """Its name."""
        return "a script"

    def wait(self) -> timedelta:
        """How long until it is due."""
        due = self.due()
        assert due is not None
        return due - self.moment


def _content(leaf: Leaf) -> bytes:
    return leaf.key_pem() + leaf.pem()


def _source() -> Source:
    assert in_force.current is not None
    (source,) = sources_of(in_force.current.settings.identities)
    return source


class TestDue:
    @pytest.mark.parametrize(
        "life", [timedelta(seconds=10), timedelta(hours=1), timedelta(days=90)]
    )
    def test_two_thirds_of_what_is_left(self, client_authority: Authority, life: timedelta) -> None:
        """It is asked again when about two thirds of what was left of the certificate are over."""
        moment = now()
        leaf = client_authority.issue("short", not_before=moment, not_after=moment + life)
        source = Scripted(_content(leaf))
        assert source.due() is None
        source.moment = moment
        source.read()
        assert 0.6 * life <= source.wait() <= 0.7 * life

    def test_not_all_at_once(self, alpha: Leaf) -> None:
        """Twenty processes that began at one moment ask at as many."""
        sources = [Scripted(_content(alpha)) for _ in range(20)]
        for each in sources:
            each.moment = sources[0].moment
            each.read()
        assert 20 == len({each.wait() for each in sources})

    def test_an_expired_certificate(self, client_authority: Authority) -> None:
        """What has expired already is asked for again at once, but not without end."""
        moment = now()
        leaf = client_authority.issue(
            "old", not_before=moment - timedelta(days=2), not_after=moment - timedelta(days=1)
        )
        source = Scripted(_content(leaf))
        source.read()
        assert timedelta(seconds=1) == source.wait()

    def test_failures_space_out(self, alpha: Leaf) -> None:
        """Each failure doubles the wait, up to five minutes; a success ends that."""
        source = Scripted(_content(alpha), *[None] * 9, _content(alpha), None)
        source.read()
        waits = [self._wait_after_failure(source) for _ in range(9)]
        assert [5, 10, 20, 40, 80, 160, 300, 300, 300] == waits
        source.refresh()
        assert source.wait() > timedelta(minutes=6)
        assert 5 == self._wait_after_failure(source)

    def _wait_after_failure(self, source: Scripted) -> int:
        with pytest.raises(IdentityError):
            source.refresh()
        return int(source.wait().total_seconds())


class TestHeld:
    @pytest.mark.parametrize("broken", [None, b"", b"no credentials"])
    def test_what_is_broken_replaces_nothing(self, alpha: Leaf, broken: bytes | None) -> None:
        """A failure, no output and output that cannot be opened all leave what is held."""
        source = Scripted(_content(alpha), broken)
        held = source.read()
        with pytest.raises(IdentityError):
            source.refresh()
        assert source.read() is held

    def test_a_key_that_does_not_fit(self, alpha: Leaf, beta: Leaf) -> None:
        """Neither does a certificate with another's key."""
        source = Scripted(_content(alpha), beta.key_pem() + alpha.pem())
        held = source.read()
        with pytest.raises(IdentityError):
            source.refresh()
        assert source.read() is held

    def test_what_is_sound_replaces_it(self, alpha: Leaf, beta: Leaf) -> None:
        """The twin: something new that can be used is held from then on."""
        source = Scripted(_content(alpha), _content(beta))
        source.read()
        source.refresh()
        assert _content(beta) == source.read().sealed.reveal()

    def test_nothing_held(self) -> None:
        """Where nothing could be fetched yet, each read tries again."""
        source = Scripted(None, None)
        for _ in range(2):
            with pytest.raises(IdentityError, match="it is closed"):
                source.read()

    def test_many_threads(self, printer: Printer, alpha: Leaf) -> None:
        """Eight threads that read first are one run of the command."""
        printer.print_leaf(alpha)
        source = CommandSource(printer.command, dict(os.environ), 60.0)
        start = threading.Barrier(8)

        def read() -> None:
            start.wait(30)
            source.read()

        threads = [threading.Thread(target=read) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        assert 1 == printer.runs

    def test_a_forked_child(self, printer: Printer, alpha: Leaf) -> None:
        """It has what its parent holds, and can fetch by itself."""
        printer.print_leaf(alpha)
        source = CommandSource(printer.command, dict(os.environ), 60.0)
        source.read()
        child = os.fork()
        if not child:
            status = 1
            try:
                source.read()
                source.refresh()
                status = 0
            finally:
                os._exit(status)
        assert (0, 2) == (os.waitpid(child, 0)[1], printer.runs)


class TestSettings:
    def test_one_source_for_all_readings(self, printer: Printer, alpha: Leaf) -> None:
        """Two readings that say the same have one source, which is run once."""
        printer.print_leaf(alpha)
        first, second = (self._read(printer) for _ in range(2))
        first.read()
        second.read()
        assert (first, 1) == (second, printer.runs)

    @pytest.mark.parametrize("more", [{"timeout": 5}, {"pass_environment": "X"}])
    def test_another_source_for_other_options(self, printer: Printer, more: dict[str, Any]) -> None:
        """The twin: what says something else has a source of its own."""
        assert self._read(printer) is not self._read(printer, **more)

    def test_a_source_goes_with_its_settings(self, printer: Printer, alpha: Leaf) -> None:
        """Nothing is held for settings that nobody has any more."""
        printer.print_leaf(alpha)
        self._read(printer).read()
        gc.collect()
        self._read(printer).read()
        assert 2 == printer.runs

    def _read(self, printer: Printer, **options: Any) -> Source:
        reading = settings_from(settings(printer.command, **options), environ={})
        (source,) = sources_of(reading.settings.identities)
        return source


class TestReload:
    def test_a_reload_runs_nothing_again(self, printer: Printer, ask: Ask, alpha: Leaf) -> None:
        """Settings that are read again go by what is held."""
        printer.print_leaf(alpha)
        activate(settings=settings(printer.command, "localhost"))
        printer.content.unlink()
        source = _source()
        held = source.read()
        activate(settings=settings(printer.command, "localhost"))
        assert (held, alpha.fingerprint, 1) == (_source().read(), ask(), printer.runs)

    def test_what_was_fetched_anew(
        self, printer: Printer, ask: Ask, alpha: Leaf, beta: Leaf
    ) -> None:
        """A reload asks anew, and presents what the command prints now."""
        printer.print_leaf(alpha)
        activate(settings=settings(printer.command, "localhost"))
        assert alpha.fingerprint == ask()
        printer.print_leaf(beta)
        reload()
        assert (beta.fingerprint, 2) == (ask(), printer.runs)

    def test_a_refresh_that_fails(self, printer: Printer, ask: Ask, alpha: Leaf) -> None:
        """The twin: with a command that fails by now the last good identity stays."""
        printer.print_leaf(alpha)
        activate(settings=settings(printer.command, "localhost"))
        printer.content.write_bytes(b"broken")
        with pytest.raises(SettingsError, match="is damaged"):
            reload()
        assert alpha.fingerprint == ask()


def test_identity_and_authorities_are_of_one_update(client_authority: Authority) -> None:
    """A source that has renewed between two questions never has its CAs mixed with an old key."""
    leaves = [client_authority.issue(f"leaf {number}", server=False) for number in range(2)]
    roots = [Authority(f"root {number}") for number in range(2)]
    source = Renewing([Credentials(_content(x), None, y.pem) for x, y in zip(leaves, roots)])
    entry = IdentitySettings("own", SourceMaterial(source), None, Origin("test"))
    for leaf, root in zip(leaves, roots):
        ((_, load),) = load_all([entry])
        (identity,), (pinned,) = load()
        assert leaf.fingerprint == identity.fingerprint
        assert root.pem == pinned.pem.encode()


class Renewing(Scripted):
    """Has another update whenever it is asked."""

    def __init__(self, updates: list[Credentials]) -> None:
        super().__init__()
        self.updates = iter(updates)

    def read(self) -> Credentials:
        """The next one."""
        for each in self.updates:
            return each
        raise IdentityError(IdentityProblem.UNREADABLE, "there is nothing more", "Wait")


def test_the_last_good_authorities_count_for_a_new_rule(client_authority: Authority) -> None:
    """A source that gives nothing when its first rule comes: its CAs verify, not default trust."""
    root, leaf = Authority("root"), client_authority.issue("own", server=False)
    source = Renewing([Credentials(_content(leaf), None, root.pem)])
    entry = IdentitySettings("own", SourceMaterial(source), None, Origin("test"))
    before = build_generation(Reading(Settings((entry,), ())))
    rule = RuleSettings("own.test", RuleKind.HOST, "own", Origin("test"))
    after, (fault,) = build_renewal(Reading(Settings((entry,), (rule,))), before)
    assert "nothing more" in str(fault)
    decision = after.policy.select("own.test")
    assert decision.identity is before.identities[0]
    assert decision.authorities is not None
    assert root.pem == decision.authorities.pem.encode()
