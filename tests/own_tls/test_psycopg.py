"""psycopg across renewals, and with asyncio: what PostgreSQL sees of each connection."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.postgresql import DEMANDING, QUESTION, PostgresqlServer, subject_as_shown

from .clients import CLIENTS

psycopg = pytest.importorskip("psycopg", exc_type=ImportError)
HOST = "localhost"


@pytest.fixture
def server(postgresql_server: ServerFactory[PostgresqlServer]) -> PostgresqlServer:
    """It asks everybody for a certificate."""
    return postgresql_server()


@pytest.fixture
def identity_file(client_files: ClientFiles, authority: Authority, alpha: Leaf) -> Path:
    """The file of the identity in force, which is ``alpha``."""
    entry = client_files.identity("app", alpha, hosts=[HOST], authorities=[authority])
    mxcert_runtime.activate(settings={"identity": [entry]})
    return Path(entry["pkcs12"])


def _subject(connection: Any) -> str:
    subject: str = connection.execute(QUESTION).fetchone()[0]
    return subject


def test_renewed(
    server: PostgresqlServer,
    client_files: ClientFiles,
    identity_file: Path,
    beta: Leaf,
    alpha: Leaf,
) -> None:
    """A connection that is open goes on, and the next one presents the renewed certificate."""
    connect = CLIENTS[0].load()
    with connect(HOST, server.port, DEMANDING) as old:
        shutil.copy(client_files.pkcs12(beta), identity_file)
        mxcert_runtime.reload()
        with connect(HOST, server.port, DEMANDING) as new:
            seen = [_subject(old), _subject(new)]
    assert [subject_as_shown(each.subject) for each in (alpha, beta)] == seen


@pytest.mark.usefixtures("identity_file")
def test_asyncio(server: PostgresqlServer, alpha: Leaf) -> None:
    """Connections that are opened at once, each with an await within its block."""

    async def ask() -> str:
        with mxcert_runtime.material(host=HOST, port=server.port) as material:
            connection = await psycopg.AsyncConnection.connect(
                host=HOST,
                port=server.port,
                user=DEMANDING,
                dbname="postgres",
                sslmode="verify-full",
                sslrootcert=material.ca_path,
                sslcert=material.certificate_path,
                sslkey=material.key_path,
                sslpassword=material.key_path_password.reveal(),
            )
        async with connection:
            return str((await (await connection.execute(QUESTION)).fetchone())[0])

    async def ask_all() -> list[str]:
        return await asyncio.gather(*(ask() for _ in range(3)))

    assert [subject_as_shown(alpha.subject)] * 3 == asyncio.run(ask_all())


@pytest.mark.usefixtures("identity_file")
def test_after_the_block(server: PostgresqlServer) -> None:
    """Paths that are used later lead nowhere, also while another block has files of its own."""
    with mxcert_runtime.material(host=HOST) as ended:
        kept = {"sslcert": ended.certificate_path, "sslkey": ended.key_path}
        kept["sslrootcert"] = ended.ca_path
    where = {"host": HOST, "port": server.port, "user": "anyone", "dbname": "postgres"}
    with mxcert_runtime.material(host=HOST) as other:
        assert Path(other.key_path).exists()
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(**where, sslmode="verify-full", **kept)
