"""Whatever imports TLS, and by whatever way, is kept until the plugin is active."""

from __future__ import annotations

import pytest

from tests.start.first_tls.calls import assert_presented, run
from tests.support.installation import Installations
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

_WANTED = {
    "ssl": "import ssl",
    "its half in C": "import _ssl",
    "by importlib": "import importlib; importlib.import_module('ssl')",
    "within another": "import http.client",
    "pyOpenSSL": "import OpenSSL",
    "the plugin": "import mxcert_runtime; assert mxcert_runtime.is_active()",
    "a part of it": "from mxcert_runtime.telemetry import observe",
    **{
        part: f"import mxcert_runtime.{part}"
        for part in (
            *("connections.plan", "contexts.trust", "decisions.policy", "diagnosis.note", "hooks"),
            *("identity.identity", "monitoring.expiry", "start.activation", "start.reloading"),
        )
    },
    "a look": "import importlib.util; importlib.util.find_spec('ssl')",
    "nothing": "",
}


@pytest.mark.parametrize("wanted", _WANTED.values(), ids=_WANTED)
def test_however_tls_is_imported(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    wanted: str,
) -> None:
    """The identity is presented."""
    assert_presented(
        run(installations, f"{wanted}\ncall()", environment), server, alpha.fingerprint
    )


def test_without_autostart(
    installations: Installations, environment: dict[str, str], server: TlsServer
) -> None:
    """The twin: nothing is presented."""
    asked = {**environment, "MXCERT_AUTOSTART": "0"}

    assert_presented(run(installations, "call()", asked), server, None)
