"""An interpreter with ``MXCERT_AUTOSTART=1``: active once it imports TLS, or ended with 78."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.client_files import ClientFiles
from tests.support.installation import Installation, Installations, make_environment
from tests.support.pki import Leaf
from tests.support.subprocesses import ROOT, Finished

ASKED = {"MXCERT_AUTOSTART": "1"}
BROKEN = {"ClientCertificates": "/nonexistent/client.p12"}
#: looks without an import of the package, at the moment at which TLS has been imported
_LOOK = """\
import sys, ssl
in_force = sys.modules.get("mxcert_runtime.decisions.in_force")
loaded = [name for name in sys.modules if name.startswith("mxcert_runtime")]
import json
print(json.dumps([in_force is not None and in_force.current is not None, loaded]))
"""


@pytest.fixture
def settings(client_files: ClientFiles, alpha: Leaf) -> dict[str, str]:
    """Settings that can be used."""
    return client_files.variables(alpha)


def _look(
    installation: Installation, environment: Mapping[str, str], options: Sequence[str] = ()
) -> Finished:
    return installation.run(installation.python, *options, "-c", _LOOK, environment=environment)


def _assert_ended(done: Finished, *told: str) -> None:
    assert (78, "") == (done.returncode, done.stdout)
    assert [] == [text for text in told if text not in done.stderr]
    assert "Fatal Python error" not in done.stderr


@pytest.mark.parametrize(("kind", "options"), [("wheel", ["-I"]), ("editable", [])])
def test_active_once_tls_is_imported(
    installations: Installations, settings: dict[str, str], kind: str, options: list[str]
) -> None:
    """No import of the package is needed, and ``-I`` (``-E``, ``-s``) changes nothing."""
    done = _look(getattr(installations, kind), {**settings, **ASKED}, options)

    assert True is done.json()[0]
    assert "" == done.stderr


@pytest.mark.parametrize("value", ["true", "YES", " on "])
def test_other_words_for_yes(
    installations: Installations, settings: dict[str, str], value: str
) -> None:
    """What else says yes, in whatever case and with blanks around it, works as ``1``."""
    done = _look(installations.wheel, {**settings, "MXCERT_AUTOSTART": value})

    assert (True, "") == (done.json()[0], done.stderr)


@pytest.mark.parametrize("value", ["maybe", "2", "tru", "1;0", "a\x1b[31m\nb"])
def test_any_other_value_ends_the_interpreter(
    installations: Installations, settings: dict[str, str], value: str
) -> None:
    """What says neither yes nor no may have meant yes: one line tells it, and 78."""
    done = _look(installations.wheel, {**settings, "MXCERT_AUTOSTART": value})

    _assert_ended(done, f"MXCERT_AUTOSTART is {value!a}", "Write 1, true, yes or on")
    assert 1 == len(done.stderr.splitlines())


def test_any_other_value_of_a_disabled_plugin(installations: Installations) -> None:
    """The twin: with ``MXCERT_DISABLE=1`` nothing is asked, so nothing is wrong."""
    variables = {"MXCERT_AUTOSTART": "maybe", "MXCERT_DISABLE": "1"}

    assert [False, []] == _look(installations.wheel, variables).json()


@pytest.mark.parametrize("value", [None, "", "0", "false", "No", " off "])
def test_nothing_happens_unless_asked(
    installations: Installations, settings: dict[str, str], value: str | None
) -> None:
    """The twin: with a value that says no not one module is loaded, settings or not."""
    asked = {} if value is None else {"MXCERT_AUTOSTART": value}

    assert [False, []] == _look(installations.wheel, {**settings, **asked}).json()


def test_disabled(installations: Installations) -> None:
    """``MXCERT_DISABLE=1`` wins, and broken settings do not matter."""
    done = _look(installations.wheel, {**BROKEN, **ASKED, "MXCERT_DISABLE": "1"})

    assert False is done.json()[0]
    assert "" == done.stderr


def test_without_site_nothing_starts(
    installations: Installations, settings: dict[str, str]
) -> None:
    """The limit: with ``-S`` Python reads no ``.pth`` file."""
    assert [False, []] == _look(installations.wheel, {**settings, **ASKED}, ["-S"]).json()


def test_site_folders_added_later(installations: Installations, settings: dict[str, str]) -> None:
    """A program that adds the site folder by itself has it active from then on."""
    folders = [str(installations.wheel.packages)]
    script = f"import site\nfor folder in {folders}: site.addsitedir(folder)\n{_LOOK}"
    python = installations.wheel.python

    done = installations.wheel.run(python, "-S", "-c", script, environment={**settings, **ASKED})

    assert True is done.json()[0]


def test_it_takes_place_once(
    installations: Installations, settings: dict[str, str], tmp_path: Path
) -> None:
    """``sitecustomize`` finds it active; imports, and site folders added again, change nothing."""
    lines = "import mxcert_runtime as mxcert\nbefore = mxcert.is_active()\n"
    (tmp_path / "sitecustomize.py").write_text(lines, encoding="utf-8")
    installation = installations.wheel
    script = f"""if True:
        import json, site, sitecustomize, mxcert_runtime
        site.addsitedir({str(installation.packages)!r})
        print(json.dumps([sitecustomize.before, mxcert_runtime.is_active()]))
    """
    more = {"PYTHONPATH": str(tmp_path), "MXCERT_LOG": "info"}

    done = installation.run(
        installation.python, "-c", script, environment={**settings, **ASKED, **more}
    )

    assert [True, True] == done.json()
    assert 1 == done.stderr.count("active: ")


def _extracted(installations: Installations, folder: Path) -> Installation:
    """An environment of its own, with the package in it."""
    installation = make_environment(folder / "environment")
    (wheel,) = installations.folder.glob("wheel/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installation.packages)
    return installation


def test_dependencies_in_a_later_site_folder(
    installations: Installations, settings: dict[str, str], tmp_path: Path
) -> None:
    """``site`` comes to the folder of the dependencies after the one of the package."""
    installation = _extracted(installations, tmp_path)
    (paths,) = installation.packages.glob("_environment*.pth")
    paths.rename(paths.with_name("zzz.pth"))

    assert True is _look(installation, {**settings, **ASKED}).json()[0]


def test_sitecustomize_is_there_already(
    installations: Installations, settings: dict[str, str], tmp_path: Path
) -> None:
    """Another ``.pth`` file imported it, so that ``site`` will not ask for it."""
    installation = _extracted(installations, tmp_path)
    line = "import sys; sys.modules['sitecustomize'] = sys\n"
    (installation.packages / "another.pth").write_text(line, encoding="utf-8")

    assert True is _look(installation, {**settings, **ASKED}).json()[0]


_ANOTHER_FINDER = """\
import sys
from importlib.machinery import ModuleSpec

class Finder:
    create_module = exec_module = lambda self, given: None

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name == "sitecustomize" else None

sys.meta_path.insert(0, Finder())
"""


def test_the_first_import_after_site(
    installations: Installations, settings: dict[str, str], tmp_path: Path
) -> None:
    """The last resort, where somebody else's finder answers for ``sitecustomize``: the program's
    first import activates, and gets the module that is hooked, not another one of its name."""
    installation = _extracted(installations, tmp_path)
    (installation.packages / "finder.py").write_text(_ANOTHER_FINDER, encoding="utf-8")
    (installation.packages / "zzz.pth").write_text("import finder\n", encoding="utf-8")
    script = f"import ssl\n{_LOOK}\nassert ssl.SSLContext._wrap_socket.__module__ != '_ssl'\n"
    script += "assert hasattr(ssl.SSLContext, '_mxcert_verify_mode')"

    done = installation.run(installation.python, "-c", script, environment={**settings, **ASKED})

    assert True is done.json()[0]


def test_broken_settings_end_the_interpreter(installations: Installations) -> None:
    """The report is on stderr, each fault with its remedy, without a traceback."""
    broken = {**BROKEN, "ClientCertificatePasswords": "one, two", **ASKED}

    done = _look(installations.wheel, broken)

    _assert_ended(done, "mxcert_runtime: ", "ClientCertificatePasswords", "nothing was activated")
    assert "Traceback" not in done.stderr


def test_no_settings_end_the_interpreter(installations: Installations) -> None:
    """Who asks for identities does not run without any."""
    done = _look(installations.wheel, ASKED)

    _assert_ended(done, "there are no settings", "unset MXCERT_AUTOSTART")


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("cryptography", "raise ModuleNotFoundError('no cryptography here')"),
        ("cryptography", "raise MemoryError"),
        ("cryptography", "raise SystemExit(0)"),
        ("cryptography", "import sys; sys.stderr = None; raise OSError"),
        ("mxcert_runtime", "raise ModuleNotFoundError('no package here')"),
        ("mxcert_runtime", "raise SystemExit(0)"),
    ],
)
def test_any_failure_ends_the_interpreter(
    installations: Installations,
    settings: dict[str, str],
    tmp_path: Path,
    module: str,
    code: str,
) -> None:
    """Whatever goes wrong, be it in a dependency or in the package itself."""
    (tmp_path / f"{module}.py").write_text(code + "\n", encoding="utf-8")

    done = _look(installations.wheel, {**settings, **ASKED, "PYTHONPATH": str(tmp_path)})

    _assert_ended(done)


_AS_ANOTHER = """\
import os, sys
sys.path.insert(0, sys.argv[1])
from mxcert_runtime.start.autostart import begin
user, group = eval(sys.argv[2])
os.setresgid(*group)
os.setresuid(*user)
begin()
print("begun")
"""
_NOBODY = 65534


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone can")
@pytest.mark.parametrize(
    ("user", "group", "is_refused"),
    [
        ((_NOBODY, 0, 0), (0, 0, 0), True),
        ((_NOBODY, _NOBODY, _NOBODY), (_NOBODY, 0, 0), True),
        ((_NOBODY, _NOBODY, _NOBODY), (_NOBODY, _NOBODY, _NOBODY), False),
        ((0, _NOBODY, 0), (0, _NOBODY, 0), False),
        ((0, 0, 0), (0, 0, 0), False),
    ],
    ids=["setuid", "setgid", "a user", "root as a user", "root"],
)
def test_rights_that_the_user_does_not_have(
    tmp_path: Path, user: tuple[int, ...], group: tuple[int, ...], is_refused: bool
) -> None:
    """A setuid or setgid program takes no settings from who starts it, not even by ``-I``."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _AS_ANOTHER, str(ROOT), repr((user, group))],
        env={},
        cwd="/",
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ("" if is_refused else "begun\n") == done.stdout, done.stderr
    assert is_refused == ("setuid, setgid" in done.stderr)


_OWN = [["-m", "mxcert_runtime"], ["-Immxcert_runtime"]]


@pytest.mark.parametrize("command", [None, *_OWN], ids=["script", "-m", "-Im"])
def test_the_command_itself_does_not_end(
    installations: Installations, command: list[str] | None
) -> None:
    """``mxcert`` starts whatever the settings are, since it is what judges them."""
    installation = installations.wheel
    own = [installation.script("mxcert")] if command is None else [installation.python, *command]

    done = installation.run(*own, "check", environment={**BROKEN, **ASKED})

    assert 1 == done.returncode, done.stderr
    assert done.stdout.startswith("Summary\n")


def test_other_modules_end(installations: Installations) -> None:
    """The twin: what follows the module is not taken for it."""
    command = [installations.wheel.python, "-m", "ssl", "mxcert_runtime"]

    done = installations.wheel.run(*command, environment={**BROKEN, **ASKED})

    _assert_ended(done, "/nonexistent/client.p12")
