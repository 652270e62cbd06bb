"""``mxcert init``: what it prints works, holds no secret unless asked, and overwrites nothing."""

from __future__ import annotations

import datetime
import io
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

import mxcert_runtime
from mxcert_runtime.base import Secret
from mxcert_runtime.cli import main
from mxcert_runtime.cli.writing.files import NewFile, file_of_password, write_files
from tests.cli.processes import MODULE, TIMEOUT, command_environment
from tests.settings.readings import read, sound
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf, now
from tests.support.plain_client import fetch, plain_context
from tests.support.tls_server import TlsServer

HOST, OTHER = "api.billing.example", "other.example"
PASSWORD = "pass phrase Zx9"
#: what a unit says, as systemd reads it: systemd.syntax(7)
_ESCAPES = {"\\x22": '"', "\\\\": "\\", "\\n": "\n"}

#: runs the command with these arguments; gives its exit status, stdout and stderr
Init = Callable[..., "tuple[int, str, str]"]
Variables = dict[str, str]


@pytest.fixture
def init(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Init:
    """Runs ``mxcert init`` in this process, without a terminal."""

    def init(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        status = main(["init", *map(str, arguments)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return init


@pytest.fixture
def pfx(tmp_path: Path, alpha: Leaf) -> Path:
    """A PKCS12 file with a blank in its name, which nobody else may read."""
    path = ClientFiles(tmp_path, PASSWORD).pkcs12(alpha, "our billing.pfx")
    path.chmod(0o600)
    return path


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """The password, as an editor leaves it: with a newline at its end."""
    path = tmp_path / "billing.pw"
    path.write_text(f"{PASSWORD}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def _of_shell(text: str, _: Path) -> Variables:
    command = f"{text}\nenv --null"
    done = subprocess.run(["bash", "-c", command], env={}, capture_output=True, text=True)
    pairs = (each.split("=", 1) for each in done.stdout.split("\0") if "=" in each)
    return {name: value for name, value in pairs if name not in ("PWD", "SHLVL", "_")}


def _of_lines(text: str, _: Path) -> Variables:
    """As docker reads it: what stands behind the first `=`, as it is."""
    return dict(line.split("=", 1) for line in text.splitlines())


def _of_toml(text: str, folder: Path) -> Variables:
    path = folder / "mxcert.toml"
    path.write_text(text, encoding="utf-8")
    return {"MXCERT_CONFIG": str(path)}


def _of_kubernetes(text: str, folder: Path) -> Variables:
    """The files as they are mounted, below a folder in the place of the pod's root."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    by_kind = {each["kind"]: each for each in yaml.safe_load_all(text)}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    places = {each["name"]: Path(each["mountPath"]) for each in container["volumeMounts"]}
    for volume in pod["volumes"]:
        place = folder / places[volume["name"]].relative_to("/")
        place.mkdir(parents=True)
        for name, content in _mounted(volume, by_kind).items():
            content = (
                content.replace(b'"/', f'"{folder}/'.encode()) if b"[[" in content else content
            )
            (place / name).write_bytes(content)
            (place / name).chmod(0o400)
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert "1" == variables.pop("MXCERT_AUTOSTART")
    return {name: f"{folder}{value}" for name, value in variables.items()}


def _mounted(volume: Mapping[str, Any], by_kind: Mapping[str, Any]) -> dict[str, bytes]:
    import base64

    if "secret" in volume:
        assert volume["secret"]["defaultMode"] == 0o440
        assert by_kind["Secret"]["metadata"]["name"] == volume["secret"]["secretName"]
        data = by_kind["Secret"]["data"].items()
        return {name: base64.b64decode(each, validate=True) for name, each in data}
    assert by_kind["ConfigMap"]["metadata"]["name"] == volume["configMap"]["name"]
    return {name: each.encode() for name, each in by_kind["ConfigMap"]["data"].items()}


def _of_unit(text: str, folder: Path) -> Variables:
    """What systemd makes of a drop-in: a folder of credentials, and variables."""
    credentials = folder / "credentials"
    credentials.mkdir()
    variables = {"CREDENTIALS_DIRECTORY": str(credentials)}
    section, *lines = text.splitlines()
    assert "[Service]" == section
    for key, _, value in (line.partition("=") for line in lines):
        name, _, rest = value.partition(":")
        if key == "LoadCredential":
            content = Path(rest.replace("%%", "%")).read_bytes()
            (credentials / name).write_bytes(content)
        elif key == "SetCredential":
            (credentials / name).write_text(_unescaped(rest), encoding="utf-8")
        else:
            assert "Environment" == key
            word = value[1:-1] if value.startswith('"') else value
            variable, _, said = _unescaped(word).replace("%%", "%").partition("=")
            variables[variable] = said
    assert "1" == variables.pop("MXCERT_AUTOSTART")
    return variables


def _unescaped(text: str) -> str:
    for escape, meant in _ESCAPES.items():
        text = text.replace(escape, meant)
    return text


WAYS: dict[str, Callable[[str, Path], Variables]] = {
    "env": _of_shell,
    "env-file": _of_lines,
    "toml": _of_toml,
    "kubernetes": _of_kubernetes,
    "systemd": _of_unit,
}


@pytest.fixture
def use(
    monkeypatch: pytest.MonkeyPatch,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    loopback_names: LoopbackNames,
) -> Callable[[Variables], list[str | None]]:
    """Puts settings in force; gives the fingerprints that a server saw under both names."""

    def use(variables: Variables) -> list[str | None]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        mxcert_runtime.activate()
        server = tls_server(hosts=(HOST, OTHER))
        context = plain_context(authority)
        return [fetch(server.url(host), context)["fingerprint"] for host in (HOST, OTHER)]

    return use


Use = Callable[[Variables], "list[str | None]"]


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
    assert [alpha.fingerprint, None] == use(_of_kubernetes(settings, folder))


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
    assert [alpha.fingerprint] * 2 == use(_of_shell(settings, pfx.parent))


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
    assert [alpha.fingerprint, None] == use(_of_shell(settings, tmp_path))


def test_it_writes(init: Init, use: Use, pfx: Path, alpha: Leaf, tmp_path: Path) -> None:
    """Settings, schema and, from a terminal, the password, which is its owner's alone."""
    target = tmp_path / "etc" / "mxcert.toml"
    target.parent.mkdir()
    told = _at_terminal(tmp_path, [PASSWORD, HOST], str(pfx), "--write", str(target))
    assert PASSWORD not in told
    assert f"export MXCERT_CONFIG={target}" in told
    assert "mxcert check" in told
    assert f"mxcert probe https://{HOST}/" in told
    text = target.read_text(encoding="utf-8")
    assert text.startswith("#:schema ./mxcert.schema.json\n")
    json.loads((target.parent / "mxcert.schema.json").read_text(encoding="utf-8"))
    password = tmp_path / "our billing.pw"
    assert (f"{PASSWORD}\n", 0o600) == (password.read_text(), password.stat().st_mode & 0o777)
    assert sorted(["mxcert.toml", "mxcert.schema.json"]) == sorted(os.listdir(target.parent))
    assert [alpha.fingerprint, None] == use({"MXCERT_CONFIG": str(target)})


def test_a_wrong_password_is_asked_again(pfx: Path, tmp_path: Path) -> None:
    """As often as three times; an option with hosts leaves nothing else to ask."""
    told = _at_terminal(tmp_path, ["wrong", PASSWORD], str(pfx), "--host", HOST)
    assert "does not open it" in told
    assert f"mxcert probe https://{HOST}/" in told
    wrong = _at_terminal(tmp_path, ["wrong"] * 3, str(pfx), "--host", HOST)
    assert "password" in wrong
    assert "mxcert probe" not in wrong


def _at_terminal(folder: Path, answers: list[str], *arguments: str) -> str:
    """What the command writes to a terminal on which these answers are typed, each when asked."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*MODULE, "init", *arguments],
        stdin=its,
        stdout=its,
        stderr=its,
        env=command_environment(folder),
        start_new_session=True,
        preexec_fn=lambda: _take_terminal(its),
    )
    os.close(its)
    told = ""
    try:
        while chunk := os.read(ours, 65536):
            told += chunk.decode()
            if answers and told.rstrip(" ").endswith(":"):
                os.write(ours, f"{answers.pop(0)}\n".encode())
    except OSError:  # the end of a terminal is an error on Linux
        pass
    finally:
        os.close(ours)
    process.wait(TIMEOUT)
    return told.replace("\r\n", "\n")


def _take_terminal(descriptor: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


def test_nothing_is_overwritten(init: Init, pfx: Path, password_file: Path, tmp_path: Path) -> None:
    """Without --force; the twin with it."""
    target = tmp_path / "mxcert.toml"
    target.write_text("precious")
    options = (pfx, "--password-file", password_file, "--host", HOST, "--write", target)
    status, _, told = init(*options)
    assert 1 == status
    assert "--force" in told
    assert "precious" == target.read_text()
    assert not (tmp_path / "mxcert.schema.json").exists()
    status, _, _ = init(*options, "--force")
    assert 0 == status
    assert "[[identity]]" in target.read_text()
    assert f"{PASSWORD}\n" == password_file.read_text()


def test_secrets_are_their_owners(
    init: Init, pfx: Path, password_file: Path, tmp_path: Path
) -> None:
    """A file with the password in it has mode 0600, also where it replaces one of 0644."""
    target = tmp_path / "secret.yaml"
    target.write_text("old")
    target.chmod(0o644)
    options = ("--password-file", password_file, "--write", target, "--include-secrets", "--force")
    assert 0 == init(pfx, *options)[0]
    assert 0o600 == target.stat().st_mode & 0o777
    assert "kind: Secret" in target.read_text()


@pytest.mark.parametrize("kind", ["folder", "device", "link"])
def test_what_is_no_file_is_not_replaced(
    kind: str, init: Init, pfx: Path, password_file: Path, tmp_path: Path
) -> None:
    """With --force neither: not a folder, not a device; of a link, the file that it leads to."""
    target, real = tmp_path / "target.toml", tmp_path / "real.toml"
    if kind == "folder":
        target.mkdir()
    elif kind == "device":
        target.symlink_to("/dev/null")
    else:
        real.write_text("old")
        target.symlink_to(real)
    options = ("--password-file", password_file, "--write", target, "--force", "--format", "toml")
    status, _, told = init(pfx, *options)
    assert (0 if kind == "link" else 1) == status, told
    assert kind == "folder" or target.is_symlink()
    assert (kind == "link") == real.exists()
    assert kind != "link" or "[[identity]]" in real.read_text()


def test_without_a_terminal(init: Init, pfx: Path, tmp_path: Path) -> None:
    """The option is named that says the password; nobody waits."""
    status, settings, told = init(pfx)
    assert (1, "") == (status, settings)
    assert "--password-file PATH" in told
    status, settings, told = init(pfx, "--password-file", tmp_path / "absent.pw")
    assert (1, "") == (status, settings)
    assert "absent.pw` is not there" in told
    assert not (tmp_path / "absent.pw").exists()


def test_what_cannot_be_used(init: Init, client_authority: Authority, tmp_path: Path) -> None:
    """Expired, a wrong password, no such file, no identity, an impossible host: no settings."""
    past = now() - datetime.timedelta(days=9)
    late = client_authority.issue("late", server=False, not_before=past, not_after=past + DAY)
    files = ClientFiles(tmp_path, PASSWORD)
    expired = files.pkcs12(late, "late.pfx")
    sound_one = files.pkcs12(client_authority.issue("sound", server=False), "sound.pfx")
    (tmp_path / "right").write_text(PASSWORD)
    (tmp_path / "wrong").write_text("nonsense")
    (tmp_path / "text.pfx").write_text("hello")
    right = ("--password-file", tmp_path / "right")
    for arguments, word in (
        ((expired, *right), "expired"),
        ((sound_one, "--password-file", tmp_path / "wrong"), "password"),
        ((tmp_path / "absent.pfx", *right), "cannot be read"),
        ((tmp_path / "text.pfx", *right), "PKCS12"),
        ((sound_one, *right, "--host", "a b"), "a b"),
    ):
        status, settings, told = init(*arguments)
        assert (1, "") == (status, settings), arguments
        assert word in told
        assert "nonsense" not in told


DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("around", "word"), [(" {} ", "white space"), ('"{}"', "the quotes around it")]
)
def test_a_password_with_more_around_it(
    around: str, word: str, init: Init, pfx: Path, tmp_path: Path
) -> None:
    """What is too much is named, as for the settings of a program; nothing is made."""
    (tmp_path / "pw").write_text(around.format(PASSWORD))
    status, settings, told = init(pfx, "--password-file", tmp_path / "pw", "--host", HOST)
    assert (1, "") == (status, settings)
    assert word in told
    assert PASSWORD not in told


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


def test_files_of_pem_alone(init: Init, alpha: Leaf, tmp_path: Path) -> None:
    """A certificate without its key, a key without its certificate, both in each other's place."""
    certificate, key = alpha.write_pem(tmp_path, "alpha")
    for arguments in ((certificate,), (key,), (key, "--key", certificate)):
        status, settings, told = init(*arguments, "--host", HOST)
        assert (1, "") == (status, settings)
        assert "--key" in told
        assert "PKCS12" not in told
    assert 0 == init(certificate, "--key", key, "--host", HOST)[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["a.pfx;echo $(id)", "a.p:x", "a.%h", "a b'c\"d.pfx", "$(id).pfx"])
def test_odd_names_of_files(
    name: str, init: Init, password_file: Path, alpha: Leaf, tmp_path: Path
) -> None:
    """What is printed is the same words for a shell, whatever the file is called, or refused."""
    path = ClientFiles(tmp_path, PASSWORD).pkcs12(alpha, name)
    for form in WAYS:
        options = ("--password-file", password_file, "--host", HOST, "--format", form, "--json")
        status, printed, _ = init(path, *options)
        if status == 2:
            assert ("kubernetes", True) == (form, '"' in name)
            continue
        for step in json.loads(printed)["next"]:
            words = shlex.split(step, comments=True, posix=True)
            joined = "".join(words)
            if "create secret" in step:
                assert [f"client{path.suffix if path.suffix == '.pfx' else '.p12'}={path}"] == [
                    each.split("=", 1)[1] for each in words if each.endswith(f"={path}")
                ]
            assert joined.count("$(") == (joined.count(name) if "$(" in name else 0)


def test_a_path_that_is_no_text(
    init: Init, password_file: Path, alpha: Leaf, tmp_path: Path
) -> None:
    """Bytes that are no UTF-8 cannot be in any of the formats, and are refused with words."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.pfx"))
    try:
        shutil.copy(ClientFiles(tmp_path, PASSWORD).pkcs12(alpha, "a.pfx"), path)
    except OSError:
        pytest.skip("such a name cannot be here")
    for form in WAYS:
        options = ("--password-file", password_file, "--host", HOST, "--format", form)
        status, settings, told = init(path, *options)
        assert (2, "") == (status, settings)
        assert "UTF-8" in told


def test_toml_in_a_file_of_another_format(
    init: Init, pfx: Path, password_file: Path, tmp_path: Path
) -> None:
    """It would not be read: the format is told by the name."""
    options = ("--password-file", password_file, "--format", "toml", "--write")
    assert 2 == init(pfx, *options, tmp_path / "mxcert.yaml")[0]
    assert not (tmp_path / "mxcert.yaml").exists()
    assert 0 == init(pfx, *options, tmp_path / "mxcert.toml")[0]


class _Interrupting(Secret[bytes]):
    """A content at which the user presses Ctrl-C."""

    def reveal(self) -> bytes:
        raise KeyboardInterrupt


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize(("umask", "public"), [(0o022, 0o644), (0o077, 0o600), (0, 0o644)])
def test_modes(umask: int, public: int, tmp_path: Path) -> None:
    """The umask counts for what holds no secret, and what holds one is its owner's alone."""
    files = [
        file_of_password(str(tmp_path / "secret"), Secret(PASSWORD)),
        NewFile(str(tmp_path / "public"), Secret(b"text"), is_secret=False),
    ]
    before = os.umask(umask)
    try:
        write_files(files, force=False)
    finally:
        os.umask(before)
    assert [0o600, public] == [os.stat(each.path).st_mode & 0o777 for each in files]


@pytest.mark.parametrize("force", [False, True])
def test_an_interruption_leaves_nothing(force: bool, tmp_path: Path) -> None:
    """Neither the password that was written before, nor what was begun."""
    files = [
        file_of_password(str(tmp_path / "new.pw"), Secret(PASSWORD)),
        NewFile(str(tmp_path / "new.toml"), _Interrupting(b""), is_secret=True),
    ]
    with pytest.raises(KeyboardInterrupt):
        write_files(files, force=force)
    assert [] == list(tmp_path.iterdir())
    write_files(files[:1], force=force)
    assert ["new.pw"] == [each.name for each in tmp_path.iterdir()]


def test_json(init: Init, pfx: Path, password_file: Path) -> None:
    """One object, with the identity, the settings and what comes next."""
    status, printed, told = init(pfx, "--password-file", password_file, "--host", HOST, "--json")
    data = json.loads(printed)
    assert (0, "", "mxcert-init/1", True) == (status, told, data["schema"], data["ok"])
    assert ["CN=alpha"] == [each["subject"].split(",")[0] for each in data["identities"]]
    assert "mxcert check" in data["next"]
    sound(read(_of_shell(data["settings"], pfx.parent)))


def test_steps_are_commands(init: Init, pfx: Path, password_file: Path) -> None:
    """Each can be read by a shell, for every format."""
    for form in WAYS:
        options = ("--password-file", password_file, "--format", form, "--json")
        _, printed, _ = init(pfx, *options)
        for step in json.loads(printed)["next"]:
            assert step.startswith("# ") or shlex.split(step, comments=True)
