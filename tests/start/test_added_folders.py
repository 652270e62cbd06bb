"""Programs that bring the package along and add its folders by themselves, one after another."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mxcert_runtime.start.added_folders import NEEDED
from tests.start.distributions import (
    copy_distribution,
    dependencies,
    empty_environment,
    extract_package,
)
from tests.start.first_tls.calls import BROKEN
from tests.support.installation import Installation, Installations
from tests.support.pki import Leaf
from tests.support.subprocesses import Finished
from tests.support.tls_server import TlsServer

_BEGIN = "import site, sys\nfolders = sys.argv[1:]\n{loaded}\n"
_CALL = """\
import json, os, urllib.request
def call():
    url = "https://localhost:%s/" % os.environ["TARGET_PORT"]
    print(json.load(urllib.request.urlopen(url))["fingerprint"], flush=True)
"""
#: as pex adds them: by a function that comes to its end before the program begins
_RETURNS = """\
def add():
    for folder in folders:
        site.addsitedir(folder)
add()
{call}
call()
"""
#: as shiv does: the program runs within that function
_STAYS = """\
def add():
    for folder in folders:
        site.addsitedir(folder)
    exec({call!r} + "call()", {{}})
add()
"""
#: a script's own lines
_LINES = """\
for folder in folders:
    site.addsitedir(folder)
{call}
call()
"""
#: nothing is left to be imported when the connection is made
_NOTHING_TO_IMPORT = """\
{call}
import encodings.idna, http.client, select, ssl, socket
def add():
    for folder in folders:
        site.addsitedir(folder)
    call()
add()
"""
_WAYS = {
    "returns": _RETURNS,
    "stays": _STAYS,
    "lines": _LINES,
    "nothing to import": _NOTHING_TO_IMPORT,
}


@pytest.fixture(scope="module")
def folders(
    installations: Installations, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The package and its dependencies, each in a folder of its own."""
    base = tmp_path_factory.mktemp("folders")
    made = {"package": extract_package(installations, base / "package")}
    for name in sorted(dependencies()):
        made[name] = copy_distribution(name, base / name)
    return made


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An environment without anything."""
    return empty_environment(tmp_path_factory.mktemp("empty"))


def _run(
    program: Installation,
    way: str,
    folders: Sequence[Path],
    environment: dict[str, str],
    loaded: str = "",
) -> Finished:
    text = _BEGIN.format(loaded=loaded) + _WAYS[way].format(call=_CALL)
    command = [program.python, "-c", text, *map(str, folders)]
    return program.run(*command, environment=environment)


@pytest.mark.parametrize("loaded", ["", "import ssl"], ids=["", "ssl is loaded"])
@pytest.mark.parametrize("last", [False, True], ids=["package first", "package last"])
@pytest.mark.parametrize("way", _WAYS)
def test_the_identity_is_presented(
    program: Installation,
    folders: dict[str, Path],
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    way: str,
    last: bool,
    loaded: str,
) -> None:
    """Whenever the last of the dependencies comes, and whatever the program has loaded before."""
    order = list(folders.values())[:: -1 if last else 1]

    done = _run(program, way, order, environment, loaded)

    assert (0, f"{alpha.fingerprint}\n", "") == (done.returncode, done.stdout, done.stderr)
    assert [alpha.fingerprint] == [each["fingerprint"] for each in server.answers]


@pytest.mark.parametrize(
    ("way", "missing"),
    [*((way, "cryptography") for way in _WAYS), ("returns", "cffi"), ("stays", "cffi")],
)
def test_a_dependency_that_never_comes(
    program: Installation,
    folders: dict[str, Path],
    environment: dict[str, str],
    server: TlsServer,
    way: str,
    missing: str,
) -> None:
    """The twin: the program ends with 78, before it has made its first connection."""
    order = [folder for name, folder in folders.items() if name != missing]

    done = _run(program, way, order, environment)

    assert (78, "") == (done.returncode, done.stdout)
    assert "mxcert_runtime: MXCERT_AUTOSTART=1 is set" in done.stderr
    assert [] == list(server.answers)


def test_without_autostart(
    program: Installation, folders: dict[str, Path], environment: dict[str, str], server: TlsServer
) -> None:
    """The twin: nothing is presented, and nothing waits."""
    asked = {**environment, "MXCERT_AUTOSTART": "0"}

    done = _run(program, "returns", list(folders.values()), asked)

    assert (0, "None\n") == (done.returncode, done.stdout)


_IN_ANOTHER_THREAD = """\
import ssl, threading
def add():
    for folder in folders:
        site.addsitedir(folder)
        thread = threading.Thread(target=__import__, args=("this_is_not_there",))
        threading.excepthook = lambda told: None
        thread.start()
        thread.join()
add()
{call}
call()
"""
_AS_A_SERVER = """\
import ssl
def add():
    for folder in folders:
        site.addsitedir(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
add()
{call}
call()
"""


#: each folder by a call of its own, of a function named as that of `site`, which is long past
_ONE_BY_ONE = """\
import ssl
sys.modules.setdefault("sitecustomize", sys)
def main(folder):
    site.addsitedir(folder)
    try:
        import this_is_not_there
    except ImportError:
        pass
for folder in folders:
    main(folder)
{call}
call()
"""


@pytest.mark.parametrize(
    "text", [_IN_ANOTHER_THREAD, _AS_A_SERVER, _ONE_BY_ONE], ids=["thread", "server", "one by one"]
)
def test_what_does_not_end_the_wait(
    program: Installation,
    folders: dict[str, Path],
    environment: dict[str, str],
    alpha: Leaf,
    text: str,
) -> None:
    """Imports of other threads, while folders are still being added, and connections of servers."""
    script = _BEGIN.format(loaded="") + text.format(call=_CALL)

    done = program.run(
        *(program.python, "-c", script, *map(str, folders.values())), environment=environment
    )

    assert (0, f"{alpha.fingerprint}\n", "") == (done.returncode, done.stdout, done.stderr)


_RETURNED = """def add():
    for folder in folders:
        site.addsitedir(folder)
add()
import ssl
print("after")
"""
_AT_WORK = """def add():
    for folder in folders:
        site.addsitedir(folder)
    import ssl
    print("after")
add()
"""


def test_a_function_that_has_returned(
    program: Installation, folders: dict[str, Path], environment: dict[str, str]
) -> None:
    """What is missing then is missing for good: it ends at the import of TLS."""
    order = [str(folder) for name, folder in folders.items() if name != "cryptography"]
    script = _BEGIN.format(loaded="") + _RETURNED

    done = program.run(program.python, "-c", script, *order, environment=environment)

    assert (78, "") == (done.returncode, done.stdout)


def test_a_function_that_is_at_work(
    program: Installation, folders: dict[str, Path], environment: dict[str, str]
) -> None:
    """Once all that is needed is there, its end is not waited for."""
    for name in NEEDED:
        if not any([*folder.glob(f"{name}*")] for folder in folders.values()):
            pytest.skip(f"no dependency of these versions needs {name}: its end is waited for")
    script = _BEGIN.format(loaded="") + _AT_WORK
    order = map(str, folders.values())
    broken = {**environment, **BROKEN}

    done = program.run(program.python, "-c", script, *order, environment=broken)

    assert (78, "") == (done.returncode, done.stdout)


_WHILE_IT_ACTS = """\
{loaded}
import threading
from mxcert_runtime.start.first_tls import FirstTls
told = []
def connect(who):
    import ssl
    context = ssl.create_default_context()
    begun.set()
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")
    told.append(who)
begun = threading.Event()
other = threading.Thread(target=connect, args=("another thread",))
def act():
    other.start()
    begun.wait()
    other.join(0.3)
    connect("the one that acts")
wait = FirstTls(act, lambda name: False)
wait.start()
wait.catch_up()
wait.finish()
other.join()
print(told)
"""


@pytest.mark.parametrize("loaded", ["", "import ssl"], ids=["", "ssl is loaded"])
def test_connections_while_it_activates(installations: Installations, loaded: str) -> None:
    """Those of other threads wait until the plugin is there; nobody waits for himself."""
    script = _WHILE_IT_ACTS.format(loaded=loaded)

    done = installations.wheel.run(installations.wheel.python, "-c", script, environment={})

    assert (0, "['the one that acts', 'another thread']\n") == (done.returncode, done.stdout)


def test_all_that_is_needed(installations: Installations, environment: dict[str, str]) -> None:
    """The list of what an activation imports from elsewhere is complete."""
    script = """if True:
        import sys
        before = set(sys.modules)
        import mxcert_runtime, mxcert_runtime.start.added_folders as added
        loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
        foreign = {
            name for name in loaded - set(sys.stdlib_module_names)
            if "site-packages" in str(getattr(sys.modules[name], "__file__", ""))
        }
        print(sorted(foreign - {"mxcert_runtime", *added.NEEDED}))
    """
    if sys.version_info < (3, 10):
        pytest.skip("this Python does not tell which modules are its own")

    done = installations.wheel.run(
        *(installations.wheel.python, "-c", script),
        environment={**environment, "MXCERT_AUTOSTART": "0"},
    )

    assert (0, "[]\n") == (done.returncode, done.stdout), done.stderr
