"""What the command says of mistakes, an import and an activation say in the same words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mxcert_runtime
from mxcert_runtime.errors import SettingsError
from tests.cli.processes import run_command
from tests.support.pki import Authority
from tests.support.subprocesses import run_client

_WORDS = (
    "is a certificate in DER without its key, not PKCS12",
    "this one is of Windows",
    "the password of environment variable ClientCertificatePasswords, entry 4 opens it",
    "the password of environment variable ClientCertificatePasswords, entry 3 opens it",
)
_PASSWORDS = ("Correct-Horse-7", "Battery-Staple-8")


@pytest.fixture
def mistakes(tmp_path: Path) -> dict[str, str]:
    """A certificate alone, a path of another system, two passwords that are swapped."""
    authority = Authority()
    alone = tmp_path / "leaf.cer"
    alone.write_bytes(authority.issue("alone").der())
    paths = [str(alone), r"D:\certificates\a.pfx"]
    for password in _PASSWORDS:
        path = tmp_path / f"{len(paths)}.p12"
        path.write_bytes(authority.issue(path.name).pkcs12(password, rounds=1))
        paths.append(str(path))
    passwords = ["", "", *reversed(_PASSWORDS)]
    return {
        "ClientCertificates": ",".join(paths),
        "ClientCertificatePasswords": ",".join(passwords),
    }


def test_all_say_the_same(
    mistakes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All faults together, each with origin, problem and remedy; never a password."""
    checked = run_command(tmp_path, "check", "--json", settings=mistakes)
    imported = run_client("import mxcert_runtime", environment=mistakes)
    for name, value in mistakes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        mxcert_runtime.activate()
    told = [str(each) for each in caught.value.faults]
    assert [words for words, text in zip(_WORDS, told) if words in text] == list(_WORDS)
    assert told == [
        f"{each['origin']}: {each['problem']}. {each['remedy']}."
        for each in json.loads(checked.stdout)["errors"]
    ]
    assert (checked.returncode, imported.returncode) == (1, 1)
    assert [text for text in told if text in imported.stderr] == told
    shown = checked.stdout + checked.stderr + imported.stderr
    assert [each for each in _PASSWORDS if each in shown] == []


def test_as_it_is_meant(mistakes: dict[str, str], tmp_path: Path) -> None:
    """The twin: what is right activates."""
    paths = mistakes["ClientCertificates"].split(",")[2:]
    right = {
        "ClientCertificates": ",".join(paths),
        "ClientCertificatePasswords": ",".join(_PASSWORDS),
    }
    done = run_client(
        "import mxcert_runtime; print(len(mxcert_runtime.identities()))", environment=right
    )
    assert (done.stdout, done.stderr) == ("2\n", "")
