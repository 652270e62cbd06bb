"""Each certificate that connections rest on is in the metrics, and its file beside it."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import activate, deactivate, metrics
from mxcert_runtime.errors import Fault
from mxcert_runtime.monitoring import reloads
from mxcert_runtime.monitoring.reloads import note_reload
from tests.identity import pfx
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, now, pem

_DAY = datetime.timedelta(days=1)


def rows(data: dict[str, Any]) -> set[tuple[str | None, str, str]]:
    """Identity, kind and fingerprint of each certificate in the metrics."""
    return {(each["identity"], each["kind"], each["fingerprint"]) for each in data["certificates"]}


def test_leaf_chain_and_authorities(
    client_files: ClientFiles, gamma: Leaf, authority: Authority, tmp_path: Path
) -> None:
    """A leaf, the chain above it, its own CAs and the extra ones each have their end."""
    ending = Authority("Ending root", not_after=now() + 3 * _DAY)
    extra = tmp_path / "extra.pem"
    extra.write_bytes(ending.pem)
    identity = client_files.identity(
        "gamma", gamma, hosts=["good.example"], authorities=[authority]
    )
    activate({"ca": [str(extra)], "identity": [identity]})
    data = metrics()
    [intermediate] = gamma.chain
    expected = {
        ("gamma", "leaf", gamma.fingerprint),
        ("gamma", "chain", Leaf(intermediate, gamma.key).fingerprint),
        ("gamma", "ca", Leaf(authority.certificate, gamma.key).fingerprint),
        (None, "ca", Leaf(ending.certificate, gamma.key).fingerprint),
    }
    assert expected == rows(data)
    [last] = [each for each in data["certificates"] if each["identity"] is None]
    assert 3 * 86400 - 600 < last["seconds_left"] <= 3 * 86400
    assert ending.certificate.not_valid_after_utc.isoformat() == last["not_after"]


def test_what_has_expired_is_below_zero(
    client_files: ClientFiles, client_authority: Authority
) -> None:
    """The seconds go on below zero."""
    old = client_authority.issue("old", not_before=now() - 9 * _DAY, not_after=now() - 2 * _DAY)
    activate({"identity": [client_files.identity("old", old)]})
    [certificate] = metrics()["certificates"]
    assert certificate["seconds_left"] <= -2 * 86400


def test_the_file_beside_the_memory(
    alpha: Leaf, beta: Leaf, gamma: Leaf, client_files: ClientFiles
) -> None:
    """A file that was replaced shows its own fingerprint until what is in memory is its again."""
    settings = {"watch": "off", "identity": [client_files.identity("one", alpha)]}
    path = client_files.pkcs12(alpha)

    def shown() -> tuple[str, str | None]:
        [identity] = metrics()["identities"]
        return identity["fingerprint"], identity["file_fingerprint"]

    activate(settings)
    assert (alpha.fingerprint, alpha.fingerprint) == shown()
    for other in (beta, gamma):
        path.write_bytes(other.pkcs12(client_files.password, rounds=1))
        os.utime(path, ns=(0, 0))
        assert (alpha.fingerprint, other.fingerprint) == shown()
    activate(settings)
    assert (gamma.fingerprint, gamma.fingerprint) == shown()


@pytest.mark.parametrize("content", [b"damaged", b"", None], ids=["damaged", "empty", "gone"])
def test_a_file_that_cannot_be_used(
    content: bytes | None, alpha: Leaf, client_files: ClientFiles
) -> None:
    """What is in memory stays; the metrics say why the file gives nothing, and no secret."""
    activate({"watch": "off", "identity": [client_files.identity("one", alpha)]})
    path = client_files.pkcs12(alpha)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    [identity] = metrics()["identities"]
    assert (alpha.fingerprint, None) == (identity["fingerprint"], identity["file_fingerprint"])
    assert str(path) in identity["file_problem"]
    assert client_files.password not in str(identity)


def test_each_identity_of_a_file(alpha: Leaf, beta: Leaf, gamma: Leaf, tmp_path: Path) -> None:
    """A file with several keys has the fingerprint of each, and the same problem for all."""
    path = tmp_path / "several.p12"

    def write(*leaves: Leaf) -> None:
        bags = [pfx.key_bag(pfx.pkcs8(leaf)) for leaf in leaves]
        bags += [pfx.certificate_bag(leaf.der()) for leaf in leaves]
        path.write_bytes(pfx.file_of(pfx.data(*bags)))

    def shown(value: str) -> list[Any]:
        return [each[value] for each in metrics()["identities"]]

    write(alpha, beta)
    activate({"watch": "off", "identity": [{"name": "several", "pkcs12": str(path)}]})
    assert [alpha.fingerprint, beta.fingerprint] == shown("file_fingerprint")
    write(alpha, gamma)
    assert [alpha.fingerprint, gamma.fingerprint] == shown("file_fingerprint")
    path.write_bytes(b"broken")
    assert [None, None] == shown("file_fingerprint")
    assert all(str(path) in each for each in shown("file_problem"))


def test_an_identity_of_no_file_has_none(alpha: Leaf) -> None:
    """What stands in the settings themselves has no file, and nothing is wrong with it."""
    settings = {"identity": [{"name": "inline", "pkcs12": alpha.pkcs12("x"), "password": "x"}]}
    activate(settings)
    [identity] = metrics()["identities"]
    assert (alpha.fingerprint, None, None) == (
        identity["fingerprint"],
        identity["file_fingerprint"],
        identity["file_problem"],
    )


def test_an_idle_program_shows_what_it_would_present(
    alpha: Leaf, beta: Leaf, client_files: ClientFiles
) -> None:
    """Whoever asks for numbers looks, as a connection does: what is renewed alerts nobody."""
    activate({"watch": 1e-9, "identity": [client_files.identity("one", alpha)]})
    client_files.pkcs12(alpha).write_bytes(beta.pkcs12(client_files.password, rounds=1))
    [identity] = metrics()["identities"]
    assert (beta.fingerprint,) * 2 == (identity["fingerprint"], identity["file_fingerprint"])


def test_each_activation_is_a_generation(client_files: ClientFiles, alpha: Leaf) -> None:
    """The number grows with each, the moment is of the one in force, and goes with it."""
    settings = {"identity": [client_files.identity("one", alpha)]}
    before = metrics()["generation"]
    earliest = now()
    activate(settings)
    activate(settings)
    data = metrics()
    assert before + 2 == data["generation"]
    assert earliest <= datetime.datetime.fromisoformat(data["loaded_at"]) <= now()
    deactivate()
    assert (before + 2, None) == (metrics()["generation"], metrics()["loaded_at"])


def test_the_last_reload_is_told() -> None:
    """Its outcome, its moment and its faults; the next one is told in its place."""
    assert metrics()["last_reload"] is None
    note_reload("failed", [Fault("a.p12", "is damaged", "Replace it")])
    failed = metrics()["last_reload"]
    assert ("failed", [{"origin": "a.p12", "problem": "is damaged", "remedy": "Replace it"}]) == (
        failed["outcome"],
        failed["faults"],
    )
    note_reload("applied")
    assert ("applied", []) == (
        metrics()["last_reload"]["outcome"],
        metrics()["last_reload"]["faults"],
    )
    reloads.forget()
    assert metrics()["last_reload"] is None


def test_a_bundle_of_one_subject(client_files: ClientFiles, alpha: Leaf, tmp_path: Path) -> None:
    """Two CAs of the same name are two certificates."""
    twins = [Authority("Twin"), Authority("Twin", not_after=now() + 5 * _DAY)]
    bundle = tmp_path / "twins.pem"
    bundle.write_bytes(pem(*(each.certificate for each in twins)))
    activate({"ca": [str(bundle)], "identity": [client_files.identity("one", alpha)]})
    ends = [each["not_after"] for each in metrics()["certificates"] if each["kind"] == "ca"]
    assert [each.certificate.not_valid_after_utc.isoformat() for each in twins] == ends
