"""``mxcert check`` tells of tokens what there is to know, signs only when it is asked to, and shows
no PIN."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mxcert_runtime.cli.check.schema import SCHEMA
from tests.cli.json_schema import violations
from tests.support.factories import ServerFactory
from tests.support.server_tls import Demand
from tests.support.softhsm import PIN, WatchedModule
from tests.support.subprocesses import Finished, run_client
from tests.support.tls_server import TlsServer

from .conftest import HOST, Deployment

#: an import of the package with settings would activate, which the command does not
COMMAND = """
import os, sys
from mxcert_runtime.cli import main
os.environ["MXCERT_CONFIG"] = sys.argv[1]
sys.exit(main(sys.argv[2:]))
"""


def _check(deployment: Deployment, *options: str) -> Finished:
    words = (str(deployment.config), "check", "--expires-within", "1d", *options)
    return run_client(COMMAND, *words, environment=deployment.token.variables)


def _report(deployment: Deployment, *options: str) -> Any:
    finished = _check(deployment, "--json", *options)
    report = json.loads(finished.stdout)
    assert [] == list(violations(SCHEMA, report))
    assert (0 if report["ok"] else 1) == finished.returncode, finished.stderr
    return report


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_token_and_mechanisms(deployment: Deployment, watched: WatchedModule, kind: str) -> None:
    """Label, model and mechanisms of the token stand beside the certificate; nothing is signed."""
    deployment.configure(deployment.entry(kind))
    report = _report(deployment)
    (identity,) = report["identities"]
    rsa = ("CKM_RSA_PKCS", "CKM_SHA256_RSA_PKCS", "CKM_RSA_PKCS_PSS", "CKM_SHA256_RSA_PKCS_PSS")
    expected = {"rsa": [*rsa], "ec": ["CKM_ECDSA"]}
    token = identity["token"]
    assert ("mx", f"pkcs11:token=mx;object={kind}") == (token["label"], token["uri"])
    assert expected[kind] == token["mechanisms"]
    assert deployment.leaves[kind].fingerprint == identity["fingerprint"]
    assert report["ok"]
    assert 0 == watched.calls("sign")


@pytest.mark.parametrize(("kind", "ways"), [("rsa", 2), ("ec", 1)])
def test_it_signs_on_demand(
    deployment: Deployment, watched: WatchedModule, kind: str, ways: int
) -> None:
    """With --sign there is one signature for each way that TLS has for such a key."""
    deployment.configure(deployment.entry(kind))
    assert _report(deployment, "--sign")["ok"]
    assert ways == watched.calls("sign")


def test_a_key_that_may_not_sign(deployment: Deployment, watched: WatchedModule) -> None:
    """The twin: an error for each way, which nothing tells without --sign."""
    deployment.configure(deployment.entry("rsa"))
    watched.unable.touch()
    assert _report(deployment)["ok"]
    report = _report(deployment, "--sign")
    assert ["token-does-not-sign"] * 2 == [each["code"] for each in report["errors"]]
    first, second = (each["problem"] for each in report["errors"])
    assert "PKCS#1 v1.5" in first
    assert "PSS" in second


def test_what_people_see(deployment: Deployment) -> None:
    """The text has the token and no PIN, not of a URI that holds it either."""
    uri = f"pkcs11:token=mx;object=ec?pin-value={PIN}"
    entry = deployment.entry("ec", key=uri)
    del entry["pin_file"]
    deployment.configure(entry)
    finished = _check(deployment)
    assert 0 == finished.returncode, finished.stderr + finished.stdout
    assert "SoftHSM project" in finished.stdout
    assert "signs by:   CKM_ECDSA" in finished.stdout
    assert "(set)" in finished.stdout
    assert PIN not in finished.stdout + finished.stderr


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_probe(deployment: Deployment, tls_server: ServerFactory[TlsServer], kind: str) -> None:
    """``mxcert probe`` makes a handshake that the token signs."""
    server = tls_server(hosts=[HOST], demand=Demand.DEMAND)
    entry = deployment.entry(kind)
    deployment.configure(entry, ca=[deployment.ca_file])
    words = (str(deployment.config), "probe", "--json", server.url(HOST))
    finished = run_client(COMMAND, *words, environment=deployment.token.variables)
    report = json.loads(finished.stdout)
    assert (0, True) == (finished.returncode, report["ok"])
    assert [deployment.leaves[kind].fingerprint] == [each.fingerprint for each in server.seen]


def test_a_wrong_pin_is_tried_once(deployment: Deployment, watched: WatchedModule) -> None:
    """Where settings have errors identities are looked at again, and the token is not."""
    entries = [deployment.entry(kind, hosts=[f"{kind}.test"]) for kind in ("ec", "rsa")]
    deployment.token.pin_file("0000-wrong")
    deployment.configure(*entries)
    report = _report(deployment, "--sign")
    assert not report["ok"]
    assert ["invalid-settings"] * 2 == [each["code"] for each in report["errors"]]
    assert 1 == watched.calls("login refused")
