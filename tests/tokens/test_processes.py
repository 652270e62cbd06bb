"""A key in a token in processes as they are: forks, threads, a token that is away or slow."""

from __future__ import annotations

import json
import os

import pytest

from tests.support.factories import ServerFactory
from tests.support.pki import Leaf
from tests.support.server_tls import Demand
from tests.support.softhsm import PIN, WatchedModule
from tests.support.tls_server import TlsServer

from .conftest import HOST, Deployment

#: `connect()` makes a new connection, and returns what the server has said
PROGRAM = """
import json, os, socket, ssl, sys, threading
import mxcert_runtime

ca_file, port = sys.argv[1], int(sys.argv[2])

def connect(host="alpha.test"):
    context = ssl.create_default_context(cafile=ca_file)
    with socket.create_connection(("127.0.0.1", port)) as bare:
        with context.wrap_socket(bare, server_hostname=host) as connection:
            connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return connection.recv(1000)[:15].decode()
"""


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer]) -> TlsServer:
    """It demands a certificate."""
    return tls_server(hosts=[HOST, "beta.test"], demand=Demand.DEMAND)


def _seen(server: TlsServer) -> list[str | None]:
    return [each.fingerprint for each in server.seen]


def test_one_login_and_a_signature_for_each_handshake(
    deployment: Deployment, watched: WatchedModule, server: TlsServer
) -> None:
    """The PIN is proven once and given to OpenSSL once, whatever comes; each handshake signs.

    Hashes, random numbers and key exchange stay OpenSSL's own: nothing else is in the log, but for
    one number by which the provider begins.
    """
    deployment.configure(deployment.entry("ec"))
    script = PROGRAM + "for _ in range(3): connect()\nmxcert_runtime.reload()\nconnect()"
    finished = deployment.run(script, str(server.port))
    assert (0, "") == (finished.returncode, finished.stderr)
    assert [deployment.leaves["ec"].fingerprint] * 4 == _seen(server)
    expected = ["login"] * 2 + ["not the token's: random numbers"] + ["sign"] * 4
    assert expected == sorted(watched.log.read_text().splitlines())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_fork(deployment: Deployment, server: TlsServer, kind: str) -> None:
    """A child logs in by itself; the parent goes on as before; both end in peace."""
    deployment.configure(deployment.entry(kind))
    script = """
connect()
child = os.fork()
connect()
if child:
    status = os.waitpid(child, 0)[1]
    connect()
    print(json.dumps(status))
"""
    finished = deployment.run(PROGRAM + script, str(server.port))
    assert 0 == finished.json()
    assert [deployment.leaves[kind].fingerprint] * 4 == _seen(server)


def test_threads(deployment: Deployment, server: TlsServer) -> None:
    """Twelve threads that connect at the same time all get their signature."""
    deployment.configure(deployment.entry("ec"))
    script = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(12) as pool:
    print(json.dumps(list(pool.map(lambda _: connect(), range(48)))))
"""
    finished = deployment.run(PROGRAM + script, str(server.port))
    assert ["HTTP/1.1 200 OK"] * 48 == finished.json()
    assert [deployment.leaves["ec"].fingerprint] * 48 == _seen(server)
    assert "" == finished.stderr


def test_a_token_that_was_away(
    deployment: Deployment, watched: WatchedModule, server: TlsServer
) -> None:
    """Without its token a handshake fails; once it is back the next one takes the key again."""
    deployment.configure(deployment.entry("ec"))
    script = """
said = [connect()]
away = os.environ["WATCHED_AWAY"]
open(away, "w").close()
for _ in range(2):
    try:
        connect()
    except ssl.SSLError as error:
        said.append(type(error).__name__)
os.unlink(away)
print(json.dumps([*said, connect(), connect()]))
"""
    finished = deployment.run(PROGRAM + script, str(server.port))
    first, *failed, again, last = finished.json()
    assert ["HTTP/1.1 200 OK"] * 3 == [first, again, last]
    assert 2 == len(failed)
    (warning,) = finished.stderr.splitlines()
    assert "could not finish the handshake, in which the key of 'pkcs11:token=mx" in warning


@pytest.mark.parametrize("pipe", ["WATCHED_SLOW", "WATCHED_LOOK"])
def test_a_slow_token(
    deployment: Deployment, watched: WatchedModule, server: TlsServer, beta: Leaf, pipe: str
) -> None:
    """While a token takes its time to sign or to find a key, others connect by other keys."""
    path, key = deployment.token.folder / "beta.pem", deployment.token.folder / "beta.key"
    path.write_bytes(beta.pem())
    key.write_bytes(beta.key_pem())
    other = {"certificate": str(path), "key": str(key), "hosts": ["beta.test"]}
    deployment.configure(deployment.entry("ec"), other)
    script = """
slow = os.environ[sys.argv[3]]
os.mkfifo(slow)
said = []
thread = threading.Thread(target=lambda: said.append(connect()))
thread.start()
pipe = os.open(slow, os.O_WRONLY)  # once the token has begun
os.unlink(slow)
said.append(connect("beta.test"))
is_waiting = thread.is_alive()
os.close(pipe)
thread.join()
print(json.dumps([is_waiting, *said]))
"""
    finished = deployment.run(PROGRAM + script, str(server.port), pipe)
    assert [True, "HTTP/1.1 200 OK", "HTTP/1.1 200 OK"] == finished.json()
    fingerprints = [beta.fingerprint, deployment.leaves["ec"].fingerprint]
    assert fingerprints == _seen(server)


WRONG = "0000-wrong"


def test_a_wrong_pin_costs_one_attempt(deployment: Deployment, watched: WatchedModule) -> None:
    """It is tried once, by whatever asks again, and stands in no word of what is said."""
    entries = [deployment.entry(kind, hosts=[f"{kind}.test"]) for kind in ("ec", "rsa")]
    deployment.token.pin_file(WRONG)
    deployment.configure(*entries)
    script = """
import json
for _ in range(3):
    try:
        import mxcert_runtime
        mxcert_runtime.activate()
    except Exception as error:
        print(repr(error), error)
"""
    finished = deployment.run(script)
    assert 1 == watched.calls("login refused")
    assert 0 == watched.calls("login")
    assert "says that the PIN is wrong" in finished.stdout
    assert "has refused this PIN before" in finished.stdout
    assert WRONG not in finished.stdout + finished.stderr


def test_the_right_pin_after_a_wrong_one(deployment: Deployment, server: TlsServer) -> None:
    """The twin: another PIN is another attempt, and the right one serves."""
    entry = deployment.entry("ec")
    deployment.configure(entry)
    pin_file = entry["pin_file"]
    script = f"""
import json
open({pin_file!r}, "w").write({WRONG!r})
try:
    import mxcert_runtime
except Exception as error:
    open({pin_file!r}, "w").write({PIN!r})
    import mxcert_runtime
    mxcert_runtime.activate()
{PROGRAM}
print(json.dumps(connect()))
"""
    assert "HTTP/1.1 200 OK" == deployment.run(script, str(server.port)).json()


def test_a_pin_that_was_changed_meanwhile(
    deployment: Deployment, watched: WatchedModule, server: TlsServer
) -> None:
    """One attempt more, and nobody is asked for another: standard input stays the program's."""
    deployment.configure(deployment.entry("ec"))
    script = """
from tests.support.softhsm import SoftToken
from pathlib import Path
connect()
said = []
def fail():
    try:
        connect()
    except ssl.SSLError as error:
        said.append(str(error))
open(os.environ["WATCHED_AWAY"], "w").close()
fail()
SoftToken(Path(), dict(os.environ)).change_pin("other-pin")
fail()
os.unlink(os.environ["WATCHED_AWAY"])
for _ in range(3):
    fail()
print(json.dumps([*said, sys.stdin.readline()]))
"""
    finished = deployment.run(PROGRAM + script, str(server.port), stdin="a line\n")
    *said, line = finished.json()
    assert "a line\n" == line
    assert 5 == len(said)
    assert "has refused this PIN before" in said[-1]
    assert 1 == watched.calls("login refused")


def test_a_pin_that_was_changed_here_and_there(
    deployment: Deployment, watched: WatchedModule, server: TlsServer
) -> None:
    """The twin: with the new PIN in its file a reload is enough, whatever the token forgets."""
    entry = deployment.entry("ec")
    deployment.configure(entry)
    script = f"""
from tests.support.softhsm import SoftToken
from pathlib import Path
connect()
away = os.environ["WATCHED_AWAY"]
Path({entry["pin_file"]!r}).write_text("other-pin")
mxcert_runtime.reload()
open(away, "w").close()
SoftToken(Path(), dict(os.environ)).change_pin("other-pin")
for _ in range(2):
    try:
        connect()
    except ssl.SSLError:
        pass
os.unlink(away)
print(json.dumps([connect(), connect()]))
"""
    finished = deployment.run(PROGRAM + script, str(server.port))
    assert ["HTTP/1.1 200 OK"] * 2 == finished.json()
    assert 1 >= watched.calls("login refused")


def test_a_wrong_pin_that_came_while_logged_in(
    deployment: Deployment, watched: WatchedModule, server: TlsServer
) -> None:
    """The token is not asked then; once it has forgotten the login, the PIN is tried only once."""
    entry = deployment.entry("ec")
    deployment.configure(entry)
    script = f"""
from pathlib import Path
connect()
away = os.environ["WATCHED_AWAY"]
Path({entry["pin_file"]!r}).write_text({WRONG!r})
mxcert_runtime.reload()
connect()
open(away, "w").close()
for _ in range(2):
    try:
        connect()
    except ssl.SSLError:
        pass
os.unlink(away)
for _ in range(3):
    try:
        connect()
    except ssl.SSLError as error:
        print(error)
"""
    finished = deployment.run(PROGRAM + script, str(server.port))
    assert 1 >= watched.calls("login refused")
    assert WRONG not in finished.stdout + finished.stderr


def test_no_pin(deployment: Deployment, watched: WatchedModule) -> None:
    """A token that wants a PIN is not tried without."""
    entry = deployment.entry("ec")
    del entry["pin_file"]
    deployment.configure(entry)
    finished = deployment.run("import mxcert_runtime")
    assert "wants a PIN, and none is given" in finished.stderr
    assert 0 == watched.calls("login refused")


def test_settings_that_name_no_token_load_nothing(deployment: Deployment, alpha: Leaf) -> None:
    """Neither provider nor module is in a process whose keys are in files."""
    path = deployment.token.folder / "alpha.p12"
    path.write_bytes(alpha.pkcs12("x"))
    deployment.configure({"pkcs12": str(path), "password": "x"})
    script = """
import json, sys
import mxcert_runtime
maps = open("/proc/self/maps").read()
names = [name for name in sys.modules if name.endswith(("libcrypto", "provider", "cryptoki"))]
print(json.dumps([names, [each for each in ("pkcs11", "softhsm") if each in maps]]))
"""
    assert [[], []] == deployment.run(script).json()
    assert json.loads(deployment.config.read_text())
