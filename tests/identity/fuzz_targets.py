"""Every reader of bytes: what it may be given, and the only errors that may come out of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from mxcert_runtime.base.secret import Secret
from mxcert_runtime.connections.request import MalformedRequestError, parse_request
from mxcert_runtime.errors import IdentityError
from mxcert_runtime.identity.identity import load_identities
from mxcert_runtime.identity.material.ber import MalformedError, read_der
from mxcert_runtime.identity.material.certificate import Certificate
from mxcert_runtime.identity.material.certificates import load_certificates
from mxcert_runtime.identity.material.distinguished_name import (
    comparable_name,
    readable_name,
    rfc4514_name,
)
from mxcert_runtime.identity.material.pem import split_blocks
from mxcert_runtime.identity.material.pem_key import open_pem_key

from .material import inline

CORPUS = Path(__file__).parent / "corpus"
PASSWORD = "x"
TLS_VERSIONS = (0x0303, 0x0304)

Target = Callable[[bytes], None]


def read_pkcs12(content: bytes) -> None:
    with contextlib.suppress(IdentityError):
        for identity in load_identities(inline(content, PASSWORD)):
            assert identity.key.kind
            assert identity.certificates_pem()
            assert repr(identity)


def read_pem(content: bytes) -> None:
    split_blocks(Secret(content))
    with contextlib.suppress(IdentityError):
        open_pem_key(Secret(content), Secret(PASSWORD), "the key")
    with contextlib.suppress(IdentityError):
        for each in load_certificates(Secret(content), "the certificates"):
            _look_at(each)


def read_certificate(content: bytes) -> None:
    with contextlib.suppress(MalformedError):
        _look_at(Certificate(content))
    with contextlib.suppress(MalformedError):
        rfc4514_name(content)
    comparable_name(content)
    readable_name(content)


def _look_at(certificate: Certificate) -> None:
    assert isinstance(certificate.subject, str)
    assert isinstance(certificate.is_plain, bool)
    assert certificate.validity is None or len(certificate.validity) == 2
    assert repr(certificate)
    with contextlib.suppress(MalformedError):
        assert certificate.public_key.kind
        assert certificate.public_key.pss_hash in (None, "", "sha256", "sha384", "sha512")


def read_element(content: bytes) -> None:
    with contextlib.suppress(MalformedError):
        element = read_der(Secret(content))
        element.primitives()
        element.as_octets()


def read_request(content: bytes) -> None:
    for version in TLS_VERSIONS:
        with contextlib.suppress(MalformedRequestError):
            assert parse_request(version, content).describe()


#: by how the names of files in the corpus end
TARGETS: dict[str, Target] = {
    ".p12": read_pkcs12,
    ".pem": read_pem,
    ".der": read_certificate,
    ".ber": read_element,
    ".tls": read_request,
}


def corpus(ending: str) -> dict[str, bytes]:
    """The files of the corpus for a target; all files are good for reading elements."""
    pattern = "*" if ending == ".ber" else f"*{ending}"
    return {path.name: path.read_bytes() for path in sorted(CORPUS.glob(pattern))}
