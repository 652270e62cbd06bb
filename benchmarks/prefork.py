"""What the children of a server that forks have of the plugin for themselves, in memory.

Memory that a child shares with its parent is nobody's. Each of eight children makes connection
objects for every identity, as its first requests would; the plugin is active in the parent, or each
child activates it by itself. Linux alone tells what is private.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.support.pki import Authority

from .certificates import DOMAIN, PASSWORD, temporary_folder, write_pkcs12
from .interpreters import interpret
from .measure import Amount, Effort, Figure
from .workers import by_hand

NAME = "prefork"
WORKERS = 1

_IDENTITIES = 100
_PROGRAM = """
import gc, json, os, ssl, sys
import mxcert_runtime

def private():
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:
        lines = [line.split() for line in file]
    return 1024 * sum(int(line[1]) for line in lines if line[0].startswith("Private_"))

def child(write):
    if not early and is_on:
        mxcert_runtime.activate(settings=settings)
    context = ssl.create_default_context()
    for host in hosts:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host)
    os.write(write, b"%d\\n" % private())

if early and is_on:
    mxcert_runtime.activate(settings=settings)
gc.collect()
gc.freeze()
read, write = os.pipe()
children = []
for _ in range(8):
    children.append(os.fork())
    if not children[-1]:
        child(write)
        os._exit(0)
for each in children:
    if os.waitpid(each, 0)[1]:
        sys.exit("a child has failed")
os.close(write)
with open(read) as told:
    values = list(map(int, told))
print(sum(values) / len(values))
"""


def _ask(name: str, given: str, effort: Effort) -> Figure:
    values = tuple(float(interpret(given + _PROGRAM)) for _ in range(min(3, effort.pairs)))
    return Amount(name, "byte", values)


def _given(folder: Path, count: int) -> str:
    authority, entries = Authority(), []
    for number in range(count):
        path = write_pkcs12(authority.issue(f"client {number}"), folder, f"i{number}", rounds=1)
        host = f"host-{number}.{DOMAIN}"
        entries.append({"name": host, "pkcs12": path, "password": PASSWORD, "hosts": [host]})
    hosts = [each["name"] for each in entries]
    return f"settings = {json.dumps({'identity': entries})}\nhosts = {hosts!r}\n"


def measure(effort: Effort) -> list[Figure]:
    """Bytes of one child: without the plugin, with it in the parent, and in each child."""
    if not sys.platform.startswith("linux"):
        return []
    with temporary_folder() as folder:
        given = _given(folder, effort.sized(_IDENTITIES))
        return [
            _ask(name, f"{given}early, is_on = {early}, {is_on}\n", effort)
            for name, early, is_on in (
                ("a child, without the plugin", True, False),
                ("a child, activated in the parent", True, True),
                ("a child, activated in itself", False, True),
            )
        ]


if __name__ == "__main__":
    by_hand(NAME)
