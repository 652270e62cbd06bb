"""How keys will reach OpenSSL is tried at activation, in systems that really lack something."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.odd_certificates import OddLeaf, leaf_of_kind
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import client_environment
from tests.support.tls_server import TlsServer

#: In a mount namespace of its own: the files of the test stay in sight at /mnt.
_MOUNT = "mount --bind {folder} /mnt && cd /mnt"
_WITHOUT_PROC = "mount -t tmpfs -o ro none /proc"
#: Still in sight, since Python and the package may be in there.
_READ_ONLY = "mount --bind {path} {path} && mount -o remount,bind,ro {path}"
TEMPORARY = ["/tmp", "/var/tmp"]  # noqa: S108 - where Python looks for a temporary folder

_CLIENT = """
import json, os, ssl, sys, urllib.request
import mxcert_runtime
settings = json.load(open("/mnt/settings.json"))
try:
    mxcert_runtime.activate(settings=settings)
except mxcert_runtime.SettingsError as error:
    print(json.dumps([str(fault) for fault in error.faults]))
    sys.exit()
if not settings["identity"]:
    print(json.dumps("active"))
    sys.exit()
context = ssl.create_default_context(cafile="/mnt/ca.pem")
print(urllib.request.urlopen(sys.argv[1], context=context).read().decode())
"""


def _take(path: str) -> str:
    """What takes a place away."""
    return _WITHOUT_PROC if path == "/proc" else _READ_ONLY.format(path=path)


@pytest.fixture
def run(
    tmp_path: Path,
    client_files: ClientFiles,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    client_authority: Authority,
    alpha: Leaf,
) -> Any:
    """What a program prints in a system without these places: fault texts, or what a server saw."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("mount namespaces are for root on Linux")
    server = tls_server(client_authorities=[client_authority])
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    entry = client_files.identity("alpha", alpha, hosts=["localhost"])
    entry["pkcs12"] = f"/mnt/{Path(entry['pkcs12']).name}"

    def run(*read_only: str, has_identity: bool = True, odd: OddLeaf | None = None) -> Any:
        identity = entry if odd is None else {**odd.write(tmp_path), "hosts": ["localhost"]}
        for name in {"certificate", "key"} & set(identity):
            identity[name] = f"/mnt/{Path(identity[name]).name}"
        content = {"identity": [identity] if has_identity else [], "unlisted_hosts": "none"}
        content["ca"] = ["/mnt/ca.pem"]
        (tmp_path / "settings.json").write_text(json.dumps(content))
        steps = [_MOUNT.format(folder=tmp_path), *map(_take, read_only)]
        last = "/proc" if "/proc" in read_only else "/"
        script = " && ".join([*steps, f"cd {last}", 'exec "$@"'])
        program = [sys.executable, "-c", textwrap.dedent(_CLIENT), server.url("localhost")]
        done = subprocess.run(
            [unshare, "-m", "sh", "-c", script, "sh", *program],
            env=client_environment({"SSL_CERT_FILE": "/mnt/ca.pem"}, ()),
            capture_output=True,
            text=True,
            check=False,
        )
        if "unshare" in done.stderr or "mount:" in done.stderr:
            pytest.skip(f"no mount namespace here: {done.stderr}")
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("missing", [["/proc"], TEMPORARY, []], ids=["proc", "temporary", "none"])
def test_one_way_is_enough(run: Any, alpha: Leaf, missing: list[str]) -> None:
    """Without /proc a temporary file does, and without that a file in memory."""
    assert alpha.fingerprint == run(*missing)["fingerprint"]


def test_no_way(run: Any) -> None:
    """Where there is neither, the activation says so, once, with what helps."""
    (fault,) = run("/proc", *TEMPORARY)
    assert "private keys cannot be given to OpenSSL" in fault
    assert "mount /proc, or set TMPDIR" in fault


def test_no_way_for_an_odd_key(run: Any, client_authority: Authority) -> None:
    """A key that OpenSSL is asked about when it is read is no other: nothing starts without it."""
    odd = leaf_of_kind(client_authority, "RSA of three primes")
    assert odd.fingerprint == run(odd=odd)["fingerprint"]
    (fault,) = run("/proc", *TEMPORARY, odd=odd)
    assert "private keys cannot be given to OpenSSL" in fault


def test_no_way_is_needed_without_identities(run: Any) -> None:
    """Settings of authorities alone give no key to anyone."""
    assert "active" == run("/proc", *TEMPORARY, has_identity=False)
