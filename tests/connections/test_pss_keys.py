"""Keys of RSASSA-PSS make other signatures than plain RSA: the request chooses between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from tests.connections.candidates import ContextMaker, connected
from tests.support.factories import ServerFactory
from tests.support.odd_certificates import OddLeaf, leaf_of_kind
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority
from tests.support.server_tls import TlsVersion

TLS12, TLS13 = TlsVersion.TLS12, TlsVersion.TLS13
FREE, RESTRICTED = "RSASSA-PSS", "RSASSA-PSS, restricted"
ORDER = [FREE, RESTRICTED, "rsa"]
PSS_256, PSS_384, RSAE = "rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_rsae_sha256"

CASES = [
    (PSS_256, ORDER, FREE),
    (PSS_256, ORDER[::-1], FREE),
    (PSS_384, ORDER[::-1], RESTRICTED),
    (PSS_384, ORDER, FREE),
    (f"{PSS_256}:{PSS_384}", ORDER[::-1], RESTRICTED),
    (RSAE, ORDER, "rsa"),
    (f"{RSAE}:{PSS_384}", ORDER, FREE),
    # nothing fits
    (PSS_256, [RESTRICTED, "rsa"], None),
    (PSS_384, ["rsa"], None),
    (RSAE, [FREE, RESTRICTED], None),
    ("ECDSA+SHA256", ORDER, None),
]


@pytest.fixture(scope="session")
def leaves(root_a: Authority) -> dict[str, OddLeaf]:
    plain = root_a.issue("rsa", server=False, key="rsa")
    return {
        **{kind: leaf_of_kind(root_a, kind) for kind in (FREE, RESTRICTED)},
        "rsa": OddLeaf(plain.der(), plain.key_pem()),
    }


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize(("accepted", "order", "expected"), CASES)
def test_signature_algorithms(
    openssl_server: ServerFactory[OpensslServer],
    client_context: ContextMaker,
    leaves: dict[str, OddLeaf],
    root_a: Authority,
    tmp_path: Path,
    version: TlsVersion,
    accepted: str,
    order: list[str],
    expected: str | None,
) -> None:
    """The first whose key makes a signature that the server accepts, its restriction counted."""
    identities: list[dict[str, Any]] = [
        leaves[name].write(tmp_path, str(number)) for number, name in enumerate(order)
    ]
    options = ["-client_sigalgs", accepted]
    server = openssl_server(version=version, client_authorities=[root_a], options=options)
    context = client_context(lambda: mxcert_runtime.activate(settings={"identity": identities}))
    names = {leaves[name].fingerprint: name for name in order}
    with connected(server.port, context):
        presented = server.presented.wait_for(1)[0]
    assert expected == (None if presented is None else names[presented])
