"""What a renewal may go on with where a replacement is broken: the same thing, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.decisions.building import build_generation, build_renewal
from mxcert_runtime.decisions.generation import Generation
from mxcert_runtime.errors import SettingsError
from mxcert_runtime.settings.loading import settings_from
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, now

_PAST = {"not_before": now() - timedelta(days=9), "not_after": now() - timedelta(days=1)}


class Deployment:
    """Settings with one identity whose file can be broken, and one that is sound."""

    def __init__(self, files: ClientFiles, alpha: Leaf, beta: Leaf) -> None:
        self.path = files.pkcs12(alpha)
        self.entries = [
            files.identity("alpha", alpha, hosts=["alpha.test"]),
            files.identity("beta", beta, hosts=["beta.test"]),
        ]
        self.more: dict[str, Any] = {}
        self.before = build_generation(self._reading())

    def _reading(self) -> Any:
        return settings_from({"identity": self.entries, **self.more})

    def renew(self) -> tuple[Generation, tuple[Any, ...]]:
        """Read again."""
        return build_renewal(self._reading(), self.before)


@pytest.fixture
def deployment(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> Deployment:
    return Deployment(client_files, alpha, beta)


def test_nothing_is_broken(deployment: Deployment) -> None:
    """Then it is what building is: the same identities, and no fault."""
    after, faults = deployment.renew()
    assert () == faults
    assert deployment.before.identities == after.identities
    assert after.decides_like(deployment.before)


def test_a_broken_file(deployment: Deployment, beta: Leaf, client_authority: Authority) -> None:
    """Its identity stays, with the fault; another one is renewed all the same."""
    deployment.path.write_bytes(b"broken")
    fresh = client_authority.issue("fresh", server=False)
    path = Path(deployment.entries[1]["pkcs12"])
    path.write_bytes(fresh.pkcs12(deployment.entries[1]["password"]))
    after, (fault,) = deployment.renew()
    assert str(deployment.path) in str(fault)
    assert deployment.before.identities[0] is after.identities[0]
    assert fresh.fingerprint == after.identities[1].fingerprint


def test_another_file_of_the_same_name(deployment: Deployment, tmp_path: Path) -> None:
    """An entry that names another file by now is another identity: none takes its place."""
    other = tmp_path / "other.p12"
    other.write_bytes(b"broken")
    deployment.entries[0]["pkcs12"] = str(other)
    with pytest.raises(SettingsError, match="alpha"):
        deployment.renew()


def test_another_name_for_the_same_file(deployment: Deployment) -> None:
    """Nor does one that had another name."""
    deployment.path.write_bytes(b"broken")
    deployment.entries[0]["name"] = "gamma"
    with pytest.raises(SettingsError):
        deployment.renew()


def test_other_pinned_authorities(deployment: Deployment, client_files: ClientFiles) -> None:
    """Nor one for which other CAs are to verify by now."""
    deployment.path.write_bytes(b"broken")
    deployment.entries[0]["ca"] = [str(client_files.authority(Authority("Another root")))]
    with pytest.raises(SettingsError):
        deployment.renew()


@pytest.mark.parametrize("place", ["pinned", "extra"])
def test_broken_authorities(
    place: str, client_files: ClientFiles, alpha: Leaf, beta: Leaf, tmp_path: Path
) -> None:
    """CAs that cannot be read stay what they were: never are there fewer, or none."""
    path = tmp_path / "ca.pem"
    path.write_bytes(Authority("Root").pem)
    deployment = Deployment(client_files, alpha, beta)
    if place == "pinned":
        deployment.entries[0]["ca"] = [str(path)]
    else:
        deployment.more["ca"] = [str(path)]
    deployment.before = build_generation(deployment._reading())
    path.write_bytes(b"broken")
    after, (fault,) = deployment.renew()
    assert str(path) in str(fault)
    before = deployment.before
    assert before.extra_authorities == after.extra_authorities
    decided = [each.policy.select("alpha.test").authorities for each in (before, after)]
    assert decided[0] == decided[1]
    assert (place == "pinned") == (decided[1] is not None)


def test_twin_at_the_start(deployment: Deployment) -> None:
    """The twin: where nothing was before, a broken file is a fault of the settings."""
    deployment.path.write_bytes(b"broken")
    with pytest.raises(SettingsError, match="alpha"):
        build_generation(deployment._reading())


def test_refused_dates(deployment: Deployment, client_authority: Authority) -> None:
    """A replacement whose dates are refused is broken: the last good one stays, others go on."""
    deployment.more["expired_identities"] = "refuse"
    deployment.before = build_generation(deployment._reading())
    expired = client_authority.issue("alpha", server=False, **_PAST)
    deployment.path.write_bytes(expired.pkcs12(deployment.entries[0]["password"]))
    fresh = _renewed(deployment, client_authority)
    after, (fault,) = deployment.renew()
    assert "expired" in str(fault)
    assert deployment.before.identities[0] is after.identities[0]
    assert fresh.fingerprint == after.identities[1].fingerprint


def test_an_expired_replacement(deployment: Deployment, client_authority: Authority) -> None:
    """It does not take the place of a valid identity, whatever a start would do with it."""
    expired = client_authority.issue("alpha", server=False, **_PAST)
    deployment.path.write_bytes(expired.pkcs12(deployment.entries[0]["password"]))
    after, (fault,) = deployment.renew()
    assert "expired" in str(fault)
    assert deployment.before.identities[0] is after.identities[0]


def test_twin_an_expired_one_in_the_place_of_another(
    deployment: Deployment, client_authority: Authority
) -> None:
    """The twin: where the one before has expired as well, the newer one is put in force."""
    older = client_authority.issue("alpha", server=False, **_PAST)
    deployment.path.write_bytes(older.pkcs12(deployment.entries[0]["password"]))
    deployment.before = build_generation(deployment._reading())
    newer = client_authority.issue("alpha", server=False, **_PAST)
    deployment.path.write_bytes(newer.pkcs12(deployment.entries[0]["password"]))
    after, faults = deployment.renew()
    assert () == faults
    assert newer.fingerprint == after.identities[0].fingerprint


def test_refused_dates_of_what_is_in_force(
    deployment: Deployment, client_authority: Authority
) -> None:
    """One that has expired in force keeps none of the others from being renewed."""
    expired = client_authority.issue("alpha", server=False, **_PAST)
    deployment.path.write_bytes(expired.pkcs12(deployment.entries[0]["password"]))
    deployment.before = build_generation(deployment._reading())
    deployment.more["expired_identities"] = "refuse"
    fresh = _renewed(deployment, client_authority)
    after, faults = deployment.renew()
    assert () == faults
    assert [expired.fingerprint, fresh.fingerprint] == [x.fingerprint for x in after.identities]
    assert 1 == len(after.invalid)


def test_twin_refused_dates_at_the_start(
    deployment: Deployment, client_authority: Authority
) -> None:
    """The twin: at the start, and where somebody calls `reload`, it is a fault."""
    deployment.more["expired_identities"] = "refuse"
    expired = client_authority.issue("alpha", server=False, **_PAST)
    deployment.path.write_bytes(expired.pkcs12(deployment.entries[0]["password"]))
    with pytest.raises(SettingsError, match="expired"):
        build_generation(deployment._reading())


def _renewed(deployment: Deployment, issuer: Authority) -> Leaf:
    """Another certificate in the file of the second identity."""
    leaf = issuer.issue("fresh", server=False)
    entry = deployment.entries[1]
    Path(entry["pkcs12"]).write_bytes(leaf.pkcs12(entry["password"]))
    return leaf


@pytest.mark.parametrize("order", [1, -1], ids=["behind it", "in front of it"])
def test_another_entry_whose_name_goes_on(
    order: int, client_files: ClientFiles, alpha: Leaf, beta: Leaf
) -> None:
    """What another entry gives is no key of a broken one, however alike their names are."""
    deployment = Deployment(client_files, alpha, beta)
    deployment.entries[1]["name"] = "alpha (2)"
    deployment.entries = deployment.entries[::order]
    deployment.more["unlisted_hosts"] = "none"
    deployment.before = build_generation(deployment._reading())
    deployment.path.write_bytes(b"broken")
    after, _ = deployment.renew()

    decided = after.policy.select("alpha.test")
    assert (alpha.fingerprint, ()) == (decided.identity.fingerprint, decided.candidates)  # type: ignore[union-attr]
    assert deployment.before.identities == after.identities
