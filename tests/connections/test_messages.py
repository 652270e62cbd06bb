"""A CertificateRequest is read as the RFCs write it, and whatever is no request is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from mxcert_runtime.connections.request import (
    CertificateRequest,
    MalformedRequestError,
    parse_request,
)
from tests.connections.messages import (
    CERTIFICATE_AUTHORITIES,
    ECDSA_SIGN,
    RSA_SIGN,
    SIGNATURE_ALGORITHMS,
    TLS_1_2,
    TLS_1_3,
    message,
    names,
    numbers,
    tls_1_2,
    tls_1_3,
    vector,
)
from tests.support import pki
from tests.support.properties import examples

NAMES = (pki.name("One").public_bytes(), pki.name("Two").public_bytes())
versions = st.sampled_from([0x0300, 0x0301, TLS_1_2, TLS_1_3, 0x0305, 0xFEFD])
issuer_lists = st.lists(st.binary(max_size=40), max_size=5)
scheme_lists = st.lists(st.integers(0, 0xFFFF), max_size=20)


class TestWellFormed:
    def test_tls_1_2(self) -> None:
        """Types, signature algorithms and issuers are read, the issuers in their order."""
        request = parse_request(TLS_1_2, tls_1_2(NAMES, [0x0401, 0x0403], [RSA_SIGN, ECDSA_SIGN]))
        expected = CertificateRequest(
            TLS_1_2, NAMES, frozenset({0x0401, 0x0403}), frozenset({RSA_SIGN, ECDSA_SIGN})
        )
        assert expected == request

    def test_tls_1_3(self) -> None:
        """The same from extensions, whichever else there are; there are no types."""
        strange = [(0x1234, b"what"), (50, numbers([0x0403])), (5, b"")]
        request = parse_request(TLS_1_3, tls_1_3(NAMES, [0x0807], context=b"12345", more=strange))
        assert CertificateRequest(TLS_1_3, NAMES, frozenset({0x0807})) == request

    def test_without_issuers(self) -> None:
        """No issuers at all, by an empty list or by none."""
        empty = [(CERTIFICATE_AUTHORITIES, names([]))]
        requests = [
            parse_request(TLS_1_2, tls_1_2()),
            parse_request(TLS_1_3, tls_1_3()),
            parse_request(TLS_1_3, tls_1_3(more=empty)),
        ]
        assert [()] * 3 == [request.issuers for request in requests]

    def test_without_extensions(self) -> None:
        """A request of TLS 1.3 without any extension restricts nothing."""
        request = parse_request(TLS_1_3, message(vector(1, b"") + vector(2, b"")))
        assert CertificateRequest(TLS_1_3, (), frozenset()) == request

    @examples(150)
    @given(issuers=issuer_lists, schemes=scheme_lists, types=st.binary(max_size=5))
    def test_any_tls_1_2(self, issuers: list[bytes], schemes: list[int], types: bytes) -> None:
        """Whatever is written is read."""
        request = parse_request(TLS_1_2, tls_1_2(issuers, schemes, list(types)))
        expected = CertificateRequest(TLS_1_2, tuple(issuers), frozenset(schemes), frozenset(types))
        assert expected == request

    @examples(150)
    @given(issuers=issuer_lists, schemes=scheme_lists, context=st.binary(max_size=255))
    def test_any_tls_1_3(self, issuers: list[bytes], schemes: list[int], context: bytes) -> None:
        """Whatever is written is read."""
        request = parse_request(TLS_1_3, tls_1_3(issuers, schemes, context))
        assert CertificateRequest(TLS_1_3, tuple(issuers), frozenset(schemes)) == request


MALFORMED = {
    "nothing": (TLS_1_2, b""),
    "nothing in TLS 1.3": (TLS_1_3, b""),
    "a header alone": (TLS_1_2, message(b"")),
    "a header alone in TLS 1.3": (TLS_1_3, message(b"")),
    "half a scheme": (TLS_1_2, message(vector(1, b"\1") + vector(2, b"\4\3\4") + vector(2, b""))),
    "half a name": (
        TLS_1_2,
        message(vector(1, b"\1") + vector(2, b"\4\3") + vector(2, b"\0\5abc")),
    ),
    "no issuers' length": (TLS_1_2, message(vector(1, b"\1") + vector(2, b"\4\3"))),
    "half a scheme in TLS 1.3": (
        TLS_1_3,
        message(vector(1, b"") + vector(2, b"\0\x0d" + vector(2, vector(2, b"\4\3\4")))),
    ),
    "an empty extension": (
        TLS_1_3,
        message(vector(1, b"") + vector(2, SIGNATURE_ALGORITHMS.to_bytes(2, "big") + b"\0\0")),
    ),
    "half an extension": (TLS_1_3, message(vector(1, b"") + vector(2, b"\0\x0d\0"))),
    "a longer extension": (TLS_1_3, message(vector(1, b"") + vector(2, b"\0\x0d\0\x09\0\2\4\3"))),
    "a name longer than its extension": (
        TLS_1_3,
        message(vector(1, b"") + vector(2, b"\0\x2f" + vector(2, vector(2, b"\0\x09name")))),
    ),
}


class TestMalformed:
    @pytest.mark.parametrize(("version", "data"), MALFORMED.values(), ids=MALFORMED)
    def test_refused(self, version: int, data: bytes) -> None:
        """A message that ends too early is refused, by its own error."""
        with pytest.raises(MalformedRequestError):
            parse_request(version, data)

    @pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
    def test_cut_off(self, version: int) -> None:
        """No beginning of a good message is a good message."""
        whole = tls_1_2(NAMES) if version == TLS_1_2 else tls_1_3(NAMES, context=b"12")
        for length in range(len(whole)):
            with pytest.raises(MalformedRequestError):
                parse_request(version, whole[:length])

    @examples(150)
    @given(version=versions, data=st.binary(max_size=120))
    def test_anything(self, version: int, data: bytes) -> None:
        """Any bytes are a request, or a MalformedRequestError; nothing else, and described."""
        try:
            request = parse_request(version, data)
        except MalformedRequestError:
            return
        assert request.describe()

    @examples(150)
    @given(
        version=st.sampled_from([TLS_1_2, TLS_1_3]),
        position=st.integers(0, 200),
        replacement=st.binary(min_size=1, max_size=4),
    )
    def test_damaged(self, version: int, position: int, replacement: bytes) -> None:
        """A good message with some bytes replaced is a request, or a MalformedRequestError."""
        whole = tls_1_2(NAMES) if version == TLS_1_2 else tls_1_3(NAMES)
        damaged = whole[:position] + replacement + whole[position + len(replacement) :]
        try:
            request = parse_request(version, damaged)
        except MalformedRequestError:
            return
        assert request.describe()


class TestDescription:
    @pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
    def test_readable(self, version: int) -> None:
        """People read the names and the schemes."""
        write = tls_1_2 if version == TLS_1_2 else tls_1_3
        text = parse_request(version, write(NAMES, [0x0403])).describe()
        parts = ["CN=One", "CN=Two", "0403"]
        assert [] == [part for part in parts if part not in text]

    def test_any_issuer(self) -> None:
        """An empty list is said to be any issuer."""
        assert "any issuer" in parse_request(TLS_1_3, tls_1_3()).describe()

    def test_no_name(self) -> None:
        """What is no name is told by its length."""
        assert "3 bytes" in parse_request(TLS_1_3, tls_1_3([b"abc"])).describe()
