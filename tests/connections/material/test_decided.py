"""``mxcert_runtime.material``: who gets what, by the rules."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.errors import NoIdentityError
from tests.connections.material.reading import HOST, Activate
from tests.identity import pfx
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, now


class TestDecided:
    @pytest.mark.parametrize(
        ("host", "port", "words"),
        [
            ("unlisted.test", 5432, r"unlisted\.test:5432 has no rule"),
            (HOST, 5433, r"db\.test:5433 has no rule"),
            (HOST, None, "Say which it connects to"),
            ("none.test", None, "gets no identity"),
            ("*.db.test", None, "has no rule"),
            ("", None, "has no rule"),
        ],
    )
    def test_no_identity(
        self, activate: Activate, alpha: Leaf, host: str, port: int | None, words: str
    ) -> None:
        """Without a rule that gives one, nothing is handed over, whatever is offered by default."""
        activate(
            [("alpha", alpha, [f"{HOST}:5432"])],
            unlisted_hosts="offer",
            no_certificate={"hosts": ["none.test"]},
        )
        with pytest.raises(NoIdentityError, match=words):
            mxcert_runtime.material(host=host, port=port).__enter__()
        with mxcert_runtime.material(host=HOST, port=5432) as material:
            assert "alpha" == material.identity.name

    def test_by_service(
        self, activate: Activate, client_files: ClientFiles, alpha: Leaf, beta: Leaf
    ) -> None:
        """A service counts, by argument or by the scope of the code; another does not."""
        listed = [
            client_files.identity("alpha", alpha, hosts=[HOST]),
            client_files.identity("beta", beta, services=["Orders"]),
        ]
        mxcert_runtime.activate(settings={"identity": listed})
        names = []
        for service in (None, "Orders"):
            with mxcert_runtime.material(host=HOST, service=service) as material:
                names.append(material.identity.name)
        with mxcert_runtime.service("Orders"), mxcert_runtime.material(host=HOST) as material:
            names.append(material.identity.name)
        assert ["alpha", "beta", "beta"] == names

    def test_by_name(
        self, activate: Activate, authority: Authority, alpha: Leaf, beta: Leaf
    ) -> None:
        """A name gives that identity and the CAs of its entry; an unknown one gives none."""
        activate([("alpha", alpha, [HOST]), ("beta", beta, ["b.test"])])
        with mxcert_runtime.material("beta") as material:
            assert beta.pem() == material.certificate_pem
            assert authority.pem == material.ca_pem
        with pytest.raises(NoIdentityError, match="Did you mean 'beta'"):
            mxcert_runtime.material("betta").__enter__()

    def test_name_and_host(self, activate: Activate, alpha: Leaf, beta: Leaf) -> None:
        """A name beside a host chooses among what the rules give it, and nothing else."""
        activate([("alpha", alpha, [HOST]), ("beta", beta, ["b.test"])])
        with mxcert_runtime.material("alpha", host=HOST) as material:
            assert "alpha" == material.identity.name
        with pytest.raises(NoIdentityError, match=r"the rules give db\.test no identity 'beta'"):
            mxcert_runtime.material("beta", host=HOST).__enter__()

    def test_several_keys(
        self, client_files: ClientFiles, client_authority: Authority, alpha: Leaf, beta: Leaf
    ) -> None:
        """Nobody sees the request here: of several valid ones one is named, or it is refused."""
        old = client_authority.issue("old", not_after=now() - timedelta(hours=1), server=False)
        entries = [
            {**_files(client_files.folder, *leaves), "name": name, "hosts": [f"{name}.test"]}
            for name, leaves in (("two", (alpha, beta)), ("renewed", (old, alpha)))
        ]
        mxcert_runtime.activate(settings={"identity": entries})
        with pytest.raises(NoIdentityError, match=r"'two', 'two \(2\)'.*Name one of them"):
            mxcert_runtime.material(host="two.test").__enter__()
        found = []
        for name, host in (("two", "two"), ("two (2)", "two"), (None, "renewed")):
            with mxcert_runtime.material(name, host=f"{host}.test") as material:
                found.append(material.certificate_pem)
        assert [alpha.pem(), beta.pem(), alpha.pem()] == found

    @pytest.mark.parametrize("policy", ["refuse", "warn"])
    def test_expired(
        self,
        client_files: ClientFiles,
        client_authority: Authority,
        monkeypatch: pytest.MonkeyPatch,
        policy: str,
    ) -> None:
        """Outside its validity it is refused where the settings say so, with its date."""
        leaf = client_authority.issue("short", not_after=now() + timedelta(days=1))
        entry = client_files.identity("short", leaf, hosts=[HOST])
        mxcert_runtime.activate(settings={"identity": [entry], "expired_identities": policy})
        _let_pass(monkeypatch, timedelta(days=2))
        if policy == "warn":
            with mxcert_runtime.material(host=HOST) as material:
                assert leaf.pem() == material.certificate_pem
        else:
            with pytest.raises(NoIdentityError, match=r"expired on .*expired_identities"):
                mxcert_runtime.material(host=HOST).__enter__()

    def test_nothing_in_force(self) -> None:
        """Without settings there is an error that says so."""
        with pytest.raises(NoIdentityError, match="nothing is activated"):
            mxcert_runtime.material(host=HOST).__enter__()

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ((), {}),
            ((), {"port": 5432}),
            (("alpha",), {"port": 5432}),
            (("alpha",), {"service": "Orders"}),
            ((), {"host": HOST, "port": "5432"}),
            ((), {"host": b"db.test"}),
            ((), {"host": HOST, "service": 5}),
        ],
    )
    def test_wrong_use(
        self, activate: Activate, alpha: Leaf, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        """A port as text, which would equal that of no rule, is refused, and what is vague too."""
        activate([("alpha", alpha, [HOST])])
        with pytest.raises(TypeError, match=r"material\(\)"):
            mxcert_runtime.material(*arguments, **named).__enter__()

    def test_counted(self, activate: Activate, alpha: Leaf) -> None:
        """What was handed over counts as a connection that presents it; what was not, does not."""
        activate([("alpha", alpha, [HOST])])
        before = _presented("alpha")
        with mxcert_runtime.material(host=HOST):
            pass
        with contextlib.suppress(NoIdentityError):
            mxcert_runtime.material(host="unlisted.test").__enter__()
        assert before + 1 == _presented("alpha")

    def test_renewed(
        self, client_files: ClientFiles, client_authority: Authority, alpha: Leaf
    ) -> None:
        """A block keeps what it has; the next one gets what is in force then."""
        path = client_files.pkcs12(alpha)
        entry = {"name": "a", "pkcs12": str(path), "password": client_files.password}
        mxcert_runtime.activate(settings={"identity": [{**entry, "hosts": [HOST]}]})
        renewed = client_authority.issue("alpha", server=False)
        with mxcert_runtime.material(host=HOST) as first:
            path.write_bytes(renewed.pkcs12(client_files.password, rounds=1))
            mxcert_runtime.reload()
            with mxcert_runtime.material(host=HOST) as second:
                found = first.certificate_pem, second.certificate_pem
        assert (alpha.pem(), renewed.pem()) == found


def _files(folder: Path, *leaves: Leaf) -> dict[str, str]:
    """One PKCS12 file with several keys."""
    bags = [pfx.key_bag(pfx.pkcs8(leaf)) for leaf in leaves]
    bags += [pfx.certificate_bag(leaf.der()) for leaf in leaves]
    path = folder / f"{leaves[0].fingerprint[:8]}.p12"
    path.write_bytes(pfx.file_of(pfx.data(*bags)))
    return {"pkcs12": str(path)}


def _presented(name: str) -> int:
    connections = mxcert_runtime.metrics()["connections"]
    return sum(each["count"] for each in connections if each["identity"] == name)


def _let_pass(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    """What asks for the date is told a later one."""
    from mxcert_runtime.connections import identity_given

    class _Later(identity_given.datetime):  # type: ignore[misc]
        @classmethod
        def now(cls, zone: Any = None) -> Any:
            return super().now(zone) + time

    monkeypatch.setattr(identity_given, "datetime", _Later)


@pytest.mark.parametrize(
    "host", ["db.test:5432", "https://u:word@db.test", "db.test/x", "[::1]:5432"]
)
def test_host_with_more(activate: Activate, alpha: Leaf, host: str) -> None:
    """It could be no rule's, whatever the rules are, and the error says how to write it."""
    activate([("alpha", alpha, [HOST, "::1"])])
    with pytest.raises(NoIdentityError, match=r"more than the name.*host=\.\.\., port=") as error:
        mxcert_runtime.material(host=host).__enter__()
    assert "word" not in str(error.value)
    with mxcert_runtime.material(host="::1", port=5432) as material:
        assert "alpha" == material.identity.name
