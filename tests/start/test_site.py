"""What `site` adds: a start waits for what it will bring, and for nothing that it will not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.start.distributions import empty_environment, extract_package
from tests.start.first_tls.calls import BROKEN
from tests.support.installation import Installations, make_environment
from tests.support.subprocesses import run_client

_WANTS = "import ssl\nprint('after')\n"


@pytest.mark.parametrize("where", ["a program", "sitecustomize", "sitecustomize, and ssl before"])
def test_site_without_a_dependency(
    installations: Installations, environment: dict[str, str], tmp_path: Path, where: str
) -> None:
    """What nobody will bring any more is not waited for: it ends at the import of TLS, with 78."""
    program = empty_environment(tmp_path / "environment")
    extract_package(installations, program.packages)
    text = "print('after')\n" if "before" in where else _WANTS
    if "before" in where:
        (program.packages / "aaa.pth").write_text("import ssl\n", encoding="utf-8")
    if "sitecustomize" in where:
        (program.packages / "sitecustomize.py").write_text(text, encoding="utf-8")

    done = program.run(program.python, "-c", text, environment=environment)

    assert (78, "") == (done.returncode, done.stdout)


def test_site_that_is_at_work(
    installations: Installations, environment: dict[str, str], tmp_path: Path
) -> None:
    """Where all that is needed is there it does not wait for the end of `site` either."""
    program = make_environment(tmp_path / "environment")
    extract_package(installations, program.packages)
    (program.packages / "zzz.pth").write_text(f"import sys; exec({_WANTS!r})\n", encoding="utf-8")

    done = program.run(program.python, "-c", "", environment={**environment, **BROKEN})

    assert (78, "") == (done.returncode, done.stdout)


_COMPLETE = """
    import importlib, json, os, sys
    from mxcert_runtime.start import added_folders
    loaded = [importlib.import_module(name) for name in added_folders.NEEDED]
    specs = [each.__spec__ for each in loaded]
    sys.modules.pop("yaml", None)
    sys.meta_path.clear()
    told = []
    for name in ("settings.toml", "settings.yaml"):
        os.environ["MXCERT_CONFIG"] = name
        told.append(added_folders.is_complete())
    print(json.dumps([*told, specs == [each.__spec__ for each in loaded]]))
"""


def test_what_is_loaded_is_there() -> None:
    """It is not looked for, nor touched; a YAML file of settings needs one more."""
    assert [True, False, True] == run_client(_COMPLETE, timeout=30).json()
