"""What has changed is taken up before the next connection, however the files are replaced."""

from __future__ import annotations

import logging
import os
import ssl
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.decisions import in_force
from mxcert_runtime.identity import examine_dates
from mxcert_runtime.monitoring import housekeeping
from mxcert_runtime.start import swap, watching
from tests.pools import clients
from tests.pools.clients import Client, name_of
from tests.rotation.renewal import Renewal
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch
from tests.support.scene import ALPHA_HOST, HOSTS, Scene
from tests.support.subprocesses import run_client

#: A look before every connection, so that no test waits for a clock.
ALWAYS = 1e-9

each_client = pytest.mark.parametrize("client", clients.UNBOUND, ids=name_of)


def _seen(renewal: Renewal, context: ssl.SSLContext | None = None) -> str | None:
    """What the server sees of a new connection."""
    scene = renewal.scene
    found: str | None = fetch(scene.url(), context or scene.context())["fingerprint"]
    return found


def _rename(renewal: Renewal, leaf: Leaf) -> None:
    for suffix, content in ((".crt", leaf.pem()), (".key", leaf.key_pem())):
        fresh = renewal.path(f"{suffix}.new")
        fresh.write_bytes(content)
        fresh.replace(renewal.path(suffix))


def _keep_times(renewal: Renewal, leaf: Leaf) -> None:
    """Write in place with the size and the times that the files had, as far as that goes."""
    for suffix, content in ((".crt", leaf.pem()), (".key", leaf.key_pem())):
        path = renewal.path(suffix)
        before = path.stat()
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


WAYS: dict[str, Callable[[Renewal, Leaf], None]] = {
    "in place": lambda renewal, leaf: renewal.write(leaf),
    "rename": _rename,
    "times kept": _keep_times,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_replaced(way: Callable[[Renewal, Leaf], None], renewal: Renewal) -> None:
    """The next connection presents what the files hold, again and again."""
    renewal.activate(watch=ALWAYS)
    context = renewal.scene.context()
    assert renewal.scene.alpha.fingerprint == _seen(renewal, context)
    for _ in range(3):
        leaf = renewal.fresh()
        way(renewal, leaf)
        assert leaf.fingerprint == _seen(renewal, context)


def test_off(renewal: Renewal) -> None:
    """The twin: with ``off`` nobody looks."""
    renewal.activate(watch="off")
    renewal.renew()
    assert renewal.scene.alpha.fingerprint == _seen(renewal)


def test_as_kubernetes_does(scene: Scene, client_authority: Authority) -> None:
    """A volume's ``..data`` link is renamed, and every file below has another content at once."""
    volume = scene.files.folder / "volume"
    (volume / "1").mkdir(parents=True)
    (volume / "..data").symlink_to("1")
    scene.alpha.write_pem(volume / "1")
    names = sorted(each.name for each in (volume / "1").iterdir())
    for name in names:
        (volume / name).symlink_to(Path("..data") / name)
    certificate, key = (str(volume / n) for n in names if n.endswith(("crt", "key", "pem")))
    entry = {"name": "a", "certificate": certificate, "key": key, "hosts": [ALPHA_HOST]}
    scene.activate(entry, watch=ALWAYS)
    leaf = client_authority.issue("renewed", server=False)
    (volume / "2").mkdir()
    leaf.write_pem(volume / "2")
    (volume / "..fresh").symlink_to("2")
    (volume / "..fresh").replace(volume / "..data")
    assert leaf.fingerprint == fetch(scene.url(), scene.context())["fingerprint"]


@pytest.mark.parametrize("first", [".crt", ".key"])
def test_one_after_the_other(
    first: str, renewal: Renewal, caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate without its key yet is waited for, and nobody is told of a failure."""
    renewal.activate(watch=ALWAYS)
    leaf = renewal.fresh()
    contents = {".crt": leaf.pem(), ".key": leaf.key_pem()}
    renewal.path(first).write_bytes(contents.pop(first))
    assert renewal.scene.alpha.fingerprint == _seen(renewal)
    for suffix, content in contents.items():
        renewal.path(suffix).write_bytes(content)
    assert leaf.fingerprint == _seen(renewal)
    assert [] == [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_a_broken_one_stays_and_the_other_is_renewed(renewal: Renewal) -> None:
    """What is broken keeps its last good certificate, and holds up no other."""
    renewal.activate(watch=ALWAYS)
    scene = renewal.scene
    renewal.path(".crt").write_text("no certificate")
    steady = renewal.fresh()
    renewal.write(steady, "steady")
    seen = [
        fetch(scene.url(host), scene.context())["fingerprint"]
        for host in ("alpha.test", "beta.test")
    ]
    assert [scene.alpha.fingerprint, steady.fingerprint] == seen


def test_a_broken_one_goes_on_with_nothing_of_another(renewal: Renewal) -> None:
    """Its host never sees what another entry gives, though that is called like a further key."""
    first, second = renewal.settings()["identity"]
    entries = [{**second, "name": f"{first['name']} (2)"}, first]
    renewal.scene.activate(*entries, watch=ALWAYS)
    renewal.path(".crt").write_text("broken")
    seen = [fetch(renewal.scene.url(host), renewal.scene.context()) for host in HOSTS[:2]]
    held = [renewal.scene.alpha.fingerprint, renewal.scene.beta.fingerprint]
    assert held == [each["fingerprint"] for each in seen]


def test_same_content(renewal: Renewal) -> None:
    """Files that are touched, or replaced by ones that are alike, change nothing."""
    renewal.activate(watch=ALWAYS)
    before = in_force.current
    _seen(renewal)
    _rename(renewal, renewal.leaf)
    _seen(renewal)
    assert before is in_force.current


def test_the_settings_file(
    scene: Scene, client_authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file with the settings is looked at, too, and so is one with a password."""
    password, config = tmp_path / "password", tmp_path / "mxcert.toml"
    password.write_text("one")
    material = tmp_path / "own.p12"
    material.write_bytes(scene.alpha.pkcs12("one"))
    text = (
        f'watch = "{ALWAYS}"\nunlisted_hosts = "none"\n[[identity]]\nname = "own"\n'
        f'pkcs12 = "{material}"\npassword_file = "{password}"\nhosts = ["%s"]\n'
    )
    config.write_text(text % "elsewhere.test")
    monkeypatch.setenv("MXCERT_CONFIG", str(config))
    mxcert_runtime.activate()
    context = scene.context()
    assert fetch(scene.url(), context)["fingerprint"] is None
    config.write_text(text % ALPHA_HOST)
    assert scene.alpha.fingerprint == fetch(scene.url(), context)["fingerprint"]
    leaf = client_authority.issue("renewed", server=False)
    material.write_bytes(leaf.pkcs12("two"))
    password.write_text("two")
    assert leaf.fingerprint == fetch(scene.url(), context)["fingerprint"]


def test_authorities(scene: Scene, authority: Authority, tmp_path: Path) -> None:
    """Pinned CAs that are replaced count for the next connection."""
    pinned = tmp_path / "pinned.pem"
    pinned.write_bytes(Authority("Another root").pem)
    entry = scene.files.identity("alpha", scene.alpha, hosts=[ALPHA_HOST])
    scene.activate({**entry, "ca": [str(pinned)]}, watch=ALWAYS)
    with pytest.raises(ssl.SSLCertVerificationError):
        fetch(scene.url(), scene.context())
    pinned.write_bytes(authority.pem)
    assert scene.alpha.fingerprint == fetch(scene.url(), scene.context())["fingerprint"]


@each_client
def test_kept_connections(client: Client, renewal: Renewal) -> None:
    """A program that only uses kept connections looks as well."""
    scene = renewal.scene
    with client(scene.ca_file, None) as get:
        renewal.activate(watch=ALWAYS)
        get(scene.url())
        for _ in range(3):
            leaf = renewal.renew()
            assert leaf.fingerprint == get(scene.url())["fingerprint"]


def test_while_others_change_settings(renewal: Renewal) -> None:
    """A connection does not wait for whoever is changing settings; the next one takes it up."""
    renewal.activate(watch=ALWAYS)
    leaf, holds, ends = renewal.renew(), threading.Event(), threading.Event()

    def hold() -> None:
        with swap.lock:
            holds.set()
            ends.wait(TIMEOUT)

    thread = threading.Thread(target=hold)
    thread.start()
    holds.wait(TIMEOUT)
    try:
        assert renewal.scene.alpha.fingerprint == _seen(renewal)
    finally:
        ends.set()
        thread.join()
    assert leaf.fingerprint == _seen(renewal)


_FORKED = """
import json, os, sys, threading
import mxcert_runtime
from tests.support.plain_client import fetch
import ssl

url, ca_file, certificate, key, fresh = sys.argv[1:]
entry = {"name": "own", "certificate": certificate, "key": key, "hosts": ["localhost"]}
mxcert_runtime.activate(settings={"unlisted_hosts": "none", "watch": 86400, "identity": [entry]})
context = ssl.create_default_context(cafile=ca_file)
seen = [fetch(url, context)["fingerprint"]]
for suffix, path in ((".crt", certificate), (".key", key)):
    os.replace(fresh + suffix, path)
seen.append(fetch(url, context)["fingerprint"])
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, fetch(url, context)["fingerprint"].encode())
    os._exit(0)
os.wait()
seen.append(os.read(reading, 100).decode())
print(json.dumps([*seen, threading.active_count()]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_after_a_fork(renewal: Renewal) -> None:
    """A child looks before its first connection, whenever its parent would; no thread does."""
    scene, leaf = renewal.scene, renewal.fresh()
    renewal.write(leaf, "fresh")
    paths = (str(renewal.path(".crt")), str(renewal.path(".key")), str(renewal.folder / "fresh"))
    done = run_client(_FORKED, scene.server.url("localhost"), scene.ca_file, *paths)
    alpha = scene.alpha.fingerprint
    assert [alpha, alpha, leaf.fingerprint, 1] == done.json()


def test_a_slow_look_puts_off_no_further_change(
    renewal: Renewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes up a change may take long: the next look comes as soon as ever all the same."""
    renewal.activate()
    monkeypatch.setattr(watching, "_SHARE", 1e-12)
    soon = in_force.due
    _look_at_once(renewal)
    put_off = in_force.due
    assert put_off >= soon + watching._LONGEST_SECONDS - watching.AUTO_SECONDS
    renewal.renew()
    _look_at_once(renewal)
    assert in_force.due < put_off


def _look_at_once(renewal: Renewal) -> None:
    in_force.due = 0.0
    assert renewal.leaf.fingerprint == _seen(renewal)


def test_expiry_is_seen_over_kept_connections(
    renewal: Renewal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that makes no handshake any more hears of an expiry as well."""
    renewal.activate(watch=ALWAYS)
    monkeypatch.setattr(housekeeping, "_due", 0.0)
    monkeypatch.setattr(housekeeping, "examine_dates", _expired)
    in_force.up_to_date()
    assert "'renewed' expired on" in caplog.text


def _expired(identity: Any, now: Any) -> Any:
    return examine_dates(identity, identity.not_after + timedelta(days=1))
