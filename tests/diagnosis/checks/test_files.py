"""Files that hold a secret are told where more people may read them than need to."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.diagnosis.checks.diagnostic import Diagnostic, DiagnosticCode
from mxcert_runtime.diagnosis.checks.files import check_files, read_by_group
from mxcert_runtime.settings.loading import read_settings
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.pki import Leaf

posix_only = pytest.mark.skipif(os.name != "posix", reason="mode bits are POSIX")


@pytest.fixture
def secret_files(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> dict[str, Path]:
    """A settings file with every kind of file that holds a secret; all are the user's alone."""
    folder = client_files.folder
    certificate, key = beta.write_pem(folder)
    password = folder / "alpha.pw"
    password.write_text(PASSWORD)
    settings = folder / "mxcert.toml"
    settings.write_text(
        f"""
        [[identity]]
        pkcs12 = '{client_files.pkcs12(alpha)}'
        password_file = '{password}'
        [[identity]]
        certificate = '{certificate}'
        key = '{key}'
        """
    )
    files = {
        "pkcs12": client_files.pkcs12(alpha),
        "key": key,
        "password": password,
        "settings": settings,
        "certificate": certificate,
    }
    for path in files.values():
        path.chmod(0o600)
    return files


def about_files(environ: dict[str, str]) -> list[Diagnostic]:
    """The diagnostics of the files of an environment's settings, which have no fault."""
    reading = read_settings(environ)
    build_generation(reading)
    return list(check_files(reading))


@posix_only
def test_files_of_the_user_alone(secret_files: dict[str, Path]) -> None:
    """The twin of all below: nobody else may read anything, and nothing is told."""
    assert [] == about_files({"MXCERT_CONFIG": str(secret_files["settings"])})


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
@pytest.mark.parametrize("kind", ["pkcs12", "key", "password"])
def test_files_that_others_may_read(secret_files: dict[str, Path], kind: str, mode: int) -> None:
    """A key or a password that the group or every user may read is told, with who may."""
    secret_files[kind].chmod(mode)
    (diagnostic,) = about_files({"MXCERT_CONFIG": str(secret_files["settings"])})
    assert DiagnosticCode.READABLE_BY_OTHERS is diagnostic.code
    assert f"`{secret_files[kind]}`" in diagnostic.problem
    assert ("every user" if mode & 0o004 else "its group") in diagnostic.problem


@posix_only
@pytest.mark.parametrize(
    ("owner", "user", "groups", "expected"),
    [
        (0, 1000, (1000, 4711), True),  # with `fsGroup`: the kubelet owns it, and 4711 reads it
        (0, 1000, (1000,), False),
        (1000, 1000, (4711,), False),
        (1, 0, (4711,), False),
    ],
)
def test_a_group_by_which_it_is_read(
    owner: int, user: int, groups: tuple[int, ...], expected: bool
) -> None:
    """`chmod 600` would take the file from the program itself; of its own file, nothing."""
    found = os.stat_result((0o100640, 1, 1, 1, owner, 4711, 0, 0, 0, 0))
    assert read_by_group(found, user, groups) is expected


@posix_only
def test_files_of_kubernetes(secret_files: dict[str, Path]) -> None:
    """Where the kubelet has put a file, nobody can follow the advice to `chmod` it."""
    secret_files["pkcs12"].chmod(0o644)
    environ = {"MXCERT_CONFIG": str(secret_files["settings"])}
    (before,) = about_files(environ)
    (secret_files["pkcs12"].parent / "..data").symlink_to("..2026_11_26")
    (diagnostic,) = about_files(environ)
    assert "`chmod 600`" in before.remedy
    assert "`defaultMode: 04" in diagnostic.remedy


@posix_only
@pytest.mark.parametrize("kind", ["settings", "certificate"])
def test_files_without_a_secret(secret_files: dict[str, Path], kind: str) -> None:
    """The twin: settings that only say where the password is, and certificates, may be read."""
    secret_files[kind].chmod(0o644)
    assert [] == about_files({"MXCERT_CONFIG": str(secret_files["settings"])})


@posix_only
@pytest.mark.parametrize(("mode", "expected"), [(0o644, 1), (0o600, 0)])
def test_a_settings_file_with_a_password(
    secret_files: dict[str, Path], mode: int, expected: int
) -> None:
    """A settings file is secret once it holds a password itself."""
    settings = secret_files["settings"]
    where = f"password_file = '{secret_files['password']}'"
    settings.write_text(settings.read_text().replace(where, f"password = '{PASSWORD}'"))
    settings.chmod(mode)
    texts = [str(each) for each in about_files({"MXCERT_CONFIG": str(settings)})]
    assert expected == len(texts)
    assert all("holds a password" in text and PASSWORD not in text for text in texts)


@posix_only
@pytest.mark.parametrize(("mode", "expected"), [(0o644, 1), (0o600, 0)])
def test_a_file_of_passwords(secret_files: dict[str, Path], mode: int, expected: int) -> None:
    """The file of a variable's passwords is secret; that of its paths is not."""
    paths = secret_files["pkcs12"].with_suffix(".paths")
    paths.write_text(str(secret_files["pkcs12"]))
    paths.chmod(0o644)
    secret_files["password"].chmod(mode)
    environ = {
        "MXCERT_CLIENT_CERTIFICATES_FILE": str(paths),
        "MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE": str(secret_files["password"]),
    }
    assert expected == len(about_files(environ))


@posix_only
@pytest.mark.parametrize(("mode", "expected"), [(0o644, 1), (0o600, 0)])
def test_a_file_that_holds_the_certificates(
    tmp_path: Path, alpha: Leaf, mode: int, expected: int
) -> None:
    """A Kubernetes resource is secret: keys stand in it, even under an empty password."""
    encoded = base64.b64encode(alpha.pkcs12(None, encryption="none")).decode()
    entry = {"key": encoded, "password": "", "pinTo": ["api.example"]}
    path = tmp_path / "runtime.json"
    path.write_text(json.dumps({"runtime": {"clientCertificates": [entry]}}))
    path.chmod(mode)
    assert expected == len(about_files({"MXCERT_CONFIG": str(path)}))
