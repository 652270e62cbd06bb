"""What random sequences are made with: files of authorities, sound and unsound, and peers.

All of it is made before any test activates, once for a module.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from tests.contexts.ground import GOOD, Realm, damaged, subject_hash
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls, TlsVersion, server_context

#: the files that each run begins with, besides ``link.pem`` and the folders
FILES = (
    "good.pem",
    "other.pem",
    "both.pem",
    "crl.pem",
    "good_and_crl.pem",
    "damaged.pem",
    "good_and_damaged.pem",
    "other_and_damaged.pem",
    "empty.pem",
    "prose.pem",
    "pinned.pem",
)
#: those that can be loaded, with a certificate in them
SOUND = ("good.pem", "other.pem", "both.pem", "good_and_crl.pem", "pinned.pem")
#: what is not there
MISSING = "missing.pem"


@dataclass(frozen=True)
class Supplies:
    """Contents of files, servers by the name of their kind, and clients with a certificate."""

    contents: dict[str, bytes]
    #: the name of the good authority in a directory
    hash: str
    servers: dict[str, ssl.SSLContext]
    clients: dict[str, ssl.SSLContext]
    #: certificate and key of a server, and of a client
    server_files: tuple[Path, Path]
    client_files: tuple[Path, Path]

    def write_folders(self, folder: Path) -> None:
        """Write what no sequence changes."""
        for name, content in (("one", "good.pem"), ("two", "other.pem")):
            (folder / name).mkdir()
            (folder / name / "relative.pem").write_bytes(self.contents[content])
        (folder / "hashed").mkdir()
        (folder / "hashed" / f"{self.hash}.0").write_bytes(self.contents["good.pem"])

    def write_files(self, folder: Path) -> None:
        """Write all files anew, in the place of what a sequence has left there."""
        for entry in os.scandir(folder):
            if entry.is_symlink() or entry.is_file():
                os.unlink(entry.path)
        for name in FILES:
            (folder / name).write_bytes(self.contents[name])
        (folder / "link.pem").symlink_to("good.pem")


def make_supplies(
    realm: Realm, client_authority: Authority, client: Leaf, folder: Path
) -> Supplies:
    """Everything, for the authorities of a realm."""
    strangers = {
        "known": realm.authority.issue("known", server=False),
        "unknown": realm.foreign.issue("unknown", server=False),
        "none": None,
    }
    return Supplies(
        _contents(realm),
        subject_hash(realm.authority.pem),
        {
            f"{version.value} {demand.value}": _server(realm, client_authority, version, demand)
            for version in (TlsVersion.TLS12, TlsVersion.TLS13)
            for demand in (Demand.ACCEPT, Demand.ASK_NOT)
        },
        {name: _client(leaf, folder) for name, leaf in strangers.items()},
        realm.leaves[GOOD].write_pem(folder, "server"),
        client.write_pem(folder, "client"),
    )


def _contents(realm: Realm) -> dict[str, bytes]:
    good, other = realm.authority.pem, realm.foreign.pem
    size = max(len(good), len(other))
    more = b"".join(Authority(f"More {number}").pem for number in range(3))
    return {
        # Of one size, so that a file with the one can become a file with the other.
        "good.pem": good.ljust(size, b"\n"),
        "other.pem": other.ljust(size, b"\n"),
        "both.pem": b"Some prose, as bundles have it.\n" + more + other + good,
        "crl.pem": realm.crl,
        "good_and_crl.pem": good + realm.crl,
        "damaged.pem": damaged(good),
        "good_and_damaged.pem": good + damaged(other),
        "other_and_damaged.pem": other + damaged(good),
        "empty.pem": b"",
        "prose.pem": b"No certificate at all.\n",
        "pinned.pem": realm.leaves[GOOD].pem(chain=False),
        MISSING: b"",
    }


def _server(
    realm: Realm, client_authority: Authority, version: TlsVersion, demand: Demand
) -> ssl.SSLContext:
    return server_context(
        ServerTls(
            realm.leaves[GOOD],
            (client_authority,),
            demand,
            version,
            leaves_by_name=realm.leaves,
            alpn=("h2", "http/1.1"),
        )
    )


def _client(leaf: Leaf | None, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if leaf is not None:
        context.load_cert_chain(*leaf.write_pem(folder, f"peer-{leaf.fingerprint}"))
    return context


def der_of(pem: bytes) -> bytes:
    """The certificates of PEM text as DER, one behind the other, as ``cadata`` takes them."""
    marker = "-----BEGIN CERTIFICATE-----"
    parts = pem.decode().split(marker)[1:]
    return b"".join(ssl.PEM_cert_to_DER_cert(marker + _up_to_end(part)) for part in parts)


def _up_to_end(part: str) -> str:
    return part.partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
