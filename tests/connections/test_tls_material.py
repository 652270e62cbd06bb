"""``mxcert_runtime.material``: who gets what, what servers then see, and that nothing stays."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
import os
import pickle
import ssl
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.base import LentFolder
from mxcert_runtime.connections import TlsMaterial, tls_material
from mxcert_runtime.errors import MaterialClosedError, MaterialError, NoIdentityError
from mxcert_runtime.identity import exportable
from tests.house.test_secrets_hidden import seen_in
from tests.identity import pfx
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf, now
from tests.support.plain_client import fetch
from tests.support.server_tls import Demand
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

HOST = "db.test"
needs_memory = pytest.mark.skipif(
    sys.platform != "linux", reason="files in memory are those of Linux"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


#: puts settings in force: an entry for each leaf, by its common name
Activate = Callable[..., None]


@pytest.fixture
def activate(client_files: ClientFiles, authority: Authority) -> Activate:
    """Entries whose hosts are given by name; each pins the servers' CA."""

    def activate(
        entries: Sequence[tuple[str, Leaf, Sequence[str]]],
        *,
        authorities: Sequence[Authority] = (authority,),
        **more: Any,
    ) -> None:
        listed = [
            client_files.identity(name, leaf, hosts=hosts, authorities=authorities)
            for name, leaf, hosts in entries
        ]
        mxcert_runtime.activate(settings={"identity": listed, **more})

    return activate


@pytest.fixture
def without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without files in memory."""
    monkeypatch.delattr(os, "memfd_create", raising=False)


def own_tls(material: TlsMaterial) -> ssl.SSLContext:
    """A client as C libraries are: it takes paths, and a password where there is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    password = material.key_path_password.reveal()
    context.load_cert_chain(material.certificate_path, material.key_path, password or None)
    context.load_verify_locations(material.ca_path)
    return context


class TestHandedOver:
    def test_by_paths(
        self,
        activate: Activate,
        tls_server: ServerFactory[TlsServer],
        loopback_names: LoopbackNames,
        gamma: Leaf,
        beta: Leaf,
    ) -> None:
        """The server sees the identity that the rule gives this host, with its chain."""
        server = tls_server(hosts=[HOST], demand=Demand.DEMAND)
        activate([("other", beta, ["other.test"]), ("gamma", gamma, [f"{HOST}:{server.port}"])])
        with mxcert_runtime.material(host=HOST, port=server.port) as material:
            fetch(server.url(HOST), own_tls(material))
            assert "gamma" == material.identity.name
        seen = server.seen.wait_for(1)
        assert [gamma.fingerprint] == [each.fingerprint for each in seen]
        assert [seen[0].chain_length] in ([2], [None])

    @pytest.mark.usefixtures("without_memory")
    def test_by_an_encrypted_file(
        self,
        activate: Activate,
        tls_server: ServerFactory[TlsServer],
        temporary: Path,
        alpha: Leaf,
    ) -> None:
        """Without files in memory the key is encrypted on the disk, and serves all the same."""
        server = tls_server(demand=Demand.DEMAND)
        activate([("alpha", alpha, ["localhost"])])
        with mxcert_runtime.material(host="localhost", port=server.port) as material:
            assert b"ENCRYPTED PRIVATE KEY" in Path(material.key_path).read_bytes()
            assert not Path(material.key_path).is_symlink()
            fetch(server.url(), own_tls(material))
        assert [alpha.fingerprint] == [each.fingerprint for each in server.seen.wait_for(1)]
        assert [] == list(temporary.iterdir())

    @pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
    def test_in_memory(
        self, activate: Activate, client_authority: Authority, temporary: Path, kind: str
    ) -> None:
        """PEM in three forms: chain, key under the password of the block, key in clear."""
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        leaf = client_authority.intermediate().issue("in memory", key=kind)
        activate([("x", leaf, [HOST])])
        with mxcert_runtime.material(host=HOST) as material:
            assert leaf.pem() == material.certificate_pem
            password = material.password.reveal().encode()
            keys = [
                load_pem_private_key(material.encrypted_key_pem, password),
                load_pem_private_key(material.clear_key_pem().reveal(), None),
            ]
            assert [] == list(temporary.iterdir())
        assert [leaf.key.public_key()] * 2 == [each.public_key() for each in keys]

    def test_a_password_of_one_use(self, activate: Activate, alpha: Leaf) -> None:
        """Another block has another password."""
        activate([("alpha", alpha, [HOST])])
        passwords = set()
        for _ in range(2):
            with mxcert_runtime.material(host=HOST) as material:
                passwords.add(material.password.reveal())
        assert 2 == len(passwords)

    def test_a_bad_server(
        self, activate: Activate, tls_server: ServerFactory[TlsServer], alpha: Leaf
    ) -> None:
        """The CAs that go with it refuse a server of another CA, which then sees nothing."""
        server = tls_server(demand=Demand.DEMAND)
        activate([("alpha", alpha, ["localhost"])], authorities=[Authority("another")])
        with mxcert_runtime.material(host="localhost", port=server.port) as material:
            context = own_tls(material)
            with pytest.raises(ssl.SSLCertVerificationError):
                fetch(server.url(), context)
        server.failures.wait_for(1)
        assert [] == server.seen


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


class TestGivenBack:
    @pytest.fixture(autouse=True)
    def _activated(self, activate: Activate, alpha: Leaf) -> None:
        activate([("alpha", alpha, [HOST])])

    def _use(self) -> contextlib.AbstractContextManager[TlsMaterial]:
        return mxcert_runtime.material(host=HOST)

    @needs_memory
    @pytest.mark.parametrize("memory", [True, False])
    def test_no_descriptor_stays(
        self, temporary: Path, monkeypatch: pytest.MonkeyPatch, memory: bool
    ) -> None:
        """After a hundred uses there is none more, and no file."""
        if not memory:
            monkeypatch.delattr(os, "memfd_create")
        with self._use() as material:
            _touch(material)
        gc.collect()
        before = set(os.listdir("/proc/self/fd"))
        for _ in range(100):
            with self._use() as material:
                _touch(material)
        assert set(os.listdir("/proc/self/fd")) <= before
        assert [] == list(temporary.iterdir())

    def test_after_an_error(self, temporary: Path) -> None:
        """What the block raises comes through, and the files are gone."""
        materials = []

        def fail() -> None:
            with self._use() as material:
                _touch(material)
                materials.append(material)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        self._assert_closed(*materials, temporary)

    def test_in_a_generator(self, temporary: Path) -> None:
        """One that is dropped in the middle gives back what it had."""

        def generate() -> Iterator[TlsMaterial]:
            with self._use() as material:
                _touch(material)
                yield material

        running = generate()
        material = next(running)
        assert [] != list(temporary.iterdir())
        del running
        gc.collect()
        self._assert_closed(material, temporary)

    def _assert_closed(self, material: TlsMaterial, temporary: Path) -> None:
        assert [] == list(temporary.iterdir())
        for name in _READ:
            with pytest.raises(MaterialClosedError, match="after its `with` block"):
                getattr(material, name)
        with pytest.raises(MaterialClosedError, match="Connect within"):
            material.clear_key_pem()

    def test_nested(self, alpha: Leaf) -> None:
        """Each block has its own; the end of the inner one leaves the outer one alone."""
        with self._use() as outer:
            with self._use() as inner:
                paths = {outer.key_path, inner.key_path}
            assert alpha.key_pem() == Path(outer.key_path).read_bytes()
        assert 2 == len(paths)

    def test_across_an_await(self, alpha: Leaf) -> None:
        """Tasks that take turns within their blocks have each their own."""

        async def use() -> str:
            with self._use() as material:
                path = material.key_path
                await asyncio.sleep(0)
                assert alpha.key_pem() == Path(path).read_bytes()
                return path

        async def use_all() -> list[str]:
            return await asyncio.gather(*(use() for _ in range(10)))

        assert 10 == len(set(asyncio.run(use_all())))

    def test_threads_with_one(self, temporary: Path, alpha: Leaf) -> None:
        """Threads that share a block have the same files, each made once."""
        barrier = threading.Barrier(4)

        def read(material: TlsMaterial) -> str:
            barrier.wait(TIMEOUT)
            return material.key_path

        with ThreadPoolExecutor(4) as pool, self._use() as material:
            paths = set(pool.map(read, [material] * 4))
            assert alpha.key_pem() == Path(*paths).read_bytes()
        assert [] == list(temporary.iterdir())

    def test_where_nothing_can_be_written(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Paths are refused with the remedy; what is in memory is there all the same."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        with self._use() as material:
            with pytest.raises(MaterialError, match="set TMPDIR"):
                material.key_path  # noqa: B018
            assert b"ENCRYPTED" in material.encrypted_key_pem


_READ = (
    "ca_path", "ca_pem", "certificate_path", "certificate_pem", "encrypted_key_pem", "identity",
    "key_path", "key_path_password", "password",
)  # fmt: skip


def _touch(material: TlsMaterial) -> None:
    for name in _READ:
        getattr(material, name)


class TestSecret:
    @pytest.fixture(autouse=True)
    def _activated(self, activate: Activate, alpha: Leaf) -> None:
        activate([("alpha", alpha, [HOST])])

    def test_not_shown(self, alpha: Leaf) -> None:
        """Neither key nor password is in a repr, a format, or the attributes."""
        with mxcert_runtime.material(host=HOST) as material:
            _touch(material)
            clear, password = material.clear_key_pem(), material.password
            texts = f"{material!r} {material} {vars(material)!r} {clear!r} {password!r}"
            assert password.reveal() not in texts
            assert [] == seen_in(texts, alpha)
        assert "(closed)" in repr(material)

    @pytest.mark.parametrize("send", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_not_sent(self, send: Callable[[Any], Any]) -> None:
        """It stays in the process, and so do its key and password."""
        with mxcert_runtime.material(host=HOST) as material:
            for each in (material, material.clear_key_pem(), material.password):
                with pytest.raises(TypeError):
                    send(each)

    def test_not_in_a_traceback(
        self, alpha: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The frames of an error within, and of one of the writing, have none of it."""
        texts = []
        with mxcert_runtime.material(host=HOST) as material:
            password = material.password.reveal()
            _touch(material)
            texts.append(_told_by(lambda: 1 // 0))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        with mxcert_runtime.material(host=HOST) as material:
            texts.append(_told_by(lambda: material.key_path))
        assert ["ZeroDivisionError", "MaterialError"] == [
            text.strip().rpartition("\n")[2].partition(":")[0].rpartition(".")[2] for text in texts
        ]
        del password
        assert [] == seen_in("".join(texts), alpha)


def _told_by(fail: Callable[[], object]) -> str:
    """All that a traceback can show, with the variables of its frames."""
    try:
        fail()
    except Exception as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format())
    raise AssertionError("it does not fail")


_FORKING = """
import os, sys
import mxcert_runtime
with mxcert_runtime.material(host="db.test") as material:
    path = material.key_path
    before = os.listdir("/proc/self/fd")
    child = os.fork()
    if not child:
        told = "used"
        try:
            material.key_path
        except Exception as error:
            told = str(error)
        with mxcert_runtime.material(host="db.test") as own:
            assert b"PRIVATE" in open(own.key_path, "rb").read()
        print(told, len(before) - len(os.listdir("/proc/self/fd")), flush=True)
        if sys.argv[1] == "leaves at once":
            os._exit(0)
    else:
        assert os.waitpid(child, 0)[1] == 0
        print(b"PRIVATE" in open(path, "rb").read())
print(os.path.lexists(path))
"""


def test_what_is_kept_of_it_has_no_key(activate: Activate, alpha: Leaf) -> None:
    """A program may keep the object: the key goes with the block and the settings."""
    activate([("alpha", alpha, [HOST])])
    with mxcert_runtime.material(host=HOST) as material:
        key = weakref.ref(exportable(material._open().identity))
        assert key() is not None
    mxcert_runtime.deactivate()
    gc.collect()
    assert "<TlsMaterial (closed)>" == repr(material)
    assert None is key()


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


@pytest.mark.parametrize("what", ["key_path", "certificate_path"])
def test_ended_while_a_file_is_made(
    activate: Activate,
    alpha: Leaf,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    """Where another thread leaves the block meanwhile, nothing is lent and nothing stays."""
    activate([("alpha", alpha, [HOST])])
    block = mxcert_runtime.material(host=HOST)
    lent = block.__enter__()

    def leave_first() -> LentFolder:
        block.__exit__(None, None, None)
        return LentFolder()

    monkeypatch.setattr(tls_material, "LentFolder", leave_first)
    with pytest.raises(MaterialClosedError):
        getattr(lent, what)
    assert [] == list(temporary.iterdir())


@needs_memory
@pytest.mark.parametrize("child", ["leaves at once", "ends the block"])
def test_forked_within(client_files: ClientFiles, alpha: Leaf, child: str) -> None:
    """A child has its own or none, with no descriptor left; its end takes nothing away."""
    variables = client_files.variables(usages={HOST: alpha})
    done = run_client(_FORKING, child, environment=variables)
    assert 0 == done.returncode, done.stderr
    told, *rest = done.stdout.splitlines()
    assert told.startswith("the material is used in a process that was forked")
    assert told.endswith(" 1")
    # The file is there as long as the parent's block lasts, whatever a child does.
    ended = [] if child == "leaves at once" else ["True"]
    assert [*ended, "True", "False"] == rest


class TestAuthorities:
    def test_pinned_alone(self, activate: Activate, authority: Authority, alpha: Leaf) -> None:
        """The pinned CAs of the rule, and not default trust beside them."""
        activate([("alpha", alpha, [HOST])])
        with mxcert_runtime.material(host=HOST) as material:
            assert authority.pem == material.ca_pem
            assert authority.pem == Path(material.ca_path).read_bytes()

    def test_default_trust(
        self,
        activate: Activate,
        client_files: ClientFiles,
        alpha: Leaf,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Without pinned ones: OpenSSL's file and directories, each CA once, and the extra ones."""
        in_file, in_directory, extra = (Authority(each) for each in ("file", "directory", "extra"))
        bundle, folder = tmp_path / "bundle.pem", tmp_path / "hashed"
        bundle.write_bytes(b"# a comment\n" + in_file.pem + in_file.pem)
        folder.mkdir()
        (folder / "12345678.0").write_bytes(in_directory.pem)
        (folder / "12345678.1").write_bytes(in_file.pem)
        (folder / "not-hashed.pem").write_bytes(Authority("unseen").pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))
        activate(
            [("alpha", alpha, [HOST])],
            authorities=[],
            ca=[str(client_files.authority(extra))],
        )
        with mxcert_runtime.material(host=HOST) as material:
            assert in_file.pem + in_directory.pem + extra.pem == material.ca_pem
        bundle.write_bytes(in_directory.pem)
        (folder / "12345678.1").unlink()
        with mxcert_runtime.material(host=HOST) as material:
            assert in_directory.pem + extra.pem == material.ca_pem

    @pytest.mark.skipif(sys.platform == "win32", reason="the system's own store is asked there")
    def test_none(
        self, activate: Activate, alpha: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where there are none, nothing verifies a server, and that is an error."""
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.setenv(name, str(tmp_path / "missing"))
        activate([("alpha", alpha, [HOST])], authorities=[])
        with mxcert_runtime.material(host=HOST) as material:
            for name in ("ca_pem", "ca_path"):
                with pytest.raises(MaterialError, match="no CAs to verify"):
                    getattr(material, name)
