"""PostgreSQL, MariaDB and slapd tell the truth about clients, asked by their own commands."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.daemon import program
from tests.support.environment import cleaned
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.mariadb import ANYONE, MariadbServer
from tests.support.pki import Authority, Leaf
from tests.support.postgresql import (
    ANYONE as ANYBODY,
    DEMANDING,
    QUESTION,
    PostgresqlServer,
    subject_as_shown,
)
from tests.support.server_tls import Demand
from tests.support.slapd import SlapdServer, subject_as_shown as subject_in_directory


def _run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        check=False,
        text=True,
        timeout=TIMEOUT,
        env={**cleaned(os.environ), **variables},
    )


@pytest.fixture
def folder(tmp_path: Path, authority: Authority, alpha: Leaf, beta: Leaf) -> Path:
    """Files for clients: the server's CA, and two certificates with their keys."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    for name, leaf in (("alpha", alpha), ("beta", beta)):
        leaf.write_pem(tmp_path, name)[1].chmod(0o600)
    return tmp_path


class TestPostgresql:
    def _ask(
        self, server: PostgresqlServer, folder: Path, name: str | None, user: str
    ) -> subprocess.CompletedProcess[str]:
        words = f"host=localhost port={server.port} user={user} dbname=postgres"
        words += f" sslmode=verify-full sslrootcert={folder}/ca.pem"
        files = f"{folder}/{name or 'none'}"
        words += f" sslcert={files}.crt sslkey={files}.key"
        return _run([program("psql"), "-X", "-A", "-t", "-c", QUESTION, words])

    @pytest.mark.parametrize("name", ["alpha", "beta", None])
    def test_says_what_it_sees(
        self,
        postgresql_server: ServerFactory[PostgresqlServer],
        folder: Path,
        alpha: Leaf,
        beta: Leaf,
        name: str | None,
    ) -> None:
        """The subject and the serial number, or neither."""
        leaf = {"alpha": alpha, "beta": beta, None: None}[name]
        done = self._ask(postgresql_server(), folder, name, "anyone")
        shown = (
            f"{subject_as_shown(leaf.subject)}|{leaf.certificate.serial_number}" if leaf else "|"
        )
        assert shown == done.stdout.strip(), done.stderr

    @pytest.mark.parametrize(
        ("demand", "user", "name", "gets_in"),
        [
            (Demand.ACCEPT, DEMANDING, "alpha", True),
            (Demand.ACCEPT, DEMANDING, None, False),
            (Demand.DEMAND, ANYBODY, "alpha", True),
            (Demand.DEMAND, ANYBODY, None, False),
            (Demand.ASK_NOT, ANYBODY, None, True),
        ],
    )
    def test_who_gets_in(
        self,
        postgresql_server: ServerFactory[PostgresqlServer],
        folder: Path,
        demand: Demand,
        user: str,
        name: str | None,
        gets_in: bool,
    ) -> None:
        """A role or a server that demands a certificate refuses who has none."""
        done = self._ask(postgresql_server(demand=demand), folder, name, user)
        assert gets_in == (done.returncode == 0), done.stderr
        assert gets_in or "certificate" in done.stderr


class TestMariadb:
    def test_who_gets_in(
        self, mariadb_server: ServerFactory[MariadbServer], folder: Path, alpha: Leaf
    ) -> None:
        """The account of a leaf takes that leaf and nothing else; any other is for anybody."""
        server = mariadb_server()
        account = server.account_for(alpha)

        def enters(user: str, name: str | None) -> bool:
            command = [program("mariadb"), "--no-defaults", "--host=127.0.0.1", f"--user={user}"]
            command += [f"--port={server.port}", f"--ssl-ca={folder}/ca.pem", "-e", "select 1"]
            command += ["--ssl-verify-server-cert"]
            if name:
                command += [f"--ssl-cert={folder}/{name}.crt", f"--ssl-key={folder}/{name}.key"]
            done = _run(command)
            assert done.returncode == 0 or "Access denied" in done.stderr, done.stderr
            return done.returncode == 0

        asked = [(account, "alpha"), (account, "beta"), (account, None), (ANYONE, None)]
        assert [True, False, False, True] == [enters(*each) for each in asked]


class TestSlapd:
    @pytest.mark.parametrize("name", ["alpha", None])
    @pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
    def test_says_who_it_is(
        self,
        slapd_server: ServerFactory[SlapdServer],
        folder: Path,
        alpha: Leaf,
        scheme: str,
        name: str | None,
    ) -> None:
        """Whom a client is bound as by its certificate; without one it cannot be bound so."""
        server = slapd_server()
        port = server.port if scheme == "ldaps" else server.plain_port
        settings = {"LDAPTLS_CACERT": f"{folder}/ca.pem", "LDAPTLS_REQCERT": "demand"}
        if name:
            settings["LDAPTLS_CERT"] = f"{folder}/{name}.crt"
            settings["LDAPTLS_KEY"] = f"{folder}/{name}.key"
        # libldap takes the machine's own name for `localhost`.
        command = [program("ldapwhoami"), "-H", f"{scheme}://127.0.0.1:{port}", "-Q"]
        done = _run([*command, "-Y", "EXTERNAL", *(["-ZZ"] * (scheme == "ldap"))], **settings)
        assert (name is not None) == (done.returncode == 0), done.stderr
        if name:
            assert subject_in_directory(alpha.subject) == done.stdout.strip()
