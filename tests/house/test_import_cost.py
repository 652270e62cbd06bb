"""What an import costs: without settings nothing, and with one identity what it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_files import ClientFiles
from tests.support.derivation_modules import loaded_by_derivation
from tests.support.pki import Leaf
from tests.support.subprocesses import run_client

#: all that the import loads, beside what a bare interpreter has loaded
PRESENCE = [
    "mxcert_runtime",
    "mxcert_runtime.base",
    "mxcert_runtime.base.environ",
    "mxcert_runtime.settings",
    "mxcert_runtime.settings.names",
    "mxcert_runtime.settings.presence",
    "mxcert_runtime.settings.scalars",
]

#: what must not be loaded, not even by way of the above
HEAVY = [
    "OpenSSL",
    "asyncio",
    "cryptography",
    "dataclasses",
    "hmac",
    "ipaddress",
    "json",
    "logging",
    "re",
    "socket",
    "ssl",
    "tomli",
    "tomllib",
    "typing",
    "urllib3",
    "wrapt",
    "yaml",
]

#: what one plain identity has no use for until something fails, or until a library is imported
LATE = [
    "importlib.metadata",
    "OpenSSL",
    "asyncio",
    "concurrent.futures",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "ftplib",
    "http.client",
    "ctypes",
    "logging",
    "multiprocessing",
    "secrets",
    "shutil",
    "signal",
    "subprocess",
    "tempfile",
    "traceback",
    "urllib.request",
    "urllib3",
    "wrapt",
    "mxcert_runtime.diagnosis",
    "mxcert_runtime.base.near_words",
    "mxcert_runtime.identity.tokens.material",
    "mxcert_runtime.identity.tokens.uri",
    "mxcert_runtime.monitoring.log_handlers",
    "mxcert_runtime.settings.family",
    "mxcert_runtime.settings.inline",
    "mxcert_runtime.settings.inline_entries",
    "mxcert_runtime.settings.kubernetes",
    "mxcert_runtime.settings.readers",
    "mxcert_runtime.settings.selfhosted",
    "mxcert_runtime.settings.source_options",
    "mxcert_runtime.settings.tokens",
    "mxcert_runtime.diagnosis.alert_table",
    "mxcert_runtime.diagnosis.alerts",
    "mxcert_runtime.diagnosis.checks.diagnostic",
    "mxcert_runtime.diagnosis.checks.inheritance",
    "mxcert_runtime.diagnosis.checks.services",
    "mxcert_runtime.diagnosis.error_notes",
    "mxcert_runtime.diagnosis.explaining",
    "mxcert_runtime.diagnosis.fitting",
    "mxcert_runtime.diagnosis.note",
    "mxcert_runtime.diagnosis.report",
    "mxcert_runtime.connections.kept",
    "mxcert_runtime.hooks.gevent_sockets",
    "mxcert_runtime.hooks.known_versions",
    "mxcert_runtime.hooks.stdlib.asyncio_failures",
    "mxcert_runtime.hooks.stdlib.asyncio_loops",
    "mxcert_runtime.hooks.stdlib.asyncio_losses",
    "mxcert_runtime.hooks.stdlib.explanation",
    "mxcert_runtime.hooks.stdlib.ftp_transfers",
    "mxcert_runtime.hooks.stdlib.http_client",
    "mxcert_runtime.hooks.unread_answer",
    "mxcert_runtime.hooks.unreached",
    "mxcert_runtime.identity.material.certificates",
    "mxcert_runtime.identity.material.mistaken_content",
    "mxcert_runtime.identity.material.openssl_key",
    "mxcert_runtime.identity.material.pem_key",
    "mxcert_runtime.identity.material.rc2",
    "mxcert_runtime.identity.material.recognition",
    "mxcert_runtime.identity.material.traditional_encryption",
    "mxcert_runtime.identity.password_search",
    "mxcert_runtime.identity.source",
]

_BARE = """
import sys, os, __future__
before = set(sys.modules)
finders, hooks = list(sys.meta_path), list(sys.path_hooks)
import mxcert_runtime
loaded = sorted(set(sys.modules) - before)
untouched = finders == sys.meta_path and hooks == sys.path_hooks
import json
print(json.dumps([loaded, untouched, sorted(before)]))
"""

_HOOKED = """
import json, ssl, http.client, urllib.request
def snapshot():
    owners = (ssl, ssl.SSLContext, ssl.SSLSocket, ssl.SSLObject, http.client.HTTPSConnection)
    return {(owner.__name__, name): id(value) for owner in owners
            for name, value in vars(owner).items()}
before = snapshot()
import mxcert_runtime
print(json.dumps([before == snapshot(), mxcert_runtime.is_active()]))
"""


def _bare(environment: Mapping[str, str]) -> Any:
    # Without `site`, whose .pth files load modules of their own; its absence hides nothing.
    return run_client(_BARE, environment=environment, host_patterns=(), options=("-S",)).json()


def test_the_import_without_settings_loads_nothing() -> None:
    """Seven small files of ours and not one other."""
    loaded, untouched, before = _bare({})
    assert (PRESENCE, True) == (loaded, untouched)
    assert [] == [name for name in HEAVY if name in before]


@pytest.fixture
def variables(client_files: ClientFiles, alpha: Leaf) -> dict[str, str]:
    """Settings that would be in force."""
    return client_files.variables(alpha)


def test_the_disabled_import_loads_nothing(variables: dict[str, str]) -> None:
    """``MXCERT_DISABLE=1`` is as if there were no settings; any other value is not."""
    loaded, untouched, _ = _bare({**variables, "MXCERT_DISABLE": "1"})
    assert (PRESENCE, True) == (loaded, untouched)


@pytest.mark.parametrize("broken", ["/nonexistent.p12", "\udcff", "a, b, c"])
def test_the_disabled_import_reads_nothing(broken: str) -> None:
    """Settings that nobody could use do not matter while all is disabled."""
    loaded, _, _ = _bare({"ClientCertificates": broken, "MXCERT_DISABLE": "1"})
    assert PRESENCE == loaded


def test_the_import_without_settings_hooks_nothing() -> None:
    """Every attribute of ``ssl`` is what it was."""
    assert [True, False] == run_client(_HOOKED).json()


def test_the_disabled_import_hooks_nothing(variables: dict[str, str]) -> None:
    """Every attribute of ``ssl`` is what it was, settings or not."""
    environment = {**variables, "MXCERT_DISABLE": "1"}
    assert [True, False] == run_client(_HOOKED, environment=environment).json()


@pytest.mark.parametrize("disable", ["", "0", "true"])
def test_the_import_with_settings_hooks(variables: dict[str, str], disable: str) -> None:
    """The twin of the above: with settings that are not disabled, the import activates."""
    environment = {**variables, "MXCERT_DISABLE": disable}
    assert [False, True] == run_client(_HOOKED, environment=environment).json()


def test_public_names_are_found_when_asked_for() -> None:
    """The face has every public name, loads it late, and no other name."""
    script = """
        import json, sys
        import mxcert_runtime
        early = "ssl" in sys.modules
        found = [name for name in mxcert_runtime.__all__ if hasattr(mxcert_runtime, name)]
        print(json.dumps([early, found == list(mxcert_runtime.__all__),
                          hasattr(mxcert_runtime, "no_such_name")]))
    """
    assert [False, True, False] == run_client(script, host_patterns=()).json()


def test_an_error_can_be_named_without_settings() -> None:
    """``except mxcert_runtime.SettingsError`` loads neither TLS nor cryptography."""
    script = """
        import json, sys
        import mxcert_runtime
        mxcert_runtime.SettingsError, mxcert_runtime.MxcertError
        heavy = {"ssl", "cryptography", "wrapt"}
        print(json.dumps(sorted(heavy & set(sys.modules))))
    """
    assert [] == run_client(script, host_patterns=()).json()


_ACTIVE = """
import json, sys
before = set(sys.modules)
import mxcert_runtime
loaded = [mxcert_runtime.is_active(), sorted(set(sys.modules) - before)]
for name in sys.argv[1:]:
    __import__(name)
print(json.dumps(loaded))
"""


def test_the_import_with_one_identity_loads_what_it_needs(
    client_files: ClientFiles, alpha: Leaf, tmp_path: Path
) -> None:
    """What explains failures, and the hooks of libraries that are not there, come when they are
    needed; each can be imported then."""
    file = tmp_path / "settings.json"
    file.write_text(
        json.dumps({"identity": [client_files.identity("alpha", alpha, hosts=["a.b"])]})
    )
    environment = {"MXCERT_CONFIG": str(file)}
    done = run_client(_ACTIVE, *LATE, environment=environment, host_patterns=())
    is_active, loaded = done.json()
    assert is_active
    assert set() == (set(LATE) & set(loaded)) - loaded_by_derivation()
