"""Writes the corpus of the fuzzing tests: ``python -m tests.identity.make_corpus``.

Small files of every form that the readers of keys and certificates know, so that what is changed
in them comes far. Their password is ``x``; their rounds are few.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.odd_certificates import (
    ODD_CERTIFICATES,
    OddAuthority,
    OddLeaf,
    as_pem,
    leaf_of_kind,
    odd_leaf,
)
from tests.support.openssl_command import openssl
from tests.support.pki import Authority

from . import der, pfx

FOLDER = Path(__file__).parent / "corpus"
PASSWORD = "x"


def main() -> None:
    authority = Authority("Corpus")
    FOLDER.mkdir(exist_ok=True)
    files = {**_pkcs12_files(authority), **_pem_files(authority), **_certificates(authority)}
    for name, content in files.items():
        (FOLDER / name).write_bytes(content)


def _pkcs12_files(authority: Authority) -> dict[str, bytes]:
    leaf, second = authority.issue("one"), authority.issue("two")
    few = ["-iter", "1", "-maciter"]
    odd = odd_leaf(authority, ODD_CERTIFICATES["T61String of 8 bits"])
    key, certificate = pfx.key_bag(pfx.pkcs8(leaf)), pfx.certificate_bag(leaf.der())
    shrouded = pfx.shrouded_key_bag(pfx.pkcs8(leaf), b"x", 1)
    name = der.element(0x0C, "Schlüssel".encode())
    return {
        "pbes2.p12": odd.pkcs12(PASSWORD, *few),
        "3des.p12": odd.pkcs12(PASSWORD, *few, *_by("PBE-SHA1-3DES")),
        "rc2.p12": odd.pkcs12(PASSWORD, *few, "-legacy", *_by("PBE-SHA1-RC2-40")),
        "rc4.p12": odd.pkcs12(PASSWORD, *few, "-legacy", *_by("PBE-SHA1-RC4-128")),
        "camellia.p12": odd.pkcs12(PASSWORD, *few, "-keypbe", "camellia-128-cbc"),
        "no-mac.p12": odd.pkcs12(PASSWORD, *few, "-nomac"),
        "plain.p12": pfx.file_of(pfx.data(key, certificate)),
        "armoured.p12": as_pem(pfx.file_of(pfx.data(key, certificate)), "PKCS12"),
        "pbmac1.p12": pfx.with_pbmac1(leaf.pkcs12(PASSWORD, rounds=1), b"x"),
        "inside.p12": pfx.file_of(
            pfx.encrypted(shrouded, certificate, password=b"x"), password=PASSWORD
        ),
        "several.p12": pfx.file_of(
            pfx.data(key, pfx.key_bag(pfx.pkcs8(second)), pfx.safe_bag(certificate)),
            pfx.data(pfx.certificate_bag(second.der(), name)),
        ),
        "ber.p12": _in_ber(pfx.file_of(pfx.data(key, certificate))),
    }


def _by(cipher: str) -> list[str]:
    return ["-keypbe", cipher, "-certpbe", cipher]


def _in_ber(content: bytes) -> bytes:
    inner = pfx.authenticated(content)
    pieces = der.octets(inner[:100]) + der.octets(inner[100:])
    safe = der.endless(der.EXPLICIT, der.endless(0x24, pieces))
    return der.endless(der.SEQUENCE, der.integer(3), der.endless(der.SEQUENCE, pfx.DATA, safe))


def _pem_files(authority: Authority) -> dict[str, bytes]:
    leaf = authority.issue("pem")
    plain = OddLeaf(leaf.der(), leaf.key_pem())
    scrypt = ["-scrypt", "-scrypt_N", "2", "-scrypt_r", "1", "-scrypt_p", "1"]
    keys = {
        "pkcs8": leaf.key_pem(),
        "sec1": leaf.key_pem(None, "traditional"),
        "traditional": leaf.key_pem(PASSWORD, "traditional"),
        "pbes2": _pkcs8(plain, "-iter", "1"),
        "scrypt": _pkcs8(plain, *scrypt),
        "pbe": _pkcs8(plain, "-iter", "1", "-v1", "PBE-SHA1-3DES"),
    }
    found = {f"{name}.pem": plain.pem() + key for name, key in keys.items()}
    restricted = leaf_of_kind(authority, "RSASSA-PSS, restricted")
    explicit = leaf_of_kind(authority, "EC, parameters written out")
    for name, odd in {"restricted": restricted, "explicit": explicit}.items():
        found[f"{name}.pem"] = odd.pem() + odd.key
    return found


def _pkcs8(leaf: OddLeaf, *options: str) -> bytes:
    arguments = ["-topk8", *options, "-passout", f"pass:{PASSWORD}"]
    return openssl("pkcs8", *arguments, stdin=leaf.key)


def _certificates(authority: Authority) -> dict[str, bytes]:
    return {
        **{
            f"{name.replace(' ', '-').replace('&', 'and')}.der": odd_leaf(authority, change).der
            for name, change in ODD_CERTIFICATES.items()
        },
        "authority.der": OddAuthority.make(ODD_CERTIFICATES["serial 0"]).der,
    }


if __name__ == "__main__":
    main()
