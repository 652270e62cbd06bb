"""``mxcert_runtime.material``: nothing of it stays behind its block, in no process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import mxcert_runtime
from mxcert_runtime.base import LentFolder
from mxcert_runtime.connections import TlsMaterial, tls_material
from mxcert_runtime.errors import MaterialClosedError, MaterialError
from tests.connections.material.reading import _READ, HOST, Activate, needs_memory, touch
from tests.support.client_files import ClientFiles
from tests.support.listener import TIMEOUT
from tests.support.pki import Leaf
from tests.support.subprocesses import run_client


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
            touch(material)
        gc.collect()
        before = set(os.listdir("/proc/self/fd"))
        for _ in range(100):
            with self._use() as material:
                touch(material)
        assert set(os.listdir("/proc/self/fd")) <= before
        assert [] == list(temporary.iterdir())

    def test_after_an_error(self, temporary: Path) -> None:
        """What the block raises comes through, and the files are gone."""
        materials = []

        def fail() -> None:
            with self._use() as material:
                touch(material)
                materials.append(material)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        self._assert_closed(*materials, temporary)

    def test_in_a_generator(self, temporary: Path) -> None:
        """One that is dropped in the middle gives back what it had."""

        def generate() -> Iterator[TlsMaterial]:
            with self._use() as material:
                touch(material)
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


_FORKING = """
import contextlib, os, sys
import mxcert_runtime

def lent():
    # libffi, which comes with ctypes, opens its own file.
    found = []
    for each in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append("memfd" in os.readlink("/proc/self/fd/" + each))
    return sum(found)

with mxcert_runtime.material(host="db.test") as material:
    path = material.key_path
    before = lent()
    child = os.fork()
    if not child:
        told = "used"
        try:
            material.key_path
        except Exception as error:
            told = str(error)
        with mxcert_runtime.material(host="db.test") as own:
            assert b"PRIVATE" in open(own.key_path, "rb").read()
        print(told, before, lent(), flush=True)
        if sys.argv[1] == "leaves at once":
            os._exit(0)
    else:
        assert os.waitpid(child, 0)[1] == 0
        print(b"PRIVATE" in open(path, "rb").read())
print(os.path.lexists(path))
"""


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
    assert told.endswith(" 1 0")
    # The file is there as long as the parent's block lasts, whatever a child does.
    ended = [] if child == "leaves at once" else ["True"]
    assert [*ended, "True", "False"] == rest
