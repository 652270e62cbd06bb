"""``mxcert init``: what it prints works, in every format."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tests.cli.init.formats import HOST, PASSWORD, WAYS, Init, Use, of_kubernetes, of_shell
from tests.cli.processes import TIMEOUT
from tests.settings.readings import read, sound
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf


@pytest.mark.parametrize("form", WAYS)
def test_what_it_prints_works(
    form: str,
    init: Init,
    use: Use,
    pfx: Path,
    password_file: Path,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """The host of the rule sees the certificate, and no other host does."""
    secret = ["--include-secrets"] if form == "kubernetes" else []
    options = ["--password-file", password_file, "--host", HOST, "--format", form, *secret]
    status, settings, told = init(pfx, *options)
    assert 0 == status, told
    assert PASSWORD not in settings
    folder = tmp_path / "used"
    folder.mkdir()
    assert [alpha.fingerprint, None] == use(WAYS[form](settings, folder))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("spoiled", [False, True])
def test_systemd_reads_it(
    spoiled: bool, init: Init, pfx: Path, password_file: Path, tmp_path: Path
) -> None:
    """The drop-in is one to systemd itself; the twin with a quote too many is not."""
    unit, drop_in = tmp_path / "units/prog.service", tmp_path / "units/prog.service.d/mxcert.conf"
    drop_in.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    options = ("--password-file", password_file, "--host", HOST, "--write", drop_in)
    assert 0 == init(pfx, *options)[0]
    if spoiled:
        drop_in.write_text(f'{drop_in.read_text()}Environment="open\n')
    done = subprocess.run(
        ["systemd-analyze", "verify", "prog.service"],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{unit.parent}:"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert spoiled == (drop_in.name in done.stderr), done.stderr


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl here")
def test_the_command_for_the_secret(
    init: Init, use: Use, pfx: Path, password_file: Path, alpha: Leaf, tmp_path: Path
) -> None:
    """kubectl makes the Secret that the Deployment mounts, without a cluster to ask."""
    options = ("--password-file", password_file, "--host", HOST, "--format", "kubernetes")
    _, printed, _ = init(pfx, *options, "--json")
    data = json.loads(printed)
    words = shlex.split(data["next"][0])
    done = subprocess.run(
        [*words, "--dry-run=client", "-o", "yaml"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    if done.returncode != 0:
        pytest.skip(f"kubectl does not work here: {done.stderr}")
    assert "kind: Secret" not in data["settings"]
    settings = f"{data['settings']}---\n{done.stdout}"
    folder = tmp_path / "used"
    folder.mkdir()
    assert [alpha.fingerprint, None] == use(of_kubernetes(settings, folder))


@pytest.mark.parametrize("form", ["toml", "systemd", "kubernetes"])
def test_pem(form: str, init: Init, use: Use, alpha: Leaf, tmp_path: Path) -> None:
    """A pair of PEM files, its key encrypted."""
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_bytes(alpha.certificate.public_bytes(Encoding.PEM))
    encryption = BestAvailableEncryption(PASSWORD.encode())
    key.write_bytes(alpha.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    (tmp_path / "pw").write_text(PASSWORD)
    secret = ["--include-secrets"] if form == "kubernetes" else []
    options = ["--key", key, "--password-file", tmp_path / "pw", "--host", HOST]
    status, settings, told = init(certificate, *options, "--format", form, *secret)
    assert 0 == status, told
    folder = tmp_path / "used"
    folder.mkdir()
    assert [alpha.fingerprint, None] == use(WAYS[form](settings, folder))


def test_pem_as_variables(init: Init, alpha: Leaf, tmp_path: Path) -> None:
    """The platform's variables name PKCS12 alone: wrong use, and without --format it is TOML."""
    both = tmp_path / "both.pem"
    key = alpha.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both.write_bytes(alpha.certificate.public_bytes(Encoding.PEM) + key)
    both.chmod(0o600)
    status, settings, told = init(both, "--format", "env")
    assert (2, "") == (status, settings)
    assert "--format toml" in told
    status, settings, _ = init(both)
    assert 0 == status
    assert f'certificate = "{both}"' in settings
    assert b"PRIVATE" not in settings.encode()


def test_every_host(init: Init, use: Use, pfx: Path, password_file: Path, alpha: Leaf) -> None:
    """Without a host the certificate goes wherever one is asked for, which is a warning."""
    status, settings, told = init(pfx, "--password-file", password_file)
    assert 0 == status
    assert "WARNING: no host is named" in told
    assert [alpha.fingerprint] * 2 == use(of_shell(settings, pfx.parent))


def test_origin_of_a_warning(init: Init, pfx: Path, password_file: Path) -> None:
    """A user of the command has passed no settings argument, and knows its command line."""
    pfx.chmod(0o644)
    status, _, told = init(pfx, "--password-file", password_file, "--host", HOST)
    assert 0 == status
    assert "WARNING: command line, identity 1 (our billing): the file " in told
    assert "settings argument" not in told


def test_password_in_clear_where_asked(init: Init, use: Use, alpha: Leaf, tmp_path: Path) -> None:
    """With a comma and quotes in it; the shell's line says it as it is."""
    password = "a, 'b' \"c\" $d"
    path = ClientFiles(tmp_path, password).pkcs12(alpha, "a,b.pfx")
    (tmp_path / "pw").write_text(password)
    options = (path, "--host", HOST, "--password-file", tmp_path / "pw")
    status, settings, told = init(*options)
    assert (2, "") == (status, settings)
    assert "comma" in told
    status, settings, _ = init(*options, "--include-secrets")
    assert 0 == status
    assert [alpha.fingerprint, None] == use(of_shell(settings, tmp_path))


@pytest.mark.parametrize("form", ["env", "toml"])
def test_a_pasted_address(
    form: str, init: Init, use: Use, pfx: Path, password_file: Path, alpha: Leaf
) -> None:
    """The host alone is written, and in the commands that come next."""
    options = ("--password-file", password_file, "--host", f"https://{HOST}/", "--format", form)
    status, settings, told = init(pfx, *options)
    assert (0, 0) == (status, settings.count("https://"))
    assert f"mxcert probe https://{HOST}/\n" in told
    assert [alpha.fingerprint, None] == use(WAYS[form](settings, pfx.parent))


def test_json(init: Init, pfx: Path, password_file: Path) -> None:
    """One object, with the identity, the settings and what comes next."""
    status, printed, told = init(pfx, "--password-file", password_file, "--host", HOST, "--json")
    data = json.loads(printed)
    assert (0, "", "mxcert-init/1", True) == (status, told, data["schema"], data["ok"])
    assert ["CN=alpha"] == [each["subject"].split(",")[0] for each in data["identities"]]
    assert "mxcert check" in data["next"]
    sound(read(of_shell(data["settings"], pfx.parent)))


def test_steps_are_commands(init: Init, pfx: Path, password_file: Path) -> None:
    """Each can be read by a shell, for every format."""
    for form in WAYS:
        options = ("--password-file", password_file, "--format", form, "--json")
        _, printed, _ = init(pfx, *options)
        for step in json.loads(printed)["next"]:
            assert step.startswith("# ") or shlex.split(step, comments=True)
