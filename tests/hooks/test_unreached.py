"""Libraries with TLS of their own are told of: at import, by ``check`` and by ``explain``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.cli import main
from mxcert_runtime.hooks.unreached import UNREACHED, installed
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf
from tests.support.subprocesses import run_client

#: a library of that name that says that it was imported
_LIBRARY = "import sys\nsys.imported = [*getattr(sys, 'imported', []), __name__]\n"
_PROGRAM = """
import importlib, json, logging, sys
sys.path.insert(0, sys.argv[1])
told = []
logging.getLogger("mxcert_runtime").addFilter(
    lambda record: told.append(record.getMessage()) or True
)
def said():
    return [each for each in told if "TLS of its own" in each]
if sys.argv[2] == "before":
    import curl_cffi
import mxcert_runtime
at_activation = len(said())
import curl_cffi
importlib.reload(curl_cffi)
mxcert_runtime.activate()
print(json.dumps([at_activation, said(), "primp" in sys.modules]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder with two of them, as far as imports are concerned."""
    for name in ("curl_cffi", "primp"):
        (tmp_path / f"{name}.py").write_text(_LIBRARY, encoding="ascii")
    return str(tmp_path)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_at_import(folder: str, client_files: ClientFiles, alpha: Leaf, moment: str) -> None:
    """One warning, whether it is imported before the plugin or after it; nothing is imported."""
    environment = client_files.variables(alpha)
    at_activation, said, is_other_there = run_client(
        _PROGRAM, folder, moment, environment=environment
    ).json()
    assert (1 if moment == "before" else 0) == at_activation
    assert 1 == len(said)
    assert said[0].startswith("`curl_cffi` has TLS of its own")
    assert "`cert=`" in said[0]
    assert not is_other_there


def test_without_settings(folder: str) -> None:
    """Where no settings are in force nobody is told."""
    assert [0, [], False] == run_client(_PROGRAM, folder, "after").json()


def test_not_among_the_hooked(
    client_files: ClientFiles, alpha: Leaf, caplog: pytest.LogCaptureFixture
) -> None:
    """None of them is called hooked."""
    caplog.set_level("INFO", "mxcert_runtime")
    sys.modules["tls_client"] = sys.modules["json"]
    try:
        entry = client_files.identity("alpha", alpha, hosts=["a.test"])
        mxcert_runtime.activate(settings={"identity": [entry]})
    finally:
        del sys.modules["tls_client"]
    hooked = [each.getMessage() for each in caplog.records if "hooked:" in each.getMessage()]
    assert 1 == len(hooked)
    assert "tls_client" not in hooked[0]


#: runs the command; gives what it prints as data
Command = Callable[..., Any]


@pytest.fixture
def command(
    folder: str,
    client_files: ClientFiles,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    monkeypatch.syspath_prepend(folder)
    for name, value in client_files.variables(usages={"a.test": alpha}).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Any:
        main(list(arguments))
        return json.loads(capsys.readouterr().out)

    return run


def test_check(command: Command) -> None:
    """Each that is installed is a warning, and none is imported by that."""
    before = {"curl_cffi", "primp"} & set(sys.modules)
    report = command("check", "--json")
    told = [each for each in report["warnings"] if each["code"] == "client-not-reached"]
    assert {each.module for each in installed()} == {each["origin"].split("`")[1] for each in told}
    assert {"curl_cffi", "primp"} <= {each["origin"].split("`")[1] for each in told}
    assert before == {"curl_cffi", "primp"} & set(sys.modules)


def test_check_without_identities(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is to be presented, there is nothing to miss."""
    for name in ("ClientCertificates", "ClientCertificatePasswords", "ClientCertificateUsages"):
        monkeypatch.delenv(name)
    report = command("check", "--json")
    assert [] == [each for each in report["warnings"] if each["code"] == "client-not-reached"]


@pytest.mark.parametrize(
    ("module", "reached"), [("curl_cffi", False), ("urllib3", True), ("nothing_like_it", None)]
)
def test_explain(command: Command, module: str, reached: bool | None) -> None:
    """``explain --client`` says whether the decision counts for the connections of a library."""
    data = command("explain", "--json", "https://a.test", "--client", module)
    assert [module, reached] == [data["client"]["module"], data["client"]["reached"]]
    assert "client" not in command("explain", "--json", "https://a.test")


def test_remedies() -> None:
    """Each says what to do, and is there once."""
    assert len(UNREACHED) == len({each.module for each in UNREACHED})
    assert [] == [each.module for each in UNREACHED if not each.remedy or each.remedy[-1] == "."]


@pytest.mark.parametrize("module", ["psycopg", "MySQLdb", "ldap", "confluent_kafka", "curl_cffi"])
def test_what_can_be_handed_over(command: Command, module: str) -> None:
    """What takes an identity that it is given is told the way."""
    data = command("explain", "--json", "https://a.test", "--client", module)
    assert "`mxcert_runtime.material`" in data["client"]["words"]
