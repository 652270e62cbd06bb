"""What a token must hold for an identity, and which of its certificates is presented."""

from __future__ import annotations

import ctypes
import datetime
from pathlib import Path

import pytest

from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf, now
from tests.support.server_tls import Demand
from tests.support.softhsm import PIN
from tests.support.tls_server import TlsServer

from .conftest import HOST, Deployment
from .test_processes import PROGRAM

FAIL = """
try:
    import mxcert_runtime
except Exception as error:
    print(error)
"""


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer]) -> TlsServer:
    """It demands a certificate."""
    return tls_server(hosts=[HOST], demand=Demand.DEMAND)


def _without_file(deployment: Deployment, kind: str = "ec") -> dict[str, object]:
    entry = deployment.entry(kind)
    del entry["certificate"]
    return entry


def test_a_certificate_in_the_token(deployment: Deployment, server: TlsServer) -> None:
    """It is found by its key, among others."""
    for kind, leaf in deployment.leaves.items():
        deployment.token.add_certificate(leaf, f"certificate-{kind}")
    deployment.configure(_without_file(deployment))
    assert 0 == deployment.run(PROGRAM + "connect()", str(server.port)).returncode
    assert [deployment.leaves["ec"].fingerprint] == [each.fingerprint for each in server.seen]


def test_a_renewed_certificate_in_the_token(
    deployment: Deployment, server: TlsServer, client_authority: Authority
) -> None:
    """Of two for one key the one that is valid longest is presented; a URI can name the other."""
    old = deployment.leaves["ec"]
    later = now() + datetime.timedelta(days=700)
    new = client_authority.issue(
        "in-a-token-ec", signing_key=old.key, server=False, not_after=later
    )
    for leaf, name in ((old, "old"), (new, "new")):
        deployment.token.add_certificate(leaf, name)
    deployment.configure(_without_file(deployment))
    assert 0 == deployment.run(PROGRAM + "connect()", str(server.port)).returncode
    named = {**_without_file(deployment), "certificate": "pkcs11:token=mx;object=old;type=cert"}
    deployment.configure(named)
    assert 0 == deployment.run(PROGRAM + "connect()", str(server.port)).returncode
    assert [new.fingerprint, old.fingerprint] == [each.fingerprint for each in server.seen]


def test_a_renewed_file(
    deployment: Deployment, server: TlsServer, client_authority: Authority
) -> None:
    """A certificate that was issued anew for the key is taken up by a reload."""
    entry = deployment.entry("ec")
    deployment.configure(entry)
    new = client_authority.issue("renewed", signing_key=deployment.leaves["ec"].key, server=False)
    path = Path(entry["certificate"]).with_name("new.pem")
    path.write_bytes(new.pem())
    script = f"""
connect()
os.replace({str(path)!r}, {entry["certificate"]!r})
mxcert_runtime.reload()
connect()
"""
    finished = deployment.run(PROGRAM + script, str(server.port))
    assert 0 == finished.returncode, finished.stderr
    expected = [deployment.leaves["ec"].fingerprint, new.fingerprint]
    assert expected == [each.fingerprint for each in server.seen]


def test_no_certificate(deployment: Deployment) -> None:
    """The twin: a token without one, and a file with that of another key."""
    deployment.configure(_without_file(deployment))
    assert "there is no certificate" in deployment.run(FAIL).stdout
    wrong = deployment.token.certificate_file(deployment.leaves["rsa"], "rsa")
    deployment.configure(deployment.entry("ec", certificate=wrong))
    said = deployment.run(FAIL).stdout
    assert "fits none of the certificates" in said
    assert "pkcs11:token=mx;object=ec" in said


def test_two_keys_that_fit(deployment: Deployment) -> None:
    """Nothing is left to chance: a URI without a name is an error where there are two keys."""
    deployment.configure(deployment.entry("ec", key="pkcs11:token=mx"))
    said = deployment.run(FAIL).stdout
    assert "2 private keys" in said
    assert "Add `object=` or `id=`" in said


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("pkcs11:token=other;object=ec", "is not there; the module"),
        ("pkcs11:token=mx;object=none", "has no private key"),
        ("pkcs11:token=mx;object=ec;serial=0000", "is not there"),
    ],
)
def test_what_is_not_there(deployment: Deployment, uri: str, words: str) -> None:
    """A token and a key that nobody has."""
    deployment.configure(deployment.entry("ec", key=uri))
    assert words in deployment.run(FAIL).stdout


def test_all_faults_at_once(deployment: Deployment, alpha: Leaf) -> None:
    """One error tells the fault of the token beside those of files."""
    entries = deployment.entry("ec", key="pkcs11:token=other;object=ec"), {"pkcs12": "/none.p12"}
    deployment.configure(*entries)
    said = deployment.run(FAIL).stdout
    assert "2 faults" in said
    assert "'mx'" in said


def test_pyopenssl_refuses_with_words(deployment: Deployment, server: TlsServer) -> None:
    """No provider reaches its OpenSSL: refused, and never without a certificate."""
    pytest.importorskip("OpenSSL")
    deployment.configure(deployment.entry("ec"))
    script = """
import json, socket, sys
import mxcert_runtime
from OpenSSL import SSL
context = SSL.Context(SSL.TLS_METHOD)
context.load_verify_locations(sys.argv[1])
context.set_verify(SSL.VERIFY_PEER, lambda *arguments: bool(arguments[-1]))
connection = SSL.Connection(context, socket.create_connection(("127.0.0.1", int(sys.argv[2]))))
try:
    connection.set_tlsext_host_name(b"alpha.test")
    connection.set_connect_state()
    connection.do_handshake()
    print(json.dumps(""))
except Exception as error:
    print(json.dumps(str(error)))
"""
    said = deployment.run(script, str(server.port)).json()
    assert [] == [each.fingerprint for each in server.seen if each.fingerprint]
    assert "the OpenSSL of pyOpenSSL cannot use" in said


def test_by_environment_alone(deployment: Deployment, server: TlsServer) -> None:
    """A URI in ClientCertificates, its PIN in ClientCertificatePasswords, all else in the token."""
    deployment.token.add_certificate(deployment.leaves["ec"], "certificate")
    variables = {
        "MXCERT_CONFIG": "",
        "ClientCertificates": "pkcs11:token=mx;object=ec",
        "ClientCertificatePasswords": PIN,
    }
    finished = deployment.run(PROGRAM + "connect()", str(server.port), **variables)
    assert 0 == finished.returncode, finished.stderr
    assert [deployment.leaves["ec"].fingerprint] == [each.fingerprint for each in server.seen]


def test_the_module_of_the_settings(deployment: Deployment, server: TlsServer) -> None:
    """``pkcs11_module`` is what is loaded where no variable names one."""
    module = deployment.token.variables.pop("PKCS11_PROVIDER_MODULE")
    deployment.configure(deployment.entry("rsa"), pkcs11_module=module)
    finished = deployment.run(PROGRAM + "connect()", str(server.port))
    assert 0 == finished.returncode, finished.stderr
    assert [deployment.leaves["rsa"].fingerprint] == [each.fingerprint for each in server.seen]


def test_a_provider_that_is_active_already(
    deployment: Deployment, server: TlsServer, tmp_path: Path
) -> None:
    """As the user's openssl.cnf has it; in a fork it logs in by the PIN of the reference."""
    module = deployment.token.variables.pop("PKCS11_PROVIDER_MODULE")
    lines = (
        *("openssl_conf = a", "[a]", "providers = b", "[b]", "default = c", "pkcs11 = d", "[c]"),
        *("activate = 1", "[d]", f"pkcs11-module-path = {module}"),
        *("pkcs11-module-quirks = no-deinit", "activate = 1", ""),
    )
    path = tmp_path / "openssl.cnf"
    path.write_text("\n".join(lines))
    deployment.configure(deployment.entry("ec"), pkcs11_module=module)
    script = "connect()\nif os.fork():\n    os.wait()\nelse:\n    connect()\n    os._exit(0)\n"
    finished = deployment.run(PROGRAM + script, str(server.port), OPENSSL_CONF=str(path))
    assert 0 == finished.returncode, finished.stderr
    assert [deployment.leaves["ec"].fingerprint] * 2 == [each.fingerprint for each in server.seen]


def test_what_p11_kit_gives(deployment: Deployment, server: TlsServer) -> None:
    """Where nothing names a module, p11-kit's proxy has the tokens of all that are installed."""
    if not Path("/usr/share/p11-kit/modules/softhsm2.module").exists():
        pytest.skip("p11-kit does not know SoftHSM here")
    try:
        ctypes.CDLL("p11-kit-proxy.so")
    except OSError as error:
        pytest.skip(f"p11-kit's proxy is not where libraries are looked for: {error}")
    del deployment.token.variables["PKCS11_PROVIDER_MODULE"]
    deployment.configure(deployment.entry("rsa"))
    finished = deployment.run(PROGRAM + "connect()", str(server.port))
    assert 0 == finished.returncode, finished.stderr
    assert [deployment.leaves["rsa"].fingerprint] == [each.fingerprint for each in server.seen]
