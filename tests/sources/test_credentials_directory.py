"""``credential:NAME`` is what systemd passes to the service under that name, for any path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate
from mxcert_runtime.settings.loading import settings_from
from tests.settings.readings import only_fault, read, sound
from tests.sources.conftest import Ask
from tests.support.client_files import PASSWORD
from tests.support.pki import Leaf


@pytest.fixture
def credentials(tmp_path: Path, alpha: Leaf, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder as systemd makes it, with files for an identity, and a program in another one."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "billing.p12").write_bytes(alpha.pkcs12(PASSWORD))
    (folder / "password").write_text(f"{PASSWORD}\n")
    (folder / "billing.crt").write_bytes(alpha.pem())
    (folder / "billing.key").write_bytes(alpha.key_pem())
    for each in folder.iterdir():
        each.chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


FORMS: dict[str, dict[str, str]] = {
    "pkcs12": {"pkcs12": "credential:billing.p12", "password_file": "credential:password"},
    "pem": {"certificate": "credential:billing.crt", "key": "credential:billing.key"},
}


@pytest.mark.usefixtures("credentials")
class TestPaths:
    @pytest.mark.parametrize("form", FORMS)
    def test_in_the_file(self, ask: Ask, alpha: Leaf, form: str) -> None:
        """The server sees the certificate that systemd passed."""
        activate(settings={"identity": {**FORMS[form], "hosts": "localhost"}})
        assert alpha.fingerprint == ask()

    def test_in_the_environment(
        self, ask: Ask, alpha: Leaf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The family takes them too, also in the name of a file that holds the value."""
        monkeypatch.setenv("ClientCertificates", "credential:billing.p12")
        monkeypatch.setenv("MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE", "credential:password")
        usages = '{"localhost": "credential:billing.p12"}'
        monkeypatch.setenv("ClientCertificateUsages", usages)
        monkeypatch.setenv("MXCERT_UNLISTED_HOSTS", "none")
        activate()
        assert alpha.fingerprint == ask()

    def test_of_the_settings_file(
        self, credentials: Path, ask: Ask, alpha: Leaf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The settings file can be one; paths in it are relative to it."""
        text = '[[identity]]\npkcs12 = "billing.p12"\npassword_file = "password"\n'
        (credentials / "mxcert.toml").write_text(text)
        monkeypatch.setenv("MXCERT_CONFIG", "credential:mxcert.toml")
        activate()
        assert alpha.fingerprint == ask()

    def test_one_that_is_not_there(self) -> None:
        """A credential that the service has not been given is a fault with its whole path."""
        with pytest.raises(SettingsError, match=r"credentials/other\.p12"):
            activate(settings={"identity": {"pkcs12": "credential:other.p12"}})

    @pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/x", "a/b"])
    def test_what_is_no_name(self, name: str) -> None:
        """No path leads out of the folder, or into one of it."""
        described = {"identity": {"pkcs12": f"credential:{name}"}}
        fault = only_fault(settings_from(described))
        assert "names no credential" in fault.problem


class TestOutsideOfSystemd:
    @pytest.mark.parametrize(
        "described",
        [
            {"identity": {"pkcs12": "credential:x"}},
            {"identity": {"certificate": "credential:x"}},
            {"identity": {"pkcs12": "/a.p12", "password_file": "credential:x"}},
            {"ca": "credential:x"},
        ],
    )
    def test_a_fault_with_the_remedy(self, described: dict[str, Any]) -> None:
        """Nothing of that name is looked for in the working directory."""
        fault = only_fault(settings_from(described, environ={"CREDENTIALS_DIRECTORY": ""}))
        assert "CREDENTIALS_DIRECTORY is not set" in fault.problem
        assert "LoadCredential=" in fault.remedy

    @pytest.mark.parametrize("name", ["MXCERT_CONFIG", "MXCERT_UNLISTED_HOSTS_FILE"])
    def test_in_a_variable(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not for a settings file either."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "x.toml").write_text('unlisted_hosts = "none"')
        fault = only_fault(read({name: "credential:x.toml"}))
        assert f"environment variable {name}" == fault.origin

    def test_a_path_that_only_looks_like_it(self, tmp_path: Path) -> None:
        """The twin: `./credential:x` is a file like any other."""
        described = {"identity": {"pkcs12": "./credential:x"}}
        (identity,) = sound(settings_from(described)).settings.identities
        assert "./credential:x" == identity.material.shown()
