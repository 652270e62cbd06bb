"""Settings with a rule for two services and two hosts; hosts without a rule get nothing."""

from __future__ import annotations

from typing import Any

import pytest

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf


@pytest.fixture
def settings(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> dict[str, Any]:
    """The service ``Billing.Invoices`` and ``a.test`` are alpha's, the rest beta's."""
    first = client_files.identity("alpha", alpha, hosts=["a.test"], services=["Billing.Invoices"])
    second = client_files.identity(
        "beta", beta, hosts=["b.test", "b.test:8443"], services=["Billing.Orders"]
    )
    never = {"hosts": ["never.test"], "services": ["Billing.Open"]}
    return {"unlisted_hosts": "none", "identity": [first, second], "no_certificate": never}


@pytest.fixture
def active(settings: dict[str, Any]) -> None:
    """The settings are in force."""
    mxcert_runtime.activate(settings)
