"""``mxcert import`` says what is missing, and writes whole, in nobody's place, or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.settings.loading import settings_of_text
from tests.cli.importing.carried import EXAMPLE, Run, carry_over, secret


def test_toml_under_another_name(run: Run, tmp_path: Path) -> None:
    """It would not be read: a file's name tells its format."""
    status, _, told = run(EXAMPLE, "--write", str(tmp_path / "mxcert.yaml"))
    assert (1, []) == (status, list(tmp_path.glob("*.yaml")))
    assert ".toml" in told


def test_what_is_to_fill_in(run: Run) -> None:
    """Windows paths, passwords and services without hosts are named, in the file too."""
    status, printed, told = run(EXAMPLE)
    assert 0 == status
    assert "s3cret" not in printed + told
    for text in (printed, told):
        assert r"--map 'D:\App=/etc/certs'" in text
        assert "/run/secrets/Mx1.pw" in text
        assert "Module.WebService1" in text
    assert '# "Module.WebService1" = ["..."]' in printed
    assert "(ClientCertificatePasswords, entry 1)" in told
    assert "MyConstant" in told
    assert "whatever" not in told
    assert printed.startswith("#:schema ")
    assert 2 == len(settings_of_text(secret(printed), ".toml").faults)  # the files of passwords


@pytest.mark.parametrize(
    ("usages", "host"), [("api.test:8443", "api.test:8443"), ("*.a.test", "HOST"), ("", "HOST")]
)
def test_next_step(run: Run, usages: str, host: str) -> None:
    """The probe is of a host that the settings name, where there is one."""
    rules = f'ClientCertificateUsages: {{"{usages}": "a.p12"}}\n' if usages else ""
    status, _, told = run(f"ClientCertificates: a.p12\nClientCertificatePasswords: x\n{rules}")
    assert 0 == status
    assert f"mxcert probe https://{host}/\n" in told.replace("'", "")


def test_json(run: Run) -> None:
    """One object, which names all of it."""
    status, printed, told = run(EXAMPLE, "--json")
    data = json.loads(printed)
    assert (0, "", "mxcert-import/1", True) == (status, told, data["schema"], data["ok"])
    assert ["MyConstant"] == data["not_taken_over"]
    assert 5 == len(data["to_fill_in"])
    assert "s3cret" not in printed


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{broken", "not valid JSON (line 1, column 2)"),
        ('{"ClientCertificates": "a", "ClientCertificates": "b"}', "twice"),
        ("ClientCertificates: a.p12\nClientCertificatePasswords: s3cret, s3cret", "2 passwords"),
        ('ClientCertificates: a.p12\nClientCertificateUsages: {"h.test": "b.p12"}', "b.p12"),
        ("mxruntime: [s3cret", "YAML"),
        ("Hello: world", "no setting of client certificates"),
        ("", "no setting of client certificates"),
        ("ClientCertificates s3cret.p12", "as `Name: value` or `Name = value`"),
        ("ClientCertificates: pkcs11:token=a;object=b", "token"),
    ],
)
def test_faults(run: Run, text: str, word: str) -> None:
    """Nothing is printed of settings that have faults, and no secret in the words."""
    status, printed, told = run(text)
    assert (1, "") == (status, printed)
    assert word in told
    assert "s3cret" not in told


def test_collisions(run: Run) -> None:
    """Two files that would be one are refused, with what to do."""
    status, printed, told = run(
        "ClientCertificates: C:\\a\\x.pfx, D:\\a\\x.pfx", "--map", "C:\\a=/e", "--map", "D:\\a=/e"
    )
    assert (1, "") == (status, printed)
    assert "/e/x.pfx" in told


def test_secrets_are_their_owners(tmp_path: Path) -> None:
    """Files and folder of the secrets; a comma or a newline in one is kept."""
    deployment = {"environment_variables": {"ClientCertificates": "/a.p12"}}
    passwords = {"ClientCertificatePasswords": json.dumps([" a, b\n"])}
    deployment["environment_variables"].update(passwords)
    reading = carry_over(json.dumps(deployment), tmp_path)
    (identity,) = reading.settings.identities
    assert identity.password is not None
    assert " a, b\n" == identity.password.reveal()
    folder = tmp_path / "secrets"
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, *folder.iterdir())]
    assert [0o700, 0o600] == modes


def test_nothing_is_written_where_something_is_there(tmp_path: Path) -> None:
    """All or none: not the settings, where the file of a password is there."""
    (tmp_path / "old").write_text("ClientCertificates: /a.p12\nClientCertificatePasswords: one")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/a.pw").write_text("precious")
    words = ["import", str(tmp_path / "old"), "--secrets", str(tmp_path / "secrets")]
    words += ["--write", str(tmp_path / "new.toml")]
    assert 1 == main(words)
    assert ["old", "secrets"] == sorted(each.name for each in tmp_path.iterdir())
    assert "precious" == (tmp_path / "secrets/a.pw").read_text()
    assert 0 == main([*words, "--force"])
    assert "one\n" == (tmp_path / "secrets/a.pw").read_text()
