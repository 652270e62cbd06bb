"""What programs set on a Context of pyOpenSSL, one row for each attribute, and how each is seen."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

from tests.clients.openssl_dialogue import Dialogue, add_authority, crl
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import TlsVersion

TLS12, TLS13 = TlsVersion.TLS12, TlsVersion.TLS13
Flags = crypto.X509StoreFlags
SAME, REFUSED, UNENFORCEABLE = "same", "refused", "unenforceable"


@dataclass
class Ground:
    """What one dialogue is made from, and what callbacks noted in it."""

    authority: Authority
    leaf: Leaf
    version: TlsVersion
    notes: list[Any] = field(default_factory=list)

    def note(self, *arguments: Any) -> bool:
        """A callback that notes the last of its arguments, and agrees."""
        self.notes.append(arguments[-1])
        return True


def _nothing(target: Any, ground: Ground) -> None:
    """Leave it as it is."""


def _notes(dialogue: Dialogue, ground: Ground) -> Any:
    return ground.notes


@dataclass(frozen=True)
class Row:
    """An attribute, how a program sets it, and how its effect is seen beside the verdict."""

    name: str
    client: Callable[[Any, Ground], object]
    see: Callable[[Dialogue, Ground], Any] = _notes
    server: Callable[[Any, Ground], object] = _nothing
    connection: Callable[[Any, Ground], object] = _nothing
    #: versions in which it shows
    versions: tuple[TlsVersion, ...] = (TLS12, TLS13)
    #: what becomes of it where a rule pins CAs
    pinned: str = SAME
    key: str = "ec"
    is_there: bool = True

    def __str__(self) -> str:
        return f"{self.name}, {self.client.__name__.strip('_')}"


def _info(context: Any, ground: Ground) -> None:
    context.set_info_callback(lambda connection, where, code: ground.note(where))


def _connection_info(context: Any, ground: Ground) -> None:
    context.set_info_callback(lambda connection, where, code: ground.note("never"))


def _info_on_connection(connection: Any, ground: Ground) -> None:
    connection.set_info_callback(lambda connection, where, code: ground.note(where))


def _key_log(context: Any, ground: Ground) -> None:
    context.set_keylog_callback(lambda connection, line: ground.note(line.split()[0]))


def _ocsp(context: Any, ground: Ground) -> None:
    def check(connection: Any, answer: bytes, data: object) -> bool:
        return ground.note((connection.get_context() is context, answer, data))

    context.set_ocsp_client_callback(check, "data")


def _ocsp_that_refuses(context: Any, ground: Ground) -> None:
    context.set_ocsp_client_callback(lambda *arguments: not ground.note("asked"))


def _ocsp_that_raises(context: Any, ground: Ground) -> None:
    def check(*arguments: Any) -> bool:
        raise SSL.Error([("the", "program's", "own")])

    context.set_ocsp_client_callback(check)


def _staple(context: Any, ground: Ground) -> None:
    context.set_ocsp_server_callback(lambda connection, data: b"answer")


def _ask_for_staple(connection: Any, ground: Ground) -> None:
    connection.request_ocsp()


def _trusted_later(connection: Any, ground: Ground) -> None:
    add_authority(connection.get_context(), ground.authority)


def _crl_check(context: Any, ground: Ground) -> None:
    context.get_cert_store().set_flags(Flags.CRL_CHECK)


def _crl(context: Any, ground: Ground) -> None:
    _crl_check(context, ground)
    context.get_cert_store().add_crl(crl(ground.authority))


def _crl_that_revokes(context: Any, ground: Ground) -> None:
    _crl_check(context, ground)
    context.get_cert_store().add_crl(crl(ground.authority, [ground.leaf]))


def _another_time(context: Any, ground: Ground) -> None:
    context.get_cert_store().set_time(datetime.datetime(2001, 1, 1))


def _short_depth(context: Any, ground: Ground) -> None:
    context.set_verify_depth(0)


def _verify_callback(context: Any, ground: Ground) -> None:
    context.set_verify(SSL.VERIFY_PEER, lambda *arguments: ground.note(arguments[2:]))


def _verify_callback_that_refuses(context: Any, ground: Ground) -> None:
    context.set_verify(SSL.VERIFY_PEER, lambda *arguments: False)


def _verify_callback_of_connection(connection: Any, ground: Ground) -> None:
    connection.set_verify(SSL.VERIFY_PEER, lambda *arguments: ground.note(arguments[2:]))


def _no_protocol(context: Any, ground: Ground) -> None:
    context.set_options(SSL.OP_NO_TLSv1_2 | SSL.OP_NO_TLSv1_3)


def _tls12_at_most(context: Any, ground: Ground) -> None:
    context.set_max_proto_version(SSL.TLS1_2_VERSION)


def _one_cipher(context: Any, ground: Ground) -> None:
    context.set_cipher_list(b"ECDHE-ECDSA-CHACHA20-POLY1305")


def _one_suite(context: Any, ground: Ground) -> None:
    context.set_tls13_ciphersuites(b"TLS_CHACHA20_POLY1305_SHA256")


def _high_level(context: Any, ground: Ground) -> None:
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=3")


def _alpn(context: Any, ground: Ground) -> None:
    context.set_alpn_protos([b"one", b"two"])


def _choose_two(context: Any, ground: Ground) -> None:
    context.set_alpn_select_callback(lambda connection, offered: b"two")


def _group(context: Any, ground: Ground) -> None:
    context.set_tmp_ecdh(ec.SECP521R1())


def _app_data(context: Any, ground: Ground) -> None:
    context.set_app_data("data")


def _cipher_names(dialogue: Dialogue, ground: Ground) -> Any:
    return dialogue.client.get_cipher_name(), dialogue.client.get_cipher_list()


ROWS = (
    Row("info callback", _info),
    Row(
        "info callback",
        _connection_info,
        connection=_info_on_connection,
        is_there=hasattr(SSL.Connection, "set_info_callback"),
    ),
    Row("key log callback", _key_log),
    Row("OCSP callback and its data", _ocsp, server=_staple, connection=_ask_for_staple),
    Row(
        "OCSP callback and its data",
        _ocsp_that_refuses,
        server=_staple,
        connection=_ask_for_staple,
    ),
    Row(
        "OCSP callback and its data",
        _ocsp_that_raises,
        server=_staple,
        connection=_ask_for_staple,
    ),
    Row("certificate store", _crl_check),
    Row("certificate store", _crl, versions=(), pinned=REFUSED),
    Row("certificate store", _crl_that_revokes),
    Row("certificate store", _another_time, pinned=UNENFORCEABLE),
    Row("verify depth", _short_depth),
    Row("verify mode and callback", _verify_callback),
    Row("verify mode and callback", _verify_callback_that_refuses),
    Row("verify mode and callback", _nothing, connection=_verify_callback_of_connection),
    Row("options", _no_protocol),
    Row("lowest and highest protocol version", _tls12_at_most, versions=(TLS13,)),
    Row("cipher list", _one_cipher, see=_cipher_names),
    Row(
        "TLS 1.3 cipher suites",
        _one_suite,
        see=_cipher_names,
        is_there=hasattr(SSL.Context, "set_tls13_ciphersuites"),
    ),
    Row("security level", _high_level, key="rsa"),
    Row(
        "ALPN protocols",
        _alpn,
        see=lambda dialogue, ground: dialogue.client.get_alpn_proto_negotiated(),
        server=_choose_two,
    ),
    Row(
        "groups (set_tmp_ecdh)",
        _group,
        see=lambda dialogue, ground: dialogue.client.get_group_name(),
        is_there=hasattr(SSL.Connection, "get_group_name"),
    ),
    Row(
        "application data",
        _app_data,
        see=lambda dialogue, ground: dialogue.client.get_context().get_app_data(),
    ),
)
